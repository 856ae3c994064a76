"""Report: the tables to figures and a page."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("report")
