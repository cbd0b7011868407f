"""The sandbox's AWS as one HTTP server in this process: moto with the extension before it.

Never reaches a real AWS, and listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.http import http_date
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.aws import cloudhsm, kms, moto_setup
from sandbox.aws.calls import Call, Visit
from sandbox.aws.cloudhsm import CloudHsm
from sandbox.aws.cloudtrail import Trail
from sandbox.aws.ec2 import NetworkInterfaces
from sandbox.aws.faults import Faults
from sandbox.aws.iam.guard import Guard
from sandbox.aws.identity import Identities, Identity
from sandbox.aws.kms import DeletedKey, Kms
from sandbox.aws.metrics import Metrics
from sandbox.aws.regions import Regions
from sandbox.aws.seams import Seams
from sandbox.aws.sts import Sts
from sandbox.aws.wire import Wire
from sandbox.clock import Clock
from sandbox.loopback import WAITING_CALLERS, stop_serving

if TYPE_CHECKING:
    from sandbox.aws.world import Seeded

POLL_SECONDS = 0.02  # how often the server looks whether it shall stop
HOST = "127.0.0.1"
HUB = "111122223333"
Answer = Callable[[Visit], dict[str, Any] | None]
Deny = Callable[[Identity, str, str, dict[str, Any]], str | None]


class AwsServer:
    """One sandbox's AWS. A process can have one at a time, since moto's state is the process's."""

    guard: Guard | None = None  # without one, IAM lets everybody do everything

    def __init__(
        self, clock: Clock, *, blocked_by: str, is_bot: Callable[[str], bool], hub: str = HUB
    ) -> None:
        """`is_bot` is asked with a caller's role ARN, or its own ARN where it has no role."""
        self.clock = clock
        self.is_bot = is_bot
        self.calls: list[Call] = []
        self.faults = Faults(clock)
        self.identity = Identities(clock, hub=hub)
        self.regions = Regions(clock, blocked_by=blocked_by)
        self.trail = Trail()
        self.kms = Kms(self.regions)
        self.kill: Callable[[int], None] = lambda _: None
        self.deny: Deny | None = None
        self.services: dict[str, Answer] = {
            "kms": self.kms.answer,
            "cloudhsm": CloudHsm(self.regions).answer,
            "cloudwatch": Metrics(self.regions).answer,
            "ec2": NetworkInterfaces(self.regions).answer,
            "sts": Sts(self.identity).answer,
            "cloudtrail": self._cloudtrail,
        }
        self.seeded: Seeded | None = None
        self.url = ""
        self.port = 0
        self._deleted: list[DeletedKey] = []
        self._timed: set[datetime] = set()
        self._seams = Seams()
        self._http: BaseWSGIServer | None = None
        self._wire: Wire | None = None

    @property
    def on_record(self) -> list[Callable[[dict[str, Any]], None]]:
        """Called with each EventBridge event of a write, a failed call or a key's deletion."""
        return self.trail.listeners

    def start(self, port: int = 0) -> None:
        """Listen, on any free port unless told; from then on `url` and `port` hold, and moto knows.

        Raises OSError for a port that is taken.
        """
        # werkzeug ends the process if it can't bind, so it gets a socket that is bound
        with socket.create_server((HOST, port), backlog=WAITING_CALLERS) as listening:
            self._listen(listening)

    def _listen(self, listening: socket.socket) -> None:
        self._seams = moto_setup.prepare(self.clock)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._wire = Wire(self, _moto())
        handler = type("Handler", (_Handler,), {"clock": self.clock})
        self.port = listening.getsockname()[1]
        self._http = make_server(
            HOST,
            self.port,
            self._wire,
            threaded=True,
            request_handler=handler,
            fd=listening.fileno(),
        )
        self.url = f"http://{HOST}:{self.port}"
        os.environ["MOTO_PORT"] = str(self.port)  # where moto's interpreter calls AWS
        serve = partial(self._http.serve_forever, poll_interval=POLL_SECONDS)
        threading.Thread(target=serve, daemon=True, name="aws").start()

    def stop(self) -> None:
        """Stop listening; stopping twice is harmless."""
        if self._http is None or self._wire is None:
            return
        self._wire.stopped.set()
        stop_serving(self._http)
        self._http.server_close()
        self._http = None
        self._seams.close()

    def forget(self) -> None:
        """Begin anew with an empty world and no records."""
        self.regions.forget()
        self.trail.forget()

    def settle(self, account: str, region: str) -> None:
        """Bring a Region up to now. Hold the regions' lock, and call tell_deletions after it."""
        place, now = self.regions.at(account, region), self.clock.now()
        self._deleted += kms.settle(place, now)
        cloudhsm.settle(place, now)

    def await_deletions(self, account: str, region: str) -> None:
        """Have the clock call when keys of a Region go, so that their events come in time."""
        for when in set(self.regions.at(account, region).doomed.values()) - self._timed:
            self._timed.add(when)
            self.clock.call_at(when, self.catch_up, name="kms: keys whose window ends")

    def catch_up(self) -> None:
        """Bring all Regions up to now, and tell what KMS deleted."""
        with self.regions.lock:
            for place in self.regions:
                self.settle(place.account, place.name)
        self.tell_deletions()

    def tell_deletions(self) -> None:
        with self.regions.lock:
            gone, self._deleted = self._deleted, []
        for account, region, arn, at, material_deleted in gone:
            self.trail.add_key_deletion(
                account, region, key_arn=arn, at=at, material_deleted=material_deleted
            )

    def _cloudtrail(self, visit: Visit) -> dict[str, Any] | None:
        return self.trail.lookup(visit) if visit.request.operation == "LookupEvents" else None


@cache
def _moto() -> DomainDispatcherApplication:
    """One for all sandboxes, since it makes an application of each service and keeps no state."""
    return DomainDispatcherApplication(create_backend_app)


class _Handler(MotoRequestHandler):
    """Says nothing on the console, and dates replies by the sandbox clock."""

    clock: Clock

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the calls are remembered."""

    def connection_dropped(self, *_: Any) -> None:
        """Close at once: after a hang-up no further request comes on this connection."""
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        return http_date(self.clock.now() if timestamp is None else timestamp)
