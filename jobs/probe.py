"""Probe: classifiers that read parses from the extracted attention, trained and scored."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("probe")
