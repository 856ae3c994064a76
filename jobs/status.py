"""Status: what of a run is done, has failed and is left."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("status")
