"""Extract: the planned shards through the model into the store."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("extract")
