"""Serves the demo page on this machine's loopback, to its own page and to nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from sandbox.loopback import LoopbackServer, answering
from sandbox.page import acts
from sandbox.page.show import Show
from sandbox.page.view import page, regions

STATIC = Path(__file__).parent / "static"
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


class DemoServer(LoopbackServer):
    """Serves this show. Port 0 takes any free one."""

    def __init__(self, show: Show, port: int) -> None:
        self._show = show
        super().__init__(answering(self._answer), port=port)

    def _answer(self, request: Request) -> Response:
        try:
            answer = self._act(request) if request.method == "POST" else self._shown(request)
        except HTTPException as error:
            answer = Response(str(error), error.code)
        answer.headers.update(HEADERS)
        return answer

    def _shown(self, request: Request) -> Response:
        person = self._person(request)
        if request.path == "/":
            return Response(page(self._show, person), mimetype="text/html")
        if request.path == "/events":
            return Response(_events(self._show, person), mimetype="text/event-stream")
        folder, _, name = request.path.lstrip("/").partition("/")
        if folder != "static":
            raise NotFound
        return send_from_directory(STATIC, name, request.environ)

    def _act(self, request: Request) -> Response:
        """An act. Refused unless this very page sends it."""
        if not self._comes_from_us(request):
            return _said(403, {"error": "Only this demo's own page may do that."})
        try:
            asked = _asked(request)
            return _said(200, acts.perform(self._show, str(asked.pop("as", "")), asked))
        except ValueError:
            return _said(400, {"error": "This is no act."})
        except acts.ActRefused as refused:
            return _said(409, {"error": str(refused)})

    def _comes_from_us(self, request: Request) -> bool:
        is_ours = request.headers.get("Origin", request.host_url[:-1]) == request.host_url[:-1]
        return is_ours and request.is_json and PAGE_HEADER in request.headers

    def _person(self, request: Request) -> str:
        """Whoever the page says that it acts as, if the story has them; else its first."""
        people = self._show.scenario.people
        asked = request.args.get("as", "")
        return asked if asked in people else next(iter(people))


def _asked(request: Request) -> dict[str, Any]:
    """Raises ValueError for anything that the page does not send."""
    asked = json.loads(request.get_data()) if (request.content_length or 0) <= LONGEST_BODY else 0
    if not isinstance(asked, dict):
        raise ValueError("an act is an object")  # noqa: TRY004 - of JSON, not of Python
    return asked


def _said(status: int, said: dict[str, Any]) -> Response:
    return Response(json.dumps(said), status, mimetype="application/json")


def _events(show: Show, person: str) -> Iterator[str]:
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
            yield f"data: {json.dumps(news)}\n\n"
        elif quiet % BEATS == 0:
            yield ": still here\n\n"
