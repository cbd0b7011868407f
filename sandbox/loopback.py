"""HTTP on this machine's loopback, and nowhere else. Serves no name but this machine's own."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST_BODY = 10_000_000
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
POLL_SECONDS = 0.05  # how often a server looks whether it shall stop, if nothing wakes it
WAITING_CALLERS = 128

Answer = Callable[[Request], Response | None]


class HungUpError(ConnectionError):
    """The connection closes without a reply; werkzeug takes it for a lost client."""


def broken_off(body: bytes) -> Iterator[bytes]:
    """The body of a reply whose connection closes after these bytes, whatever the headers promise."""
    yield body
    raise HungUpError


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


def peer_port(request: Request) -> int:
    """Tells whose process sent it."""
    return int(request.environ["REMOTE_PORT"])


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=WAITING_CALLERS)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"Port {port} can't be had ({why}). Say another with --port") from error


class LoopbackServer:
    """Serves an application from `start` to `stop`. Port 0 takes any free one.

    Raises OSError for a port that is taken.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        handler: type[QuietHandler] | None = None,
    ) -> None:
        require_loopback(host)
        # werkzeug ends the process if it can't bind, so it gets a socket that is bound
        with _listening(host, port) as listening:
            self.port: int = listening.getsockname()[1]
            self.url = f"http://{host}:{self.port}"
            self._http = make_server(
                host,
                self.port,
                _for_us(application, self.port),
                threaded=True,
                request_handler=handler or QuietHandler,
                fd=listening.fileno(),
            )
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(POLL_SECONDS,), name="loopback", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            with suppress(OSError):  # if this wakes nobody, as on macOS, the next look comes soon
                self._http.socket.shutdown(socket.SHUT_RDWR)
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()


def _for_us(application: WSGIApplication, port: int) -> WSGIApplication:
    """A web page that rebinds its own name to 127.0.0.1 still sends that name here."""
    ours = frozenset(f"{name}:{port}" for name in LOCAL_NAMES)

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") in ours:
            return application(environ, start_response)
        refused = Forbidden("This is served to this machine only.")
        return refused(environ, start_response)

    return guarded


def answering(answer: Answer) -> WSGIApplication:
    """An answer of None closes the connection without a word."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = request.max_form_memory_size = LONGEST_BODY
        try:
            response = answer(request)
        except HTTPException as refused:
            return refused(environ, start_response)
        if response is None:
            raise HungUpError
        return response(environ, start_response)

    return application


class QuietHandler(WSGIRequestHandler):
    """Says nothing on the console: what happened is in the records."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""

    def connection_dropped(self, *_: Any) -> None:
        """Close at once: after a hang-up no further request comes on this connection."""
        self.close_connection = True
