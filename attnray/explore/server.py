"""The server of the page: on this machine alone, it only answers what is asked of the runs."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from attnray.errors import InputError, described
from attnray.explore import page
from attnray.explore.asked import OTHER, Asked
from attnray.explore.opened import OpenedRun

LOCALHOST = "127.0.0.1"
#: What a browser may call this machine: a page elsewhere has another name, wherever that leads.
OURS = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.I)
#: So long the first answers wait for a run to be read.
SECONDS = 1.0
#: What the page's script says where it has the script and the style.
PART = "X-Part"
RUNS: web.AppKey[Sequence[OpenedRun]] = web.AppKey("runs")
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listening(port: int) -> socket.socket:
    """A socket of this machine alone; 0 is any port that is free.

    Raises:
        InputError: the port is taken, or not to be had.
    """
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((LOCALHOST, port))
    except OSError as error:
        found.close()
        raise InputError(f"--port {port}: {error.strerror}; leave it out for a free one") from error
    return found


def serve(runs: Sequence[OpenedRun], bound: socket.socket, ready: Callable[[], None]) -> None:
    """Answer until a signal comes; `ready` is called once questions can be asked."""

    async def answer() -> None:
        await begin(runs, bound)
        ready()
        await asyncio.Event().wait()

    asyncio.run(answer())


async def begin(runs: Sequence[OpenedRun], bound: socket.socket) -> web.AppRunner:
    """Begin to answer at a socket; what gives no question is refused without a word here."""
    silent = logging.getLogger("attnray.explore")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    runner = web.AppRunner(application(runs), access_log=None, logger=silent)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    return runner


def application(runs: Sequence[OpenedRun]) -> web.Application:
    """What answers: it has no state, and no files."""
    made = web.Application(middlewares=[_guarded])
    made[RUNS] = runs
    made.add_routes([web.get("/", _page), web.get("/summary", _summary)])
    return made


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whoever calls this machine by another name is refused; what goes wrong is one line."""
    try:
        if not OURS.fullmatch(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text="attnray explore answers to localhost alone")
        response = await handler(request)
    except web.HTTPException as error:
        response = web.Response(status=error.status, text=f"{error.text}\n", headers=error.headers)
    except Exception as error:
        told = described(error)
        status = 400 if isinstance(told, InputError) else 500
        response = web.Response(status=status, text=f"{told}\n")
    response.headers.update(HEADERS)
    return response


async def _page(request: web.Request) -> web.Response:
    def made(runs: Sequence[OpenedRun], asked: Asked, whole: bool) -> str:
        for run in runs:
            run.subjects.read_on()
            run.subjects.wait(SECONDS)
        return page.page(runs, asked, whole)

    return await _answered(request, made)


async def _summary(request: web.Request) -> web.Response:
    return await _answered(request, page.summary)


async def _answered(
    request: web.Request, made: Callable[[Sequence[OpenedRun], Asked, bool], str]
) -> web.Response:
    runs, whole = request.app[RUNS], PART not in request.headers
    text = await asyncio.to_thread(made, runs, _asked(request), whole)
    headers = {"Content-Security-Policy": f"{page.policy()}; frame-ancestors 'none'"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _asked(request: web.Request) -> Asked:
    """What an address asks for; of two runs, where it says nothing, the same head in both."""
    query = request.query
    if not query and len(request.app[RUNS]) > 1:
        return Asked(b_run=OTHER)
    return Asked.of_query(query)
