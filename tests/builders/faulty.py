"""A way to an object store that fails a share of requests, as networks and busy stores do."""

from __future__ import annotations

import http.client
import http.server
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

#: What can befall a request: refused as by a busy store, done but not told of, broken off before
#: or within the answer, never answered.
FAULTS = ("busy", "untold", "broken", "cut", "silent")
#: The same for a whole run: that nothing answers is rare, for it takes as long as a client waits.
RARELY_SILENT = (*4 * FAULTS[:-1], FAULTS[-1])
#: What a store can answer instead: a status and its code for an error.
ANSWERS = {
    "busy": (503, "SlowDown"),
    "denied": (403, "AccessDenied"),
    "no bucket": (404, "NoSuchBucket"),
    "wrong": (400, "InvalidRequest"),
}
#: Headers of one connection alone.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Faulty(http.server.ThreadingHTTPServer):
    """Passes requests on to a store, but for a `share` of them, which meet one of `faults`.

    These are some of `FAULTS` or `ANSWERS`; which requests they befall is drawn from a seed. `met`
    counts the faults, `asked` has all requests.
    """

    daemon_threads = True

    def __init__(self, store: str, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = urlsplit(store)
        self.share = 0.0
        self.faults: tuple[str, ...] = FAULTS
        self.met: Counter[str] = Counter()
        self.asked: list[str] = []
        self.ends = threading.Event()
        self.draws = random.Random(seed)
        self._turn = threading.Lock()
        self._tags: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fate(self, request: str) -> str | None:
        """What befalls the next request."""
        with self._turn:
            self.asked.append(unquote(request))
            if self.draws.random() >= self.share:
                return None
            fault = self.draws.choice(self.faults)
            self.met[fault] += 1
            return fault

    def generation(self, tag: str) -> str:
        """The number that a GCS client knows a version by."""
        number = str(int(tag.strip('"')[:15], 16))
        self._tags[number] = tag
        return number

    def condition(self, generation: str) -> tuple[str, str]:
        """The header of S3 for what GCS calls x-goog-if-generation-match."""
        if generation == "0":
            return "If-None-Match", "*"
        return "If-Match", self._tags.get(generation, '"unknown"')

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that give up are expected."""


@contextmanager
def faulty(store: str, seed: int = 0) -> Iterator[Faulty]:
    """A running way to a store, without faults so far."""
    with Faulty(store, seed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ends.set()
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faulty

    def do_GET(self) -> None:
        fate = self.server.fate(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fate in ANSWERS:
            status, code = ANSWERS[fate]
            self._send(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
        elif fate == "silent":
            self.server.ends.wait(60)
            self._break_off()
        elif fate == "broken":
            self._break_off()
        else:
            status, headers, answer = self._passed_on(body)
            if fate == "untold":
                self._break_off()
            else:
                self._send(status, headers, answer, cut=fate == "cut")

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the store answers; of GCS's headers it knows those that S3 has too."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        if generation := self.headers.get("x-goog-if-generation-match"):
            headers.update([self.server.condition(generation)])
        connection = http.client.HTTPConnection(str(self.server.store.netloc), timeout=60)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            told = dict(answer.getheaders())
            if tag := answer.headers.get("ETag"):
                told["x-goog-generation"] = self.server.generation(tag)
            return answer.status, told, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in HOP or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._break_off()

    def _break_off(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
