"""Reduce: the partials to the tables."""

from attnray.pipeline.cli import main

if __name__ == "__main__":
    main("reduce")
