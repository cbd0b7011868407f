"""A server on loopback that answers with exactly these bytes, whole or not, and keeps what it was asked."""

from __future__ import annotations

import json
import socketserver
import threading
from types import TracebackType
from typing import Any, Self


class Wire:
    """`replies` are given one after the other, the last one for ever; then the connection is cut."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        wire = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                path = self.rfile.readline().split()[1].decode()
                headers = {}
                while line := self.rfile.readline().strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", 0)))
                wire.asked.append((path, headers, body))
                reply = wire.replies[0] if len(wire.replies) == 1 else wire.replies.pop(0)
                self.wfile.write(reply)

        return Handler


def reply(body: Any, *, status: int = 200, **headers: str) -> bytes:
    """The bytes of an HTTP reply; a body that is not bytes goes out as JSON, a header "" not at all."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content_Length": str(len(raw)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in told.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + raw
