"""The map from a server on this machine: structures come when they are looked at, so that millions of points fit."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from nucleate.errors import UserError
from nucleate.explorer.atlas import Atlas
from nucleate.explorer.page.html import page_html
from nucleate.explorer.page.payload import Payload, Structures

HOST = "127.0.0.1"
MAX_ROWS = 100_000
"""Most structures of one request."""


def serve(atlas: Atlas, *, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serves the map to this machine alone until it is interrupted.

    Args:
        atlas: what to show.
        port: to listen at; 0 lets the system choose one.
        on_ready: told the address once it answers.

    Raises:
        UserError: the port is taken.
    """
    with make_server(atlas, port=port) as server:
        if on_ready is not None:
            on_ready(f"http://{HOST}:{server.server_address[1]}/")
        server.serve_forever()


def make_server(atlas: Atlas, *, port: int) -> ThreadingHTTPServer:
    """A server that is bound and does not answer yet; port 0 lets the system choose one.

    Raises:
        UserError: the port is taken.
    """
    payload = Payload.of(atlas)
    try:
        server = _Server((HOST, port), _Handler)
    except (OSError, OverflowError) as error:
        raise UserError(f"cannot listen at port {port}: {getattr(error, 'strerror', None) or error}") from error
    server.payload = payload
    server.page = gzip.compress(page_html(_with_columns(payload)).encode(), 5)
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    payload: Payload
    page: bytes


class _Handler(BaseHTTPRequestHandler):
    """Answers for the page, for a column of all points, and for the structures of some rows."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The page, or one column."""
        if not self._is_local():
            return self._send(HTTPStatus.FORBIDDEN)
        path = self.path.partition("?")[0]
        if path == "/":
            kind = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}
            return self._send(HTTPStatus.OK, self.server.page, kind)
        column = self.server.payload.columns.get(path.removeprefix("/columns/"))
        if column is None:
            return self._send(HTTPStatus.NOT_FOUND)
        return self._send(HTTPStatus.OK, column.tobytes())

    def do_POST(self) -> None:
        """Structures of the rows in the body, which are four bytes each."""
        length = int(self.headers.get("Content-Length", 0))
        if not self._is_local() or length > 4 * MAX_ROWS or length % 4:
            self.close_connection = True
            return self._send(HTTPStatus.BAD_REQUEST)
        rows = np.frombuffer(self.rfile.read(length), dtype="<u4").astype(np.int64)
        structures = self._structures()
        if structures is None or (len(rows) and int(rows.max()) >= len(structures.counts)):
            return self._send(HTTPStatus.NOT_FOUND)
        return self._send(HTTPStatus.OK, b"".join(part.tobytes() for part in structures.rows(rows)))

    def _structures(self) -> Structures | None:
        payload = self.server.payload
        return {"/crystals": payload.crystals, "/references": payload.references}.get(self.path)

    def _is_local(self) -> bool:
        """Whether the address asked for is this machine's: a page from elsewhere cannot borrow the browser."""
        return self.headers.get("Host", "").rpartition(":")[0] in {HOST, "localhost"}

    def _send(self, status: HTTPStatus, body: bytes = b"", kind: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (kind or {"Content-Type": "application/octet-stream"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: the terminal is the verb's."""


def _with_columns(payload: Payload) -> dict[str, Any]:
    return {**payload.header, "columns": {name: values.dtype.str[1:] for name, values in payload.columns.items()}}
