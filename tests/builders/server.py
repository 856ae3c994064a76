"""A web server on this machine, whose files and moods a test sets, and which keeps count."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by path. `asked` has the requests so far, `authorized` who asked.

    `etags` says whether versions are told; `cut` after how many bytes a download breaks off, or
    waits while `waits` is not set; `refused` which methods are forbidden; `moved` where else
    paths are.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.authorized: set[str | None] = set()
        self.etags = True
        self.cut: int | None = None
        self.refused: set[str] = set()
        self.moved: dict[str, str] = {}
        self.waits = threading.Event()
        self.waits.set()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def downloads(self) -> int:
        """How often a file was sent; asking an API is none."""
        return sum(each.startswith("GET") and "/api/" not in each for each in self.asked)


@contextmanager
def serving() -> Iterator[Server]:
    """A running server."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.authorized.add(self.headers["Authorization"])
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path in self.server.moved:
            self.send_response(302)
            self.send_header("Location", self.server.moved[url.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.command in self.server.refused:
            self._send(403, b"")
        elif "list-type" in query:
            self._send(200, self._listing(unquote(url.path), query))
        else:
            paths = (unquote(self.path), unquote(url.path))
            found = [self.server.files[path] for path in paths if path in self.server.files]
            self._send(*(200, found[0]) if found else (404, b""))

    def _listing(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        """What S3 answers to ListObjectsV2."""
        root = f"{bucket.rstrip('/')}/"
        prefix = query.get("prefix", [""])[0]
        keys = [path.removeprefix(root) for path in self.server.files if path.startswith(root)]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>1</Size>"
            "<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in sorted(keys)
            if key.startswith(prefix)
        )
        listing = f"<IsTruncated>false</IsTruncated>{contents}"
        return f"<ListBucketResult>{listing}</ListBucketResult>".encode()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.server.etags and status == 200:
            self.send_header("ETag", f'"{hash(body)}"')
            self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
            # As the Hugging Face hub does; the folders tell the revision.
            revision = hashlib.sha1(self.path.partition("/data/")[0].encode()).hexdigest()
            self.send_header("X-Repo-Commit", revision)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: self.server.cut])
            self.wfile.flush()
            self.server.waits.wait(60)
            self.close_connection = self.server.cut is not None
