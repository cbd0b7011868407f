"""The page's server serves its own page on this machine, and nobody else's."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from sandbox.page.server import DemoServer
from sandbox.page.show import Show
from sandbox.page.stories import SHIPPED

ACT = {"act": "dismiss", "ts": "1", "as": "alice"}
OURS = {"Content-Type": "application/json", "X-Unlatch-Page": "1"}


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """With a show that never starts: no sandbox is needed to be refused."""
    served = DemoServer(Show(SHIPPED), 0)
    served.start()
    yield served
    served.stop()


def ask(
    server: DemoServer, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    said = answer.status, answer.read().decode(), answer.msg
    connection.close()
    return said


def post(server: DemoServer, **headers: str) -> int:
    ours = {name.replace("-", "_"): value for name, value in OURS.items()}
    return ask(server, "POST", "/acts", json.dumps(ACT), **{**ours, **headers})[0]


def test_its_own_page_may_act(server: DemoServer) -> None:
    assert post(server) == 200
    assert post(server, Origin=server.url) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Content_Type": "text/plain"},
    ],
)
def test_anybody_else_is_refused(server: DemoServer, headers: dict[str, str]) -> None:
    assert post(server, **headers) == 403


def test_a_form_of_another_page_is_refused(server: DemoServer) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert ask(server, "POST", "/acts", json.dumps(ACT), **form)[0] == 403
    assert ask(server, "POST", "/acts", json.dumps(ACT), Content_Type="application/json")[0] == 403


def test_a_rebound_name_gets_no_page(server: DemoServer) -> None:
    assert ask(server, "GET", "/", Host=f"evil.example:{server.port}")[0] == 403


@pytest.mark.parametrize("body", ["", "[]", "7", '{"as": "alice"}', '{"act": "fly", "as": "eve"}'])
def test_nonsense_is_answered(server: DemoServer, body: str) -> None:
    ours = {name.replace("-", "_"): value for name, value in OURS.items()}
    status, said, _ = ask(server, "POST", "/acts", body, **ours)
    assert status in (400, 409)
    assert json.loads(said)["error"]


def test_the_page_loads_from_its_own_server_only(server: DemoServer) -> None:
    status, page, headers = ask(server, "GET", "/")
    assert status == 200
    assert "Starting the sandbox" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    for name in ("base.css", "slack.css", "world.css", "phone.css", "page.js", "dialog.js"):
        assert ask(server, "GET", f"/static/{name}")[0] == 200
    assert ask(server, "GET", "/static/../server.py")[0] == 404
    assert ask(server, "GET", "/static/%2e%2e/server.py")[0] == 404
