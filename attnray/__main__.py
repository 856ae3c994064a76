"""The jobs of an installed attnray: `python -m attnray JOB [overrides]`."""

from __future__ import annotations

import sys

from attnray.cli.help import JOBS
from attnray.cli.main import UNUSABLE, main

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in JOBS:
        print(f"usage: python -m attnray {{{','.join(JOBS)}}} [overrides]", file=sys.stderr)
        sys.exit(UNUSABLE)
    main(sys.argv.pop(1))
