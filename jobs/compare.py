"""Compare finished runs: their models side by side."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("compare")
