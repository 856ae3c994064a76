"""Explore: a page about the cases of a run, for a browser on this machine."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("explore")
