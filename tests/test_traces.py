"""Traces reach the daemon beside the function, one subsegment an invocation and one an AWS call; or nobody."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from chalicelib import config, traces

ROOT, PARENT = "1-65e2f0a0-0123456789abcdef01234567", "53995c3f42cd8ad8"
HEADER = f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:abc:0"


class Daemon:
    """Takes what the daemon would, on a port of its own."""

    def __init__(self, taking: socket.socket) -> None:
        self._taking = taking
        host, port = taking.getsockname()
        self.trace = {"header": HEADER, "daemon": f"{host}:{port}"}

    def taken(self) -> list[dict[str, Any]]:
        found = []
        while True:
            try:
                packet = self._taking.recv(65_536)
            except BlockingIOError:
                return found
            header, _, body = packet.partition(b"\n")
            assert json.loads(header) == {"format": "json", "version": 1}
            found.append(json.loads(body))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking:
        taking.bind(("127.0.0.1", 0))
        taking.setblocking(False)
        yield Daemon(taking)


@pytest.fixture
def kms() -> Iterator[tuple[Any, Stubber]]:
    session = botocore.session.get_session()
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = session.create_client("kms", region_name="us-east-1", **keys)
    traces.watch(client)
    with Stubber(client) as stub:
        yield client, stub


def test_an_invocation_hangs_below_lambdas_own_segment(daemon: Daemon) -> None:
    with traces.subsegment("unlatch-dev", {"case_id": "c1"}, daemon.trace):
        traces.annotate(act="retire")
    (document,) = daemon.taken()
    assert document["type"] == "subsegment"
    assert (document["trace_id"], document["parent_id"]) == (ROOT, PARENT)
    assert document["name"] == "unlatch-dev"
    assert document["annotations"] == {"case_id": "c1", "act": "retire"}
    assert document["start_time"] <= document["end_time"]
    assert len(document["id"]) == 16
    assert "fault" not in document


def test_its_aws_calls_hang_below_it(daemon: Daemon, kms: tuple[Any, Stubber]) -> None:
    client, stub = kms
    about = {"ResponseMetadata": {"RequestId": "r1", "HTTPStatusCode": 200}}
    stub.add_response("list_keys", {"Keys": [], **about})
    stub.add_client_error("list_aliases", "ThrottlingException")
    with traces.subsegment("unlatch-dev", {}, daemon.trace):
        client.list_keys()
        with pytest.raises(ClientError):
            client.list_aliases()
    good, bad, whole = daemon.taken()
    assert good["aws"] == {"operation": "ListKeys", "request_id": "r1"}
    assert (good["name"], good["namespace"]) == ("kms", "aws")
    assert {good["parent_id"], bad["parent_id"]} == {whole["id"]}
    assert bad["error"]
    assert "error" not in good


def test_a_failure_shows(daemon: Daemon) -> None:
    with pytest.raises(ZeroDivisionError), traces.subsegment("unlatch-dev", {}, daemon.trace):
        _ = 1 / 0
    assert daemon.taken()[0]["fault"]


@pytest.mark.parametrize(
    "header", ["", "Root=1-2-3", HEADER.replace("Sampled=1", "Sampled=0"), "Sampled=1;=;x"]
)
def test_what_is_not_sampled_is_not_sent(
    daemon: Daemon, kms: tuple[Any, Stubber], header: str
) -> None:
    client, stub = kms
    stub.add_response("list_keys", {"Keys": []})
    with traces.subsegment("unlatch-dev", {}, {**daemon.trace, "header": header}):
        traces.annotate(case_id="c1")
        client.list_keys()
    assert daemon.taken() == []


def test_no_daemon_is_no_trouble() -> None:
    for address in ("", "nowhere", "127.0.0.1:1"):
        with traces.subsegment("unlatch-dev", {}, {"header": HEADER, "daemon": address}):
            pass


def test_a_call_outside_an_invocation_is_not_shown(kms: tuple[Any, Stubber]) -> None:
    client, stub = kms
    stub.add_response("list_keys", {"Keys": []})
    assert client.list_keys()["Keys"] == []


def test_lambda_says_where_the_trace_goes() -> None:
    given = {"_X_AMZN_TRACE_ID": HEADER, "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000"}
    assert config.trace(given) == {"header": HEADER, "daemon": "169.254.100.1:2000"}
    assert config.trace({"_X_AMZN_TRACE_ID": HEADER}) == {}
    assert config.trace({}) == {}
