"""Runs the deployed functions in warm children of a pre-imported host process, as Lambda would.

Never imports the bot: the code comes from the deployed package, the settings from its deployed
configuration, and the time from the sandbox clock.
"""

import json
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from sandbox.clock import Clock, Work
from sandbox.function_host import receive, send, timed_out
from sandbox.host import host

COLD_START_SECONDS = 30


@dataclass(frozen=True)
class Deployed:
    """A function as it was deployed; `environment` is all that its process gets to see."""

    name: str
    arn: str
    handler: str
    code: Path
    environment: tuple[tuple[str, str], ...]
    timeout_seconds: int
    memory_mb: int


@dataclass(frozen=True)
class Invocation:
    """`payload` is JSON: what the handler returned, or Lambda's error object if `error`."""

    function: str
    request_id: str
    payload: bytes
    error: str | None


@dataclass(frozen=True)
class LogLine:
    function: str
    request_id: str
    text: str


class Functions:
    """Invokes deployed functions; one process serves one invocation at a time and stays warm."""

    def __init__(
        self, clock: Clock, work: Work, *, find: Callable[[str], Deployed], isolated: bool = False
    ) -> None:
        self._clock = clock
        self._work = work
        self._find = find
        self._isolated = isolated
        self._lock = threading.Lock()
        self._latest = clock.now()
        self._idle: dict[Deployed, list[_Process]] = {}
        self._busy: set[_Process] = set()
        self._hung_up: set[int] = set()
        self.log: list[LogLine] = []

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="functions-"))
        host(isolated=self._isolated)  # so that it is there when the first function is called

    def close(self) -> None:
        with self._lock:
            processes = [*self._busy, *(p for ps in self._idle.values() for p in ps)]
            self._idle.clear()
        for process in processes:
            process.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def invoke(self, name: str, event: Any) -> Invocation:
        """`name` is the deployed name or ARN; raises LookupError if none is deployed."""
        function = self._find(name)
        request_id = str(uuid.uuid4())
        with self._work.doing(f"function {function.name} {request_id[:8]}"):
            process = self._take(function)
            request = {"event": event, "now": self._now().isoformat(), "request_id": request_id}
            reply = process.ask(request)
            self._saw(reply.get("now"))
            self._keep_log(process, request_id)
            self._give_back(process, alive="fatal" not in reply)
        return _invocation(function, request_id, reply)

    def _now(self) -> datetime:
        """Functions tick while the clock stands; what comes later must not seem to be earlier."""
        with self._lock:
            return max(self._clock.now(), self._latest)

    def _saw(self, now: str | None) -> None:
        with self._lock:
            self._latest = max(self._latest, datetime.fromisoformat(now) if now else self._latest)

    def kill_peer(self, port: int) -> None:
        """Kill the function whose connection comes from this local TCP port.

        Two of its calls may ask for it at once.
        """
        with self._lock:
            busy = list(self._busy)
        for process in busy:
            if port in process.ports():
                process.hold()
                self._hung_up |= process.ports()
                process.kill()
                return
        if port not in self._hung_up:
            raise LookupError(f"no function process has a connection from port {port}")

    def _take(self, function: Deployed) -> "_Process":
        with self._lock:
            idle = self._idle.get(function)
            process = idle.pop() if idle else None
        if process is None:
            log = self._folder / f"{uuid.uuid4()}.log"
            process = _Process(function, host(isolated=self._isolated).fork(), log=log)
        with self._lock:
            self._busy.add(process)
        return process

    def _give_back(self, process: "_Process", *, alive: bool) -> None:
        with self._lock:
            self._busy.discard(process)
            if alive:
                self._idle.setdefault(process.function, []).append(process)
        if not alive:
            process.close()

    def _keep_log(self, process: "_Process", request_id: str) -> None:
        lines = [
            LogLine(process.function.name, request_id, text) for text in process.new_log_lines()
        ]
        with self._lock:
            self.log.extend(lines)


def _invocation(function: Deployed, request_id: str, reply: Mapping[str, Any]) -> Invocation:
    error = reply.get("error")
    if error is None:
        return Invocation(function.name, request_id, json.dumps(reply["result"]).encode(), None)
    summary = f"{error['errorType']}: {error['errorMessage']}"
    return Invocation(function.name, request_id, json.dumps(error).encode(), summary)


class _Process:
    """One child of the host, seen from the parent."""

    def __init__(self, function: Deployed, connection: socket.socket, *, log: Path) -> None:
        self.function = function
        self._log = log.open("w+b")
        self._socket = connection
        self._socket.settimeout(COLD_START_SECONDS)
        self._stream = self._socket.makefile("rwb")
        send(
            self._stream,
            {
                "name": function.name,
                "arn": function.arn,
                "handler": function.handler,
                "code": str(function.code),
                "environment": dict(function.environment),
                "timeout_seconds": function.timeout_seconds,
                "memory_mb": function.memory_mb,
                "log": str(log),
            },
        )
        self._process = psutil.Process(receive(self._stream)["pid"])

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        seconds = self.function.timeout_seconds
        request_id = request["request_id"]
        try:
            self._socket.settimeout(seconds)
            send(self._stream, request)
            return receive(self._stream)
        except TimeoutError:
            return {"error": timed_out(seconds, request_id), "fatal": True}
        except (EOFError, OSError):
            text = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
            error = {"errorType": "Runtime.ExitError", "errorMessage": text}
            return {"error": error, "fatal": True}

    def ports(self) -> set[int]:
        """Those of this machine that it has connections from."""
        try:
            connections = self._process.net_connections("tcp")
        except psutil.NoSuchProcess:
            return set()
        return {c.laddr.port for c in connections if c.laddr}

    def hold(self) -> None:
        """It makes no further connection."""
        with suppress(psutil.NoSuchProcess):
            self._process.suspend()

    def kill(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self._process.kill()

    def close(self) -> None:
        """Once nobody asks it any more; an idle child then ends by itself."""
        self.kill()
        with suppress(OSError):
            self._stream.close()
        self._socket.close()
        self._log.close()

    def new_log_lines(self) -> list[str]:
        return self._log.read().decode(errors="replace").splitlines()
