"""The sandbox's servers: this machine's own names alone, and connections that drop on purpose."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from sandbox.loopback import LoopbackServer, answering, require_loopback


def answer(request: Request) -> Response | None:
    return None if request.path == "/gone" else Response(request.get_data())


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    serving = LoopbackServer(answering(answer))
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def connection(server: LoopbackServer) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    yield opened
    opened.close()


def test_a_body_comes_through_and_the_connection_stays(
    connection: http.client.HTTPConnection,
) -> None:
    for said in (b"one", b"two"):
        connection.request("POST", "/", said)
        assert connection.getresponse().read() == said


def test_no_answer_closes_the_connection(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/gone")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:80"])
def test_other_names_are_turned_away(connection: http.client.HTTPConnection, host: str) -> None:
    connection.request("POST", "/", headers={"Host": host})
    assert connection.getresponse().status == 403


def test_an_oversized_body_is_refused(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/", headers={"Content-Length": "999999999"})
    assert connection.getresponse().status == 413


def test_a_port_that_is_taken_is_an_error(server: LoopbackServer) -> None:
    with pytest.raises(OSError, match="in use"):
        LoopbackServer(answering(answer), port=server.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "hooks.example.com"])
def test_it_binds_to_this_machine_alone(host: str) -> None:
    with pytest.raises(ValueError, match="is not on it"):
        LoopbackServer(answering(answer), host=host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_has_three_names(host: str) -> None:
    require_loopback(host)
