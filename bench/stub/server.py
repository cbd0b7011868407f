"""AWS's JSON services, Lambda's invoke and Slack's Web API on a loopback port, for programs in other processes."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from bench.stub.answers import Answers


@dataclass(frozen=True)
class Seen:
    """One request, from its arrival to its answer."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Latency:
    """Seconds that a call takes."""

    aws: float = 0
    slack: float = 0


class StubServer:
    """A context manager. `answers` may be changed between programs; `invoked` holds Lambda payloads,

    `seen` every request since somebody emptied it.
    """

    def __init__(self, answers: Answers, latency: Latency = Latency()) -> None:  # frozen
        self.answers, self.latency = answers, latency
        self.invoked: list[dict[str, Any]] = []
        self.seen: list[Seen] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, target: str | None, body: bytes) -> tuple[int, dict[str, Any]]:
        """After the latency of whoever is asked."""
        start = time.monotonic()
        is_aws = bool(target) or "/functions/" in path
        method = path.rpartition("/")[2]
        if target:
            found = self.answers.aws(target, body)
        elif is_aws:
            self.invoked.append(json.loads(body))
            found = 202, {}
        else:
            found = 200, self.answers.slack(method)
        due = start + (self.latency.aws if is_aws else self.latency.slack)
        time.sleep(max(due - time.monotonic(), 0))
        name = target.rpartition(".")[2] if target else "Invoke" if is_aws else method
        self.seen.append(Seen(name, start, time.monotonic()))
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(stub: StubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._reply(*stub.answer(self.path, self.headers.get("X-Amz-Target"), body))

        def _reply(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """A benchmark's output is its figures."""

    return Handler
