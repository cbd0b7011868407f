"""`unlatch doctor --live` if other accounts and Regions are served: each has its own call and forwarder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from chalicelib.config import PROBER_ROLE
from sandbox.aws.callers import client
from sandbox.aws.identity import Credentials
from sandbox.stack import Sandbox
from tests.ops.office import HUB, OPERATOR, REGION, Office, log_in
from tests.ops.two_accounts import AWAY, OTHER, PLACES, wide_office

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it deploys the whole bot

RULE = "unlatch-dev-live-probes"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Office]]:
    with wide_office(tmp_path_factory.mktemp("project")) as made:
        yield made


@pytest.fixture
def sandbox(both: tuple[Sandbox, Office]) -> Sandbox:
    return both[0]


@pytest.fixture
def office(both: tuple[Sandbox, Office]) -> Office:
    return both[1]


def test_an_event_comes_from_each_place_through_its_own_forwarder(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = len(sandbox.aws.calls)
    said = office.run("doctor", "--live", "--json", "--report", str(tmp_path))
    told = {one["name"]: one for one in said.json["checks"]}
    wanted = ("event", f"event {AWAY}", f"event {OTHER} {REGION}", f"event {OTHER} {AWAY}")
    for name in wanted:
        assert name in told, [(n, told[n]["says"]) for n in told if told[n]["ok"] is not True]
        assert told[name]["ok"], told[name]
    made = [c for c in sandbox.aws.calls[before:] if c.operation == "DeleteCluster"]
    assert sorted((c.account, c.region) for c in made) == sorted(PLACES)
    (path,) = tmp_path.glob("*.json")
    took = [one["what"] for one in json.loads(path.read_text())["durations"]]
    assert "an event, from the call to the bot" in took
    assert f"an event from account-2 {AWAY}, from the call to the bot" in took


def test_a_place_whose_rule_is_gone_is_named_and_no_other(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    events = sandbox.client("events", account=OTHER, region=AWAY)
    events.disable_rule(Name=RULE)
    try:
        said = office.run("doctor", "--live", "--report", str(tmp_path))
    finally:
        events.enable_rule(Name=RULE)
    wrong = [line for line in said.out.splitlines() if line.startswith("WRONG") and "event" in line]
    assert len(wrong) == 1
    assert f"event {OTHER} {AWAY}" in wrong[0]
    assert "CloudTrail there has the record" in wrong[0]
    assert re.search(rf"^{OTHER}  {REGION}  after \d+ s$", said.out, re.MULTILINE)
    assert re.search(rf"^{OTHER}  {AWAY}  did not come$", said.out, re.MULTILINE)
    assert "held    A-EVENT-IN-15-MINUTES" in said.out, "the hub’s own event came"


def test_an_operator_who_may_not_call_it_takes_the_role_in_the_hub_too(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    def deny(who: Any, service: str, operation: str, params: dict[str, Any]) -> str | None:
        is_operator = operation == "DeleteCluster" and PROBER_ROLE not in who.role
        return "not allowed" if is_operator else None

    sandbox.aws.deny = deny
    try:
        said = office.run("doctor", "--live", "--json", "--report", str(tmp_path))
    finally:
        sandbox.aws.deny = None
    assert {one["name"]: one for one in said.json["checks"]}["event"]["ok"]


def test_what_the_reader_may_not_there_is_named(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    def deny(who: Any, service: str, operation: str, params: dict[str, Any]) -> str | None:
        return "scp" if (who.account, operation) == (OTHER, "ListAliases") else None

    sandbox.aws.deny = deny
    try:
        said = office.run("doctor", "--live", "--json", "--report", str(tmp_path))
    finally:
        sandbox.aws.deny = None
    told = {one["name"]: one for one in said.json["checks"]}
    assert told[f"reads {HUB}"]["ok"]
    denied = f"the reader may not kms:list_aliases in {REGION}, kms:list_aliases in {AWAY}"
    assert told[f"reads {OTHER}"]["says"] == denied


def taken(sandbox: Sandbox, who: str) -> Credentials:
    """A session of the prober role in the other account."""
    issued = sandbox.aws.identity.register(HUB, who)
    sts: Any = client(sandbox.aws_url, "sts", issued, region=REGION)
    reply = sts.assume_role(
        RoleArn=f"arn:aws:iam::{OTHER}:role/{PROBER_ROLE}", RoleSessionName="olga"
    )["Credentials"]
    return Credentials(reply["AccessKeyId"], reply["SecretAccessKey"], reply["SessionToken"])


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def test_the_role_may_make_this_one_call_and_nothing_else(sandbox: Sandbox) -> None:
    given = taken(sandbox, OPERATOR)
    hsms: Any = client(sandbox.aws_url, "cloudhsmv2", given, region=REGION)
    assert code(hsms.delete_cluster, ClusterId=PROBE_CLUSTER) == "CloudHsmResourceNotFoundException"
    assert "AccessDenied" in code(hsms.delete_cluster, ClusterId="cluster-2a3b4c5d6e7")
    assert "AccessDenied" in code(hsms.describe_clusters)
    kms: Any = client(sandbox.aws_url, "kms", given, region=REGION)
    assert "AccessDenied" in code(kms.list_keys)
    west: Any = client(sandbox.aws_url, "cloudhsmv2", given, region="us-west-2")
    assert "AccessDenied" in code(west.delete_cluster, ClusterId=PROBE_CLUSTER)


def test_nobody_but_the_operator_may_take_the_role(sandbox: Sandbox) -> None:
    for who in (
        f"arn:aws:sts::{HUB}:assumed-role/developers/dan",
        f"arn:aws:sts::{HUB}:assumed-role/unlatch-dev-turn/unlatch-dev-turn",
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            taken(sandbox, who)


def test_who_may_not_take_the_role_is_told_what_makes_it(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    log_in(office, sandbox, arn=f"arn:aws:sts::{HUB}:assumed-role/developers/dan")
    try:
        said = office.run("doctor", "--live", "--report", str(tmp_path), "--json")
    finally:
        log_in(office, sandbox)
    told = {one["name"]: one for one in said.json["checks"]}[f"event {OTHER} {REGION}"]
    assert told["ok"] is None
    assert "OperatorArn" in told["do"]
