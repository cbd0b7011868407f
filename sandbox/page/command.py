"""`demo`: serves the page until it is interrupted. Prints the URL at once; the sandbox follows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from sandbox.page.server import DemoServer
from sandbox.page.show import Show
from sandbox.page.stories import stories
from sandbox.scenario.document import UnusableError

UNUSABLE = 2
USUAL_PORT = 8722


def serve(
    scenario: Path | None,
    *,
    port: int | None,
    out: TextIO,
    err: TextIO,
    show_page: Callable[[str], object] = lambda _: None,
) -> int:
    """The exit code: 2 for a scenario that can't be used or a port that can't be had."""
    try:
        show = Show(stories(scenario))
        server = _server(show, port)
    except (UnusableError, OSError, OverflowError) as error:
        err.write(f"{error}\n")
        return UNUSABLE
    out.write(f"The demo is at {server.url}/ (Ctrl-C ends it)\n")
    out.flush()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    show.start()
    show_page(f"{server.url}/")
    ended.wait()
    out.write("\nEnding the sandbox.\n")
    out.flush()
    show.close()
    server.stop()
    return 0


def _server(show: Show, port: int | None) -> DemoServer:
    """On the port asked for; else on the usual one, or any that is free."""
    if port is not None:
        return DemoServer(show, port)
    try:
        return DemoServer(show, USUAL_PORT)
    except OSError:
        return DemoServer(show, 0)
