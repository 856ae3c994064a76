"""Plan: a corpus to the frozen list of shards."""

from attnray.pipeline.cli import main

if __name__ == "__main__":
    main("plan")
