"""In-process transport for botocore clients: JSON answers after a set latency, within AWS's quotas. No network."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse

Answer = Callable[[str, bytes], tuple[int, dict[str, Any] | bytes]]
"""`answer(target, body)`: the status and the JSON of one call."""


class Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


class Quotas:
    """AWS's own limits: a call beyond its rate within the last second is refused."""

    def __init__(self, rates: Mapping[str, int]) -> None:
        self._rates = rates
        self._seen: dict[str, deque[float]] = {name: deque() for name in rates}
        self._lock = threading.Lock()
        self.refused = 0

    def allows(self, operation: str) -> bool:
        if operation not in self._rates:
            return True
        with self._lock:
            now, seen = time.monotonic(), self._seen[operation]
            while seen and now - seen[0] >= 1:
                seen.popleft()
            if len(seen) >= self._rates[operation]:
                self.refused += 1
                return False
            seen.append(now)
            return True


class Transport:
    """Registered on a client, it answers in the network's place."""

    def __init__(self, answer: Answer, *, latency: float, quotas: Quotas | None = None) -> None:
        self._answer, self._latency = answer, latency
        self.quotas = quotas or Quotas({})
        self.calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def attach(self, client: Any) -> Any:
        client.meta.events.register("before-send", self.send)
        return client

    def send(self, **sent: Any) -> Any:
        request = sent["request"]
        target = request.headers["X-Amz-Target"]
        target = target if isinstance(target, str) else target.decode()
        operation = target.rpartition(".")[2]
        with self._lock:
            self.calls[operation] = self.calls.get(operation, 0) + 1
        due = time.monotonic() + self._latency
        status, body = 400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
        if self.quotas.allows(operation):
            status, found = self._answer(target, bytes(request.body or b"{}"))
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
        if self._latency:
            time.sleep(max(due - time.monotonic(), 0))
        headers: Any = {"x-amzn-RequestId": "1", "Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, status, headers, Raw(body))
