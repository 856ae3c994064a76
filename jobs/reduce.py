"""Reduce: the partials to the tables."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("reduce")
