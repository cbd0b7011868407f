"""`unlatch doctor --live` on the sandbox: as assumed, and with each assumption broken in turn."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.probing.assumptions import ASSUMPTIONS, Probe
from sandbox.aws.seed import seed
from sandbox.stack import Sandbox
from tests.ops.office import HUB, REGION, Office, Said, log_in

pytestmark = pytest.mark.slow  # it deploys the whole bot

OF_THE_PAST = (
    "A-BACKUPS-OUTLIVE",
    "A-MODIFY-KEEPS-MATERIAL",
    "A-LOSS-RECORD",
    "A-FAILING-USE-RECORD",
    "A-SILENT-FAILURE",
)
LIVE = [one.id for one in ASSUMPTIONS if Probe.LIVE in one.probes]


class Live:
    """Runs the doctor while the sandbox’s time passes in its pauses."""

    def __init__(self, sandbox: Sandbox, office: Office, folder: Path) -> None:
        self.sandbox, self.office, self.folder = sandbox, office, folder

    def doctor(self, *more: str) -> Said:
        return self.office.run("doctor", "--live", "--report", str(self.folder), *more)

    def doctor_denied(self, wanted: str) -> Said:
        """While nobody may make this call, be it of one service or of any."""

        def deny(_who: Any, service: str, operation: str, _params: Any) -> str | None:
            return "not allowed" if wanted in (operation, f"{service}:{operation}") else None

        self.sandbox.aws.deny = deny
        try:
            return self.doctor()
        finally:
            self.sandbox.aws.deny = None

    def report(self) -> dict[str, Any]:
        said = self.doctor("--json")
        assert said.out.startswith("{"), said.err
        told: dict[str, Any] = json.loads(Path(said.json["report"]).read_text())
        return told

    def verdicts(self) -> dict[str, str]:
        return {one["id"]: one["verdict"] for one in self.report()["observations"]}


@pytest.fixture
def live(sandbox: Sandbox, deployed: Office, tmp_path: Path) -> Live:
    deployed.pause = lambda seconds: sandbox.advance(timedelta(seconds=seconds))
    return Live(sandbox, deployed, tmp_path)


def test_all_is_well_and_as_assumed(live: Live) -> None:
    said = live.doctor()
    assert said.code == 0, said.out + said.err
    for word in ("event", "seal", "slack message", "pattern on_probe", f"reads {HUB}"):
        assert f"ok      {word}" in said.out
    assert live.sandbox.slack.messages == [], "the message deleted itself"
    verdicts = live.verdicts()
    # In this world nothing has been lost, or has failed, and no HSMs have changed their type.
    assert {name: verdicts[name] for name in LIVE} == {
        name: "not tried" if name in OF_THE_PAST else "held" for name in LIVE
    }


PLAIN_KNOBS = [
    name for name in LIVE if name not in ("A-SSO-SESSION", "A-SLACK-BLOCKS", *OF_THE_PAST)
]


@pytest.mark.matrix
@pytest.mark.parametrize("name", PLAIN_KNOBS)
def test_where_aws_differs_the_report_says_so_and_of_nothing_else(live: Live, name: str) -> None:
    differs = live.sandbox.aws.regions.differs
    differs.add(name)
    try:
        verdicts = live.verdicts()
    finally:
        differs.clear()
    assert [one for one, verdict in verdicts.items() if verdict == "differs"] == [name]


def test_a_session_of_identity_center_without_an_address(live: Live) -> None:
    role = "AWSReservedSSO_Admin_0123456789abcdef"
    log_in(live.office, live.sandbox, arn=f"arn:aws:sts::{HUB}:assumed-role/{role}/olga")
    try:
        assert live.verdicts()["A-SSO-SESSION"] == "differs"
        log_in(live.office, live.sandbox, arn=f"arn:aws:sts::{HUB}:assumed-role/ops/olga")
        assert live.verdicts()["A-SSO-SESSION"] == "not tried"
    finally:
        log_in(live.office, live.sandbox)


def test_a_slack_without_the_newer_blocks(live: Live) -> None:
    live.sandbox.aws.faults.add(
        call="slack:chat.postMessage", kind="error", code="invalid_blocks", nth=1
    )
    assert live.verdicts()["A-SLACK-BLOCKS"] == "differs"
    assert live.sandbox.slack.messages == [], "the plain one was posted and deleted"


GONE, OLD_STORE = "cluster-gggggggggga", "cks-0000000000000000a"


@pytest.mark.parametrize(("differs", "verdict"), [(False, "held"), (True, "differs")])
def test_backups_of_clusters_that_are_gone(live: Live, verdict: str, *, differs: bool) -> None:
    sandbox, last = live.sandbox, "b" if differs else "c"
    cluster, store = f"{GONE[:-1]}{last}", f"{OLD_STORE[:-1]}{last}"
    world = {
        "clusters": [{"id": cluster, "hsms": 0, "backups": [{"age": "2h"}]}],
        "key_stores": [
            {"id": store, "cluster": cluster, "state": "DISCONNECTED", "connected_at": "20d"}
        ],
    }
    seed(sandbox.aws, world, accounts=sandbox.accounts, now=sandbox.clock.now())
    if differs:
        sandbox.aws.regions.differs.add("A-BACKUPS-OUTLIVE")
        sandbox.aws.regions.at(HUB, REGION).backups.clear()
    sandbox.client("kms", account=HUB, region=REGION).delete_custom_key_store(
        CustomKeyStoreId=store
    )
    sandbox.client("cloudhsmv2", account=HUB, region=REGION).delete_cluster(ClusterId=cluster)
    sandbox.advance(timedelta(minutes=5))
    try:
        assert live.verdicts()["A-BACKUPS-OUTLIVE"] == verdict
    finally:
        sandbox.aws.regions.differs.clear()


@pytest.mark.parametrize(("differs", "verdict"), [(False, "held"), (True, "differs")])
def test_keys_that_went_while_the_hsms_changed_their_type(
    live: Live, verdict: str, *, differs: bool
) -> None:
    sandbox, last = live.sandbox, "e" if differs else "d"
    cluster, store = f"{GONE[:-1]}{last}", f"{OLD_STORE[:-1]}{last}"
    key = {"store": store, "state": "PendingDeletion", "deletes_in": "10m"}
    world = {
        "clusters": [{"id": cluster, "hsms": 2, "hsm_type": "hsm1.medium"}],
        "key_stores": [{"id": store, "cluster": cluster, "state": "CONNECTED"}],
        "keys": [key],
    }
    if differs:
        sandbox.aws.regions.differs.add("A-MODIFY-KEEPS-MATERIAL")
        sandbox.aws.trail.forget()
    seed(sandbox.aws, world, accounts=sandbox.accounts, now=sandbox.clock.now())
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    hsms.modify_cluster(ClusterId=cluster, HsmType="hsm2m.medium")
    sandbox.advance(timedelta(minutes=11))
    sandbox.aws.catch_up()
    try:
        assert live.verdicts()["A-MODIFY-KEEPS-MATERIAL"] == verdict
    finally:
        sandbox.aws.regions.differs.clear()


LOST, OFF = "cluster-ggggggggggf", "cks-0000000000000000f"


@pytest.mark.parametrize("differs", [False, True])
def test_what_records_of_losses_and_failing_uses_tell(live: Live, *, differs: bool) -> None:
    sandbox, last = live.sandbox, "a" if differs else "b"
    names = ("A-LOSS-RECORD", "A-FAILING-USE-RECORD")
    cluster, store = f"{LOST[:-1]}{last}", f"{OFF[:-1]}{last}"
    world = {
        "clusters": [{"id": cluster, "hsms": 0}, {"id": f"{cluster[:-2]}z{last}", "hsms": 2}],
        "key_stores": [{"id": store, "cluster": f"{cluster[:-2]}z{last}", "state": "DISCONNECTED"}],
        "keys": [{"store": store, "aliases": [f"alias/off-{last}"]}],
    }
    seed(sandbox.aws, world, accounts=sandbox.accounts, now=sandbox.clock.now())
    sandbox.aws.trail.forget()
    if differs:
        sandbox.aws.regions.differs.update(names)
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    hsms.delete_cluster(ClusterId=cluster)
    with pytest.raises(ClientError):
        sandbox.client("kms", account=HUB, region=REGION).encrypt(
            KeyId=f"alias/off-{last}", Plaintext=b"x"
        )
    try:
        verdicts = live.verdicts()
    finally:
        sandbox.aws.regions.differs.clear()
        sandbox.aws.trail.forget()
    assert [verdicts[name] for name in names] == ["differs" if differs else "held"] * 2


def test_quotas_of_which_aws_says_nothing_are_not_tried(live: Live) -> None:
    said = live.doctor_denied("ListServiceQuotas")
    assert f"unknown quotas {REGION}" in said.out
    assert "held    A-LAST-USAGE-RATE" not in said.out


def test_no_name_of_an_account_or_a_person_is_in_the_files(live: Live) -> None:
    live.doctor()
    for file in live.folder.iterdir():
        text = file.read_text()
        for word in (HUB, "olga", "AKIA", "ASIA", "198.51.100.7"):
            assert word not in text, file.name
    (markdown,) = live.folder.glob("*.md")
    assert '"accountId": "account-1"' in markdown.read_text()


def test_who_may_not_delete_clusters_is_told_what_is_needed(live: Live) -> None:
    said = live.doctor_denied("cloudhsm:DeleteCluster")
    assert "unknown event" in said.out
    assert "cluster/cluster-unlatchLiveProbe" in said.out


def test_without_a_trail_nothing_is_said_of_lateness(live: Live) -> None:
    trails = live.sandbox.client("cloudtrail", account=HUB, region=REGION)
    trails.stop_logging(Name="all")
    live.sandbox.aws.regions.differs.add("A-EVENT-IN-15-MINUTES")
    try:
        report = live.report()
    finally:
        live.sandbox.aws.regions.differs.clear()
        trails.start_logging(Name="all")
    said = {one["id"]: one for one in report["observations"]}
    assert said["A-EVENT-IN-15-MINUTES"]["says"] == "because no trail logs what Unlatch needs"


def test_reality_reads_the_report(live: Live) -> None:
    live.sandbox.aws.regions.differs.add("A-CODE-IN-FULL")
    try:
        path = live.doctor("--json").json["report"]
    finally:
        live.sandbox.aws.regions.differs.clear()
    said = live.office.run("reality", path)
    assert said.code == 1
    assert "assumed: CloudTrail writes CloudHSM's error codes in full" in said.out
    assert "set ERROR_CODES=" in said.out
    assert live.office.run("reality", path, "--json").json["differs"].count("A-CODE-IN-FULL") == 1


def test_what_may_not_be_seen_is_said_and_the_rest_is_looked_at(live: Live) -> None:
    said = live.doctor_denied("ListMetrics")
    assert f"unknown metrics {REGION}" in said.out
    for name in ("A-TRACKING-AGE", "A-KMS-INTERFACES", "A-EVENT-IN-15-MINUTES"):
        assert f"held    {name}" in said.out
