"""`unlatch rehearse --key-store` parks a throwaway store on the sandbox, and people put it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.probing.assumptions import ASSUMPTIONS, Probe
from ops.probing.there import TAG
from sandbox.stack import Sandbox
from tests.ops.office import CLUSTER, HUB, REGION, STORE, Office
from tests.ops.rehearsing import Rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it deploys the whole bot

PROBED = [one.id for one in ASSUMPTIONS if Probe.KEY_STORE in one.probes]
OF_COPY = [one.id for one in ASSUMPTIONS if Probe.COPY in one.probes]
AND_BACK = [("alice", "park"), ("bob", "undo")]


@pytest.fixture
def rehearsal(sandbox: Sandbox, deployed: Office, tmp_path: Path) -> Rehearsal:
    made = Rehearsal(sandbox, deployed, tmp_path)
    forget_rehearsed_keys(sandbox)
    made.clicks = list(AND_BACK)
    before = len(sandbox.aws.calls)

    def ready(button: str, text: str) -> bool:
        if button == "undo":
            return text.startswith("Parked")
        return any(c.operation == "DeleteCustomKeyStore" for c in sandbox.aws.calls[before:])

    made.ready = ready
    return made


def forget_rehearsed_keys(sandbox: Sandbox) -> None:
    """As if the week were over in which the last rehearsal’s key waits."""
    kms = sandbox.client("kms", account=HUB, region=REGION)
    for key in kms.list_keys()["Keys"]:
        tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
        if TAG in {tag["TagKey"] for tag in tags}:
            if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion":
                kms.cancel_key_deletion(KeyId=key["KeyId"])
            kms.untag_resource(KeyId=key["KeyId"], TagKeys=[TAG])


def test_a_store_whose_keys_wait_is_not_rehearsed_on(rehearsal: Rehearsal) -> None:
    kms = rehearsal.sandbox.client("kms", account=HUB, region=REGION)
    key = kms.create_key(
        Origin="AWS_CLOUDHSM", CustomKeyStoreId=STORE, Tags=[{"TagKey": TAG, "TagValue": "x"}]
    )["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    said = rehearsal.rehearse("--key-store", STORE, "--yes", STORE)
    assert said.code == 6
    assert "waits for its deletion until" in said.err


def state(rehearsal: Rehearsal) -> str:
    return str(rehearsal.sandbox.aws.regions.at(HUB, REGION).stores[STORE].phase.state)


def test_parked_and_back(rehearsal: Rehearsal) -> None:
    said = rehearsal.rehearse("--key-store", STORE, typing=STORE)
    assert said.code == 0, said.out + said.err
    assert " will be off for about 46 min" in said.out
    assert "A key was made, scheduled and cancelled: it is Disabled" in said.out
    verdicts = rehearsal.verdicts()
    assert {name: verdicts[name] for name in PROBED} == dict.fromkeys(PROBED, "held")
    took = {one["what"] for one in rehearsal.report()["durations"]}
    assert {"disconnecting a key store", "connecting a key store", "making an HSM"} <= took
    assert state(rehearsal) == "CONNECTED"
    assert "Cleaning up: key" in said.out


def backups(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    hsms = rehearsal.sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    return list(hsms.describe_backups()["Backups"])


def clusters(rehearsal: Rehearsal) -> list[str]:
    hsms = rehearsal.sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    return [one["ClusterId"] for one in hsms.describe_clusters()["Clusters"]]


def test_a_backup_becomes_a_cluster_and_goes_again(rehearsal: Rehearsal) -> None:
    said = rehearsal.rehearse("--key-store", STORE, "--copy", typing=STORE)
    assert said.code == 0, said.out + said.err
    assert "Then a cluster is made from a backup, with one HSM, and removed. That costs up to" in (
        said.out
    )
    verdicts = rehearsal.verdicts()
    wanted = [*PROBED, *OF_COPY]
    assert {name: verdicts[name] for name in wanted} == dict.fromkeys(wanted, "held")
    assert rehearsal.report()["probe"] == "unlatch rehearse --key-store --copy"
    assert clusters(rehearsal) == [CLUSTER]
    left = backups(rehearsal)
    assert {one["ClusterId"] for one in left if one["BackupState"] == "READY"} == {CLUSTER}
    assert not [one for one in left if TAG in {tag["Key"] for tag in one["TagList"]}]


@pytest.mark.matrix
@pytest.mark.parametrize("name", OF_COPY)
def test_where_aws_differs_in_copies_the_report_says_so(rehearsal: Rehearsal, name: str) -> None:
    differs = rehearsal.sandbox.aws.regions.differs
    differs.add(name)
    try:
        said = rehearsal.rehearse("--key-store", STORE, "--copy", "--yes", STORE)
    finally:
        differs.clear()
    assert rehearsal.differing() == [name], said.out + said.err
    assert clusters(rehearsal) == [CLUSTER]


def test_an_interrupt_while_a_backup_is_deleted_brings_it_back(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.aws.regions.differs.add("A-RESTORE-AT-ONCE")  # so that there is time for it

    def due() -> bool:
        mine = (one for one in backups(rehearsal) if one["ClusterId"] == CLUSTER)
        return any(one["BackupState"] == "PENDING_DELETION" for one in mine)

    rehearsal.interrupt = due
    try:
        said = rehearsal.rehearse("--key-store", STORE, "--yes", STORE)
    finally:
        rehearsal.sandbox.aws.regions.differs.clear()
    assert said.code == 130, said.out + said.err
    assert "is taken back" in said.out
    rehearsal.sandbox.advance(timedelta(minutes=10))
    mine = [one for one in backups(rehearsal) if one["ClusterId"] == CLUSTER]
    assert {one["BackupState"] for one in mine} == {"READY"}
    assert not [one for one in mine if TAG in {tag["Key"] for tag in one["TagList"]}]


def test_an_interrupt_while_a_copy_is_made_leaves_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.interrupt = lambda: len(clusters(rehearsal)) > 1
    said = rehearsal.rehearse("--key-store", STORE, "--copy", "--yes", STORE)
    assert said.code == 130, said.out + said.err
    assert clusters(rehearsal) == [CLUSTER]


def test_who_may_not_delete_backups_finds_out_the_rest(rehearsal: Rehearsal) -> None:
    def deny(who: Any, service: str, operation: str, params: dict[str, Any]) -> str | None:
        return "guarded" if operation == "DeleteBackup" else None

    rehearsal.sandbox.aws.deny = deny
    try:
        said = rehearsal.rehearse("--key-store", STORE, "--yes", STORE)
    finally:
        rehearsal.sandbox.aws.deny = None
    assert said.code == 0, said.out + said.err
    verdicts = rehearsal.verdicts()
    assert verdicts.pop("A-RESTORE-AT-ONCE") == "not tried"
    rest = [name for name in PROBED if name in verdicts]
    assert {name: verdicts[name] for name in rest} == dict.fromkeys(rest, "held")
    assert not [one for one in backups(rehearsal) if TAG in {tag["Key"] for tag in one["TagList"]}]


def test_a_copy_needs_a_store(rehearsal: Rehearsal) -> None:
    said = rehearsal.rehearse("--clean", "--copy")
    assert said.code == 2
    assert "--copy belongs to --key-store" in said.err


@pytest.mark.matrix
@pytest.mark.parametrize("name", [n for n in PROBED if n != "A-KMS-SESSIONS-END"])
def test_where_aws_differs_the_report_says_so(rehearsal: Rehearsal, name: str) -> None:
    differs = rehearsal.sandbox.aws.regions.differs
    differs.add(name)
    try:
        rehearsal.rehearse("--key-store", STORE, "--yes", STORE, "--hours", "8")
    finally:
        differs.clear()
        rehearsal.sandbox.advance(timedelta(hours=2))
    # Who answers first and whether a store blocks at all look the same with HSMs in the cluster.
    pair = {"A-STORE-BLOCKS", "A-ORDER-OF-CHECKS"}
    assert set(rehearsal.differing()) == (pair if name in pair else {name})


def test_who_is_left_with_a_parked_store_is_told_the_way_back(rehearsal: Rehearsal) -> None:
    rehearsal.clicks = [("alice", "park")]
    said = rehearsal.rehearse("--key-store", STORE, "--yes", STORE, "--hours", "1")
    assert said.code == 3
    assert f"{STORE} is DISCONNECTED: press Undo on its case in Slack" in said.err
    assert "its key store has to be connected, or its material stays" in said.err
    rehearsal.clicks = [("bob", "undo")]
    while rehearsal.clicks or state(rehearsal) != "CONNECTED":
        rehearsal.pause(60)
    rehearsal.sandbox.advance(timedelta(minutes=5))
    assert rehearsal.rehearse("--clean", "--yes", HUB).code == 0
    assert "No rehearsal left anything" in rehearsal.rehearse("--clean", "--yes", HUB).out


def test_connections_of_kms_that_stay_are_found(rehearsal: Rehearsal) -> None:
    """The bot asks again then, and a person has to say that these are not others’."""
    differs = rehearsal.sandbox.aws.regions.differs
    differs.add("A-KMS-SESSIONS-END")
    try:
        rehearsal.rehearse("--key-store", STORE, "--yes", STORE, "--hours", "0.5")
    finally:
        differs.clear()
    assert rehearsal.differing() == ["A-KMS-SESSIONS-END"]
    said = rehearsal.report()["observations"]
    (one,) = [o for o in said if o["id"] == "A-KMS-SESSIONS-END"]
    assert one["says"].startswith("4, 4 were left on the HSMs")


def test_a_store_that_is_not_connected_is_not_rehearsed_on(rehearsal: Rehearsal) -> None:
    assert state(rehearsal) != "CONNECTED"
    said = rehearsal.rehearse("--key-store", STORE, "--yes", STORE)
    assert said.code == 6
    assert "it should be CONNECTED and ACTIVE" in said.err
