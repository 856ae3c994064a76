"""Plan: a corpus to the frozen list of shards."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("plan")
