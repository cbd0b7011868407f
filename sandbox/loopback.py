"""HTTP on this machine's loopback, and nowhere else: requests in, answers out, threads under it."""

import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

LONGEST_BODY = 10_000_000
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; `peer_port` tells whose process sent it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer_port: int

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What goes back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Reply | None]


def require_loopback(host: str) -> None:
    """Raises ValueError for any host that is not this machine."""
    if host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError(f"the sandbox stays on this machine, {host} is not on it")


def stop_serving(server: TCPServer) -> None:
    """Return once `serve_forever` has, without waiting for its next look whether it shall stop."""
    with suppress(OSError):  # where this wakes nobody, as on macOS, that look comes soon
        server.socket.shutdown(socket.SHUT_RDWR)
    server.shutdown()


class LoopbackServer:
    """Serves `answer` on a free port. An answer of None closes the connection without a word."""

    def __init__(self, answer: Answer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        require_loopback(host)
        self._http = _Threads((host, port), answer)
        self.port: int = self._http.server_port
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="loopback"
        )
        self._thread.daemon = True

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            stop_serving(self._http)
            self._thread.join()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: "_Threads"

    def log_message(self, *_: object) -> None:
        """Says nothing: what happened is in the records."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LONGEST_BODY:
            self._send(Reply(body=b"", status=413))
            return
        body = self.rfile.read(length)
        reply = self._reply_to(body) if self._asks_for_us() else Reply(body=b"", status=403)
        if reply is not None:
            self._send(reply)

    def _reply_to(self, body: bytes) -> Reply | None:
        target = urlsplit(self.path)
        return self.server.answer(
            Request(
                method=self.command,
                path=target.path,
                query=target.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                peer_port=self.client_address[1],
            )
        )

    def _asks_for_us(self) -> bool:
        """A web page that rebinds its own name to 127.0.0.1 still sends that name here."""
        name, _, port = self.headers.get("host", "").rpartition(":")
        return name in LOCAL_NAMES and port == str(self.server.server_port)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that was killed leaves a broken connection; that is meant and no error.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
