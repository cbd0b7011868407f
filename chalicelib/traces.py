"""What X-Ray shows of an invocation: subsegments, sent to the daemon beside the function. Never waits, never fails one.

The daemon takes JSON by UDP (X-Ray developer guide, "Sending segment documents to the X-Ray daemon").
AWS's own SDK costs a cold function 100 ms of imports, and its support ends in February 2027.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HEADER = b'{"format": "json", "version": 1}\n'
BEGAN = "unlatch_began"


@dataclass
class Subsegment:
    """One that is open, and the address of the daemon that gets it."""

    name: str
    trace_id: str
    parent_id: str
    daemon: tuple[str, int]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: float = field(default_factory=time.time)
    annotations: dict[str, str] = field(default_factory=dict)

    def send(self, **more: Any) -> None:
        document = {
            "type": "subsegment",
            "name": self.name,
            "id": self.id,
            "trace_id": self.trace_id,
            "parent_id": self.parent_id,
            "start_time": self.began,
            "end_time": time.time(),
            **({"annotations": self.annotations} if self.annotations else {}),
            **more,
        }
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(HEADER + json.dumps(document).encode(), self.daemon)


class _Here:
    """A function's process serves one invocation at a time; its threads hang their calls below it."""

    open: Subsegment | None = None


@contextlib.contextmanager
def subsegment(
    name: str, annotations: Mapping[str, str], trace: Mapping[str, str]
) -> Iterator[None]:
    """Everything within it, where Lambda samples this trace. `trace`: see `config.trace`."""
    here = _Here.open = _opened(name, annotations, trace)
    failed = True
    try:
        yield
        failed = False
    finally:
        _Here.open = None
        if here is not None:
            here.send(**({"fault": True} if failed else {}))


def annotate(**annotations: str) -> None:
    """What the open subsegment is found by in X-Ray's console."""
    if _Here.open is not None:
        _Here.open.annotations.update(annotations)


def watch(client: Any) -> None:
    """Shows each call of this AWS client below the open subsegment."""
    client.meta.events.register("before-call", _begin)
    client.meta.events.register("after-call", _end)
    client.meta.events.register("after-call-error", _end)


def _opened(
    name: str, annotations: Mapping[str, str], trace: Mapping[str, str]
) -> Subsegment | None:
    parts = dict(part.partition("=")[::2] for part in trace.get("header", "").split(";"))
    host, _, port = trace.get("daemon", "").rpartition(":")
    if parts.get("Sampled") != "1" or not parts.get("Root") or not port.isdigit():
        return None
    parent, daemon = parts.get("Parent", ""), (host, int(port))
    return Subsegment(name, parts["Root"], parent, daemon, annotations=dict(annotations))


def _begin(context: dict[str, Any], **_: Any) -> None:
    context[BEGAN] = time.time()


def _end(event_name: str, context: dict[str, Any], **told: Any) -> None:
    """botocore's event is after-call.<service>.<operation>, or after-call-error."""
    here = _Here.open
    if here is None:
        return
    _, service, operation = event_name.split(".", 2)
    reply = told.get("parsed") or {}
    about = reply.get("ResponseMetadata", {})
    failed = "exception" in told or "Error" in reply
    began = context.get(BEGAN, time.time())
    call = Subsegment(service, here.trace_id, here.id, here.daemon, began=began)
    call.send(
        namespace="aws",
        aws={"operation": operation, "request_id": about.get("RequestId", "")},
        **({"error": True} if failed else {}),
    )
