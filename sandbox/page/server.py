"""Serves the demo page on this machine's loopback, to its own page and to nobody else's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.page import acts
from sandbox.page.shell import page
from sandbox.page.show import Show
from sandbox.page.view import regions

HOST = "127.0.0.1"
NAMES = frozenset({"127.0.0.1", "localhost"})
STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LONGEST_BODY = 100_000
BREATH_SECONDS = 0.1  # changes that come together are shown together
LOOK_SECONDS = 1.0
BEATS = 15  # looks without news until the stream shows that it lives
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PAGE_HEADER = "X-Unlatch-Page"
"""A page of another origin can't send this without asking first, and is answered no."""


class DemoServer(ThreadingHTTPServer):
    """Holds the show that it serves. Port 0 takes any free one."""

    daemon_threads = True

    def __init__(self, show: Show, port: int) -> None:
        self.show = show
        super().__init__((HOST, port), _Handler)
        self.url = f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        # a browser that closes a tab breaks its stream; that is no error
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer

    def log_message(self, *_: object) -> None:
        """Says nothing: the page shows what happened."""

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        if not self._asks_for_us():
            self._send(403, "text/plain", b"This page is served to this machine only.")
        elif target.path == "/":
            person = self._person(target.query)
            shown = page(self.server.show, person, regions(self.server.show, person))
            self._send(200, "text/html", shown.encode())
        elif target.path == "/events":
            self._stream(self._person(target.query))
        else:
            self._static(target.path)

    def do_POST(self) -> None:
        """An act. Refused unless this very page sends it."""
        if not (self._asks_for_us() and self._comes_from_us()):
            self._answer(403, {"error": "Only this demo's own page may do that."})
            return
        try:
            user, asked = self._asked()
            self._answer(200, acts.perform(self.server.show, user, asked))
        except ValueError:
            self._answer(400, {"error": "This is no act."})
        except acts.Refused as refused:
            self._answer(409, {"error": str(refused)})

    def _asked(self) -> tuple[str, dict[str, Any]]:
        """Who acts, and the act. Raises ValueError for anything that the page does not send."""
        length = int(self.headers.get("Content-Length") or 0)
        asked = json.loads(self.rfile.read(length)) if 0 < length <= LONGEST_BODY else None
        if not isinstance(asked, dict):
            raise ValueError("an act is an object")  # noqa: TRY004 - of JSON, not of Python
        return str(asked.pop("as", "")), asked

    def _asks_for_us(self) -> bool:
        """A web page that rebinds its own name to 127.0.0.1 still sends that name here."""
        name, _, port = self.headers.get("Host", "").rpartition(":")
        return name in NAMES and port == str(self.server.server_port)

    def _comes_from_us(self) -> bool:
        ours = {f"http://{name}:{self.server.server_port}" for name in NAMES}
        origin = self.headers.get("Origin")
        json_body = self.headers.get("Content-Type", "").startswith("application/json")
        return json_body and PAGE_HEADER in self.headers and (origin is None or origin in ours)

    def _person(self, query: str) -> str:
        """Whoever the page says that it acts as, if the story has them; else its first."""
        people = self.server.show.scenario.people
        asked = parse_qs(query).get("as", [""])[0]
        return asked if asked in people else next(iter(people))

    def _static(self, path: str) -> None:
        files = {f"/static/{file.name}": file for file in STATIC.iterdir()}
        file = files.get(path)
        if file is None:
            self._send(404, "text/plain", b"not found")
        else:
            self._send(200, TYPES[file.suffix], file.read_bytes())

    def _stream(self, person: str) -> None:
        self.send_response(200)
        self._send_headers({**HEADERS, "Content-Type": "text/event-stream"})
        for event in _events(self.server.show, person):
            self.wfile.write(event)
            self.wfile.flush()

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(said).encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        kind = f"{content_type}; charset=utf-8"
        self._send_headers({**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _send_headers(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _events(show: Show, person: str) -> Iterator[bytes]:
    """The regions that have changed since the last look, as server-sent events."""
    sent: dict[str, str] = {}
    version, quiet = -1, 0
    while not show.closing:
        version = show.wait(version, LOOK_SECONDS)
        show.pause(BREATH_SECONDS)
        now = {"story": show.story.name, **regions(show, person)}
        news = {name: html for name, html in now.items() if sent.get(name) != html}
        sent, quiet = now, 0 if news else quiet + 1
        if news:
            yield f"data: {json.dumps(news)}\n\n".encode()
        elif quiet % BEATS == 0:
            yield b": still here\n\n"
