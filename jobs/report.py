"""Report: the tables to figures and a page."""

from attnray.pipeline.cli import main

if __name__ == "__main__":
    main("report")
