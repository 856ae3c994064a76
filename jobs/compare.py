"""Compare finished runs: their models side by side."""

from attnray.pipeline.cli import main

if __name__ == "__main__":
    main("compare")
