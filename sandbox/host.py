"""Starts the processes that functions and Chalice are forked from: each kind once for all sandboxes.

Starting one takes half a second, and it knows no sandbox: what belongs to one is told to the fork.
"""

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.function_host import PROJECT, receive, send

_HOSTS: dict[bool, "Host"] = {}
_LOCK = threading.Lock()


class Host:
    """One such process; it ends with this one, whatever happens."""

    def __init__(self, *, isolated: bool) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            told = str(theirs.fileno())
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-u", "-m", "sandbox.function_host", told),
                    *(["isolated"] if isolated else []),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=PROJECT,
                env={"PATH": os.defpath},
            )
        atexit.register(self.close)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def fork(self) -> socket.socket:
        """A new child, which waits to be told on this connection what it is."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        return ours

    def close(self) -> None:
        self._control.close()
        with self._process:
            self._process.kill()


def host(*, isolated: bool = False) -> Host:
    """The one of this kind. An `isolated` one finds no library but Lambda's own."""
    with _LOCK:
        if isolated not in _HOSTS or not _HOSTS[isolated].is_alive:
            _HOSTS[isolated] = Host(isolated=isolated)
        return _HOSTS[isolated]


def run_chalice(
    arguments: Sequence[str], *, project: Path, environment: Mapping[str, str], log: Path
) -> int:
    """Chalice's command line in a child of the host; its exit status, and in `log` what it said."""
    log.touch()
    with host().fork() as connection, connection.makefile("rwb") as stream:
        order = {"chalice": [*arguments], "code": str(project), "log": str(log)}
        send(stream, {**order, "environment": dict(environment)})
        status: int = receive(stream)["status"]
        return status
