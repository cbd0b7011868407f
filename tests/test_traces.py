"""Sampled invocations and their AWS calls reach X-Ray's daemon; of all others nothing is loaded or sent."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config

PROJECT = Path(__file__).parents[1]
ROOT, PARENT = "1-65e2f0a0-0123456789abcdef01234567", "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:abc:0"
PROGRAM = """
import contextlib, sys
from functools import partial
import botocore.session
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from chalicelib import config, traces
from chalicelib.aside import beside

client = botocore.session.get_session().create_client(
    "kms", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
with Stubber(client) as stub:
    stub.add_response("list_keys", {"Keys": []})
    stub.add_response("list_grants", {"Grants": []})
    stub.add_client_error("list_aliases", "ThrottlingException")
    with contextlib.suppress(ZeroDivisionError):
        with traces.subsegment("unlatch-dev", {"case_id": "c1"}, config.trace()):
            traces.annotate(act="retire")
            client.list_keys()
            beside(partial(client.list_grants, KeyId="k"))()
            with contextlib.suppress(ClientError):
                client.list_aliases()
            1 / int(sys.argv[1])
traces.annotate(act="late")
print("aws_xray_sdk" in sys.modules)
"""


class Daemon:
    """Takes what X-Ray's daemon would, on a port of its own."""

    def __init__(self, taking: socket.socket) -> None:
        self._taking = taking

    def environ(self, header: str) -> Mapping[str, str]:
        """As Lambda gives it to a function."""
        host, port = self._taking.getsockname()
        return {
            "PATH": os.defpath,
            "LAMBDA_TASK_ROOT": str(PROJECT),
            "AWS_XRAY_DAEMON_ADDRESS": f"{host}:{port}",
            "_X_AMZN_TRACE_ID": header,
        }

    def taken(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            try:
                packet = self._taking.recv(65_536)
            except BlockingIOError:
                return found
            found.append(json.loads(packet.partition(b"\n")[2]))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking:
        taking.bind(("127.0.0.1", 0))
        taking.setblocking(False)
        yield Daemon(taking)


def invoke(environ: Mapping[str, str], *, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "0" if fails else "1"],
        cwd=PROJECT, env=dict(environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_an_invocation_and_its_calls_hang_below_lambdas_own_segment(daemon: Daemon) -> None:
    assert invoke(daemon.environ(SAMPLED)) == "True"
    *calls, whole = daemon.taken()
    good, bad, aside = sorted(calls, key=lambda call: call["aws"]["operation"] == "ListGrants")
    assert (whole["trace_id"], whole["parent_id"], whole["type"]) == (ROOT, PARENT, "subsegment")
    assert whole["annotations"] == {"case_id": "c1", "act": "retire"}
    assert {good["parent_id"], bad["parent_id"]} == {whole["id"]}
    assert (good["name"], good["aws"]["operation"]) == ("kms", "ListKeys")
    assert (bad["name"], bad["aws"]["operation"]) == ("kms", "ListAliases")
    assert "ThrottlingException" in bad["cause"]["exceptions"][0]["message"]
    assert (aside["trace_id"], aside["aws"]["operation"]) == (ROOT, "ListGrants")
    assert not whole.get("fault")


def test_a_failure_shows(daemon: Daemon) -> None:
    invoke(daemon.environ(SAMPLED), fails=True)
    assert daemon.taken()[-1]["fault"]


@pytest.mark.parametrize("header", ["", "Root=1-2-3", SAMPLED.replace("Sampled=1", "Sampled=0")])
def test_what_is_not_sampled_loads_and_sends_nothing(daemon: Daemon, header: str) -> None:
    assert invoke(daemon.environ(header)) == "False"
    assert daemon.taken() == []


def test_no_daemon_is_no_trouble(daemon: Daemon) -> None:
    invoke({**daemon.environ(SAMPLED), "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:1"})


def test_lambda_says_where_the_trace_stands() -> None:
    assert config.trace({"_X_AMZN_TRACE_ID": SAMPLED}) == SAMPLED
    assert config.trace({}) == ""
