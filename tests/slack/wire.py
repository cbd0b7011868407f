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
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.001,))

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


POSTED = {"ok": True, "ts": "1.1", "channel": "C1"}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

TORN: dict[str, bytes] = {
    "nothing at all": b"",
    "a cut status line": b"HTTP/1.",
    "headers only": b"HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n",
    "a body cut in the middle": reply(POSTED)[:-9],
    "a whole object of an announced longer body": reply(POSTED, Content_Length="400"),
    "less than the body is announced": reply(POSTED, Content_Length="3"),
    "no length and a cut body": reply(POSTED, Content_Length="")[:-9],
    "a length that is no number": reply(POSTED, Content_Length="many"),
    "a cut chunk": CHUNKED + b"40\r\n" + b'{"ok":true,"ts":"1.1"}',
    "a chunk without the last one": CHUNKED + b"16\r\n" + b'{"ok":true,"ts":"1.1"}\r\n',
    "a chunk size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "an empty body": reply(b""),
    "HTML": reply(b"<html>Sorry</html>", Content_Type="text/html"),
    "HTML of a proxy": reply(b"<html>Bad gateway</html>", status=502),
    "a list": reply([{"ok": True}]),
    "a word": reply("ok"),
    "a number": reply(1),
    "null": reply(None),
    "no ok": reply({"ts": "1.1"}),
    "an ok that is no yes": reply({"ok": "true", "ts": "1.1"}),
    "an error without a word": reply({"ok": False}),
    "an error that is an object": reply({"ok": False, "error": {"code": 1}}),
    "what belongs to it is missing": reply({"ok": True}),
    "what belongs to it is odd": reply({"ok": True, "ts": 11}),
    "what belongs to it is empty": reply({"ok": True, "ts": ""}),
    "ok beside a server error": reply(POSTED, status=500),
    "no text": reply(b"\xff\xfe\xfa"),
    "a very deep list": reply(b"[" * 100_000),
    "a mark before the object": reply(b"\xef\xbb\xbf" + json.dumps(POSTED).encode()),
    "another encoding": reply(json.dumps(POSTED).encode("utf-16")),
    "a list beside a refusal": reply([{"ok": False}], status=403),
    "too much": reply(b" " * 20_000_001),
    "gzip": reply(b"\x1f\x8b\x08\x00", Content_Type="application/gzip"),
    "a redirect": reply(b"", status=302, Location="http://127.0.0.1:9/stolen"),
    "no change": reply(b"", status=304),
}
"""Each is no answer to chat.postMessage, nor to anything else."""
