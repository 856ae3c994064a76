"""The main job: plan, extract, analyse, reduce, report."""

from attnray.cli.main import main

if __name__ == "__main__":
    main("run")
