"""The command line of every job: settings in, one clear line and an exit status out.

Whatever goes wrong ends here. Little is imported, so that this is there before anything can.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import NoReturn

from attnray.cli.caches import caches
from attnray.cli.output import until_unread
from attnray.cli.signals import stoppable
from attnray.errors import InputError, described

COMPLETE, INCOMPLETE, UNUSABLE = 0, 1, 2
#: What is left to do when all has been said may take so long.
END_SECONDS = 10
#: Set to 1, it shows where an error comes from.
DEBUG = "ATTNRAY_DEBUG"


def main(job: str, arguments: list[str] | None = None) -> NoReturn:
    """Run a job with the arguments of the command line, and end the process.

    (They are all that the command line has, unless said.)

    Exit status: 0 complete; 1 the run is incomplete, and the message names each missing
    shard; 2 the configuration or the input cannot be used; 128 and its number, a signal.
    """
    with until_unread(), stoppable():
        status = _status(job, sys.argv[1:] if arguments is None else arguments)
    # As it ends, Ray waits for a cluster that hangs without a limit.
    late = threading.Timer(END_SECONDS, os._exit, [status])
    late.daemon = True
    late.start()
    gc.freeze()  # else all that was imported is looked through once more, for a second
    sys.exit(status)


def _status(job: str, arguments: list[str]) -> int:
    try:
        from attnray.cli.compose import compose_and_run

        with caches():
            compose_and_run(job, arguments)
        sys.stdout.flush()
    except Exception as error:
        if os.environ.get(DEBUG) == "1":
            raise
        ended = described(error)
        print(f"attnray: {ended}", file=sys.stderr)
        return UNUSABLE if isinstance(ended, InputError) else INCOMPLETE
    return COMPLETE
