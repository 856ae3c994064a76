"""Analyse: the extracted shards through the metrics into partials."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("analyse")
