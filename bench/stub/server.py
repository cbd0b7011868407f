"""AWS's JSON services, Lambda's invoke and Slack's Web API on a loopback port, for programs in other processes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from bench.stub.answers import Answers


class StubServer:
    """A context manager. `answers` may be changed between programs; `invoked` holds Lambda payloads."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.invoked: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(stub: StubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.headers.get("X-Amz-Target")
            if target:
                self._reply(*stub.answers.aws(target, body))
            elif "/functions/" in self.path:
                stub.invoked.append(json.loads(body))
                self._reply(202, {})
            else:
                method = self.path.rpartition("/")[2]
                self._reply(200, stub.answers.slack(method))

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
