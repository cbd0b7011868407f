"""`unlatch rehearse` in another account and Region than the hub’s, with a profile of that account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.aws.seed import seed
from sandbox.stack import Sandbox
from tests.ops.office import HUB, REGION, START, Office
from tests.ops.rehearsing import Rehearsal
from tests.ops.two_accounts import AWAY, OTHER, wide_office

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it deploys the whole bot

THERE = ("--account", OTHER, "--region", AWAY, "--account-profile", "there")
OLGA = f"arn:aws:sts::{OTHER}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/olga@example.com"
CLUSTER, STORE = "cluster-bbbbbbbbbbb", "cks-bbbbbbbbbbbbbbbbb"
OF_HUB = "cluster-aaaaaaaaaaa"
WORLD = {
    "clusters": [
        {"id": OF_HUB, "hsms": 2},
        {"id": CLUSTER, "hsms": 2, "account": OTHER, "region": AWAY, "backups": [{"age": "2h"}]},
    ],
    "key_stores": [{"id": STORE, "cluster": CLUSTER, "state": "CONNECTED"}],
    "keys": [{"store": STORE, "aliases": ["alias/payments"], "last_used": "never"}],
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Office]]:
    folder = tmp_path_factory.mktemp("project")
    with wide_office(folder) as (sandbox, office):
        seed(sandbox.aws, WORLD, accounts=sandbox.accounts, now=START)
        given = sandbox.aws.identity.register(OTHER, OLGA, deployment=True)
        profiles = folder / "profiles"
        profiles.write_text(
            f"[there]\naws_access_key_id = {given.access_key_id}\n"
            f"aws_secret_access_key = {given.secret_access_key}\n"
            f"aws_session_token = {given.session_token}\n"
        )
        office.env(AWS_SHARED_CREDENTIALS_FILE=str(profiles))
        yield sandbox, office


@pytest.fixture
def rehearsal(both: tuple[Sandbox, Office], tmp_path: Path) -> Rehearsal:
    return Rehearsal(*both, tmp_path, place=(OTHER, AWAY))


def clusters(rehearsal: Rehearsal, account: str, region: str) -> list[str]:
    hsms = rehearsal.sandbox.client("cloudhsmv2", account=account, region=region)
    return [one["ClusterId"] for one in hsms.describe_clusters()["Clusters"]]


def test_from_nothing_to_nothing_there(rehearsal: Rehearsal) -> None:
    ec2 = rehearsal.sandbox.client("ec2", account=OTHER, region=AWAY)
    subnets = ",".join(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2])
    rehearsal.clicks = [("alice", "retire"), ("bob", "retire")]
    said = rehearsal.rehearse(*THERE, "--subnets", subnets, typing=OTHER)
    assert said.code == 0, said.out + said.err
    assert f"Rehearsal in account {OTHER}, {AWAY}" in said.out
    assert f"of hsm2m.medium in {AWAY}" in said.out, "what is known of its price is said"
    assert "The case is retired" in said.out
    assert clusters(rehearsal, OTHER, AWAY) == [CLUSTER]
    assert clusters(rehearsal, HUB, REGION) == [OF_HUB]
    made = [c for c in rehearsal.sandbox.aws.calls if c.operation in ("CreateCluster", "CreateHsm")]
    assert {(c.account, c.region) for c in made} == {(OTHER, AWAY)}
    assert rehearsal.verdicts()["A-FAILED-DELETE-RECORD"] == "held"


def test_the_credentials_have_to_be_of_that_account(rehearsal: Rehearsal) -> None:
    said = rehearsal.rehearse("--account", OTHER, "--region", AWAY, "--subnets", "subnet-1")
    assert f"Your credentials are for account {HUB}, not {OTHER}" in said.err
    assert "--account-profile" in said.err


def test_a_store_there_is_parked_and_put_back(rehearsal: Rehearsal) -> None:
    rehearsal.clicks, rehearsal.fields = (
        [("alice", "park"), ("bob", "undo")],
        {"cluster_id": CLUSTER},
    )
    rehearsal.ready = lambda button, text: button != "undo" or text.startswith("Parked")
    said = rehearsal.rehearse(*THERE, "--key-store", STORE, typing=STORE)
    assert said.code == 0, said.out + said.err
    assert rehearsal.sandbox.aws.regions.at(OTHER, AWAY).stores[STORE].phase.state == "CONNECTED"
    assert rehearsal.verdicts()["A-STORE-BLOCKS"] == "held"


def test_the_log_of_a_real_case_tells_of_aws(rehearsal: Rehearsal, tmp_path: Path) -> None:
    (case,) = (
        one["case_id"]
        for one in rehearsal.office.run("cases", "--all", "--json").json
        if CLUSTER in json.dumps(one)
    )
    log = tmp_path / "case.jsonl"
    log.write_text(rehearsal.office.run("audit", "export", case).out)
    said = rehearsal.office.run("reality", str(log))
    assert said.code == 0, said.err
    assert re.search(r"^held +A-STORE-BLOCKS", said.out, re.MULTILINE)
    assert "not tried  A-OTHER-PASSWORD" in said.out


def test_a_place_that_is_not_served_is_refused_in_words(rehearsal: Rehearsal) -> None:
    where = ("--account", OTHER, "--region", "us-west-2", "--account-profile", "there")
    said = rehearsal.rehearse(*where, "--key-store", STORE)
    assert said.code == 6
    assert f"Unlatch does not serve {OTHER} us-west-2" in said.err
