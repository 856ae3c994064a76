"""Check every file of a run, and make what is broken again."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("verify")
