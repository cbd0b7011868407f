"""The sandbox's AWS as one HTTP server in this process: moto with the extension before it.

Never reaches a real AWS, and listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import os
from functools import cache

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.http import http_date

from sandbox.aws import moto_setup
from sandbox.aws.cloud import Cloud
from sandbox.aws.middleware import Middleware
from sandbox.aws.patches import Patches
from sandbox.clock import Clock
from sandbox.loopback import LoopbackServer, QuietHandler


class AwsServer(Cloud):
    """One sandbox's AWS, served from `start` to `stop`."""

    url = ""
    port = 0
    _wire: Middleware | None = None
    _server: LoopbackServer | None = None
    _seams = Patches()

    def start(self, port: int = 0) -> None:
        """Listen, on any free port unless told; from then on `url` and `port` hold, and moto knows.

        Raises OSError for a port that is taken.
        """
        self._wire = Middleware(self, _moto())
        handler = type("Handler", (_Handler,), {"clock": self.clock})
        self._server = LoopbackServer(self._wire, port=port, handler=handler)
        self._seams = moto_setup.prepare(self.clock)
        self.port, self.url = self._server.port, self._server.url
        os.environ["MOTO_PORT"] = str(self.port)  # where moto's interpreter calls AWS
        self._server.start()

    def stop(self) -> None:
        """Stop listening; stopping twice is harmless."""
        if self._server is None or self._wire is None:
            return
        self._wire.stopped.set()
        self._server.stop()
        self._server = None
        self._seams.close()


@cache
def _moto() -> DomainDispatcherApplication:
    """One for all sandboxes, since it makes an application of each service and keeps no state."""
    return DomainDispatcherApplication(create_backend_app)


class _Handler(QuietHandler, MotoRequestHandler):
    """Dates replies by the sandbox clock."""

    clock: Clock

    def date_time_string(self, timestamp: float | None = None) -> str:
        return http_date(self.clock.now() if timestamp is None else timestamp)
