"""List the models and corpora that can be chosen by name."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("list")
