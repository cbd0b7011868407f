"""Copies of a cluster, kmsuser's passwords, and stores that break: what hurts in the real AWS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.aws.mishaps import break_store, set_password
from sandbox.aws.world import world_now
from tests.sandbox.aws.aws_stand import CLUSTER, NOW, SIBLING, STORE, Stand, refused


def world(*, copied: str = "1m", connected: str = "400d", **more: Any) -> dict[str, Any]:
    """A cluster, a copy of it, and a disconnected store with two keys, one of a day ago."""
    store = {"id": STORE, "cluster": CLUSTER, "connected_at": connected, "state": "DISCONNECTED"}
    return {
        "clusters": [
            {"id": CLUSTER, "certificate": "lineage-a"},
            {"id": SIBLING, "certificate": "lineage-a", "from_backup": {"age": copied}},
        ],
        "key_stores": [{**store, **more}],
        "keys": [{"store": STORE}, {"store": STORE, "age": "1d"}],
    }


def connected(stand: Stand, *, to: str | None = None) -> tuple[str, str | None]:
    """State and error of the store after a connect, if need be to another cluster."""
    kms = stand.client("kms")
    if state(stand)[0] != "DISCONNECTED":
        kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
        stand.advance(minutes=4)
    if to is not None:
        kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=to)
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    return state(stand)


def state(stand: Stand) -> tuple[str, str | None]:
    (store,) = stand.client("kms").describe_custom_key_stores()["CustomKeyStores"]
    return store["ConnectionState"], store.get("ConnectionErrorCode")


def described(stand: Stand, cluster_id: str) -> Any:
    wanted = {"clusterIds": [cluster_id]}
    return stand.client("cloudhsmv2").describe_clusters(Filters=wanted)["Clusters"][0]


def test_a_copy_names_its_backup_and_aws_shows_it(stand: Stand) -> None:
    stand.seed(world(copied="30d"))
    source = described(stand, SIBLING)["SourceBackupId"]
    assert "SourceBackupId" not in described(stand, CLUSTER)
    found = stand.client("cloudhsmv2").describe_backups(Filters={"backupIds": [source]})
    (backup,) = found["Backups"]
    assert (backup["ClusterId"], backup["BackupState"]) == (CLUSTER, "READY")
    assert backup["CreateTimestamp"] == NOW - timedelta(days=30)
    clusters = {one["id"]: one["from_backup"] for one in world_now(stand.server)["clusters"]}
    assert clusters == {CLUSTER: None, SIBLING: "2026-01-31T09:00:00Z"}


@pytest.mark.parametrize(
    ("copied", "last_connect", "came"),
    [
        ("1m", "400d", ("CONNECTED", None)),
        ("30d", "31d", ("CONNECTED", None)),
        ("30d", "2d", ("FAILED", "INVALID_CREDENTIALS")),
    ],
)
def test_a_copy_older_than_the_last_connect_has_an_older_password(
    stand: Stand, copied: str, last_connect: str, came: tuple[Any, ...]
) -> None:
    stand.seed(world(copied=copied, connected=last_connect))
    assert connected(stand, to=SIBLING) == came


def test_each_connect_sets_a_new_password_so_the_first_cluster_has_an_old_one(stand: Stand) -> None:
    stand.seed(world())
    assert connected(stand, to=SIBLING) == ("CONNECTED", None)
    assert connected(stand) == ("CONNECTED", None)
    assert connected(stand, to=CLUSTER) == ("FAILED", "INVALID_CREDENTIALS")
    assert connected(stand, to=SIBLING) == ("CONNECTED", None)


def test_a_person_sets_the_password_on_the_hsms_and_tells_kms(stand: Stand) -> None:
    stand.seed(world(copied="30d", connected="2d"))
    assert connected(stand, to=SIBLING) == ("FAILED", "INVALID_CREDENTIALS")
    set_password(stand.server, STORE)
    assert state(stand) == ("DISCONNECTED", None)
    assert connected(stand) == ("FAILED", "INVALID_CREDENTIALS"), "KMS was not told"
    set_password(stand.server, STORE)
    told = {"CustomKeyStoreId": STORE, "KeyStorePassword": "kmsPswd2"}
    stand.client("kms").update_custom_key_store(**told)
    assert connected(stand) == ("CONNECTED", None)


def test_five_wrong_passwords_lock_kmsuser_out(stand: Stand) -> None:
    stand.seed(world(copied="30d", connected="2d"))
    errors = [connected(stand, to=SIBLING)[1] for _ in range(5)]
    assert errors == ["INVALID_CREDENTIALS"] * 4 + ["USER_LOCKED_OUT"]


def test_keys_newer_than_the_backup_are_not_in_the_copy(stand: Stand) -> None:
    stand.seed(world(copied="2d"))
    connected(stand, to=SIBLING)
    prove = stand.client("kms").generate_data_key_without_plaintext
    prove(KeyId=stand.key(0), KeySpec="AES_256")
    assert refused(prove, KeyId=stand.key(1), KeySpec="AES_256") == "KMSInvalidStateException"


def test_an_hsm_added_to_an_empty_cluster_begins_with_the_newest_backup(stand: Stand) -> None:
    stand.seed(world())
    hsm = stand.client("cloudhsmv2")
    for one in described(stand, CLUSTER)["Hsms"]:
        hsm.delete_hsm(ClusterId=CLUSTER, HsmId=one["HsmId"])
    stand.advance(minutes=6)
    hsm.create_hsm(ClusterId=CLUSTER, AvailabilityZone="us-east-1a")
    stand.advance(minutes=10)
    assert connected(stand) == ("CONNECTED", None)


def test_cloudtrail_tells_the_last_connect_of_the_past_90_days(stand: Stand) -> None:
    for last, times in (("30d", 1), ("90d", 1), ("91d", 0)):
        stand.seed(world(connected=last, name="payments"))
        wanted = [{"AttributeKey": "EventName", "AttributeValue": "ConnectCustomKeyStore"}]
        trail = stand.client("cloudtrail")
        start = {"StartTime": NOW - timedelta(days=91)}
        events = trail.lookup_events(LookupAttributes=wanted, **start)["Events"]
        days = int(last.removesuffix("d"))
        mine = [e for e in events if e["EventTime"] == NOW - timedelta(days=days)]
        assert len(mine) == times
    record = json.loads(events[0]["CloudTrailEvent"])
    assert record["additionalEventData"] == {
        "customKeyStoreName": "payments",
        "clusterId": CLUSTER,
    }
    assert record["requestParameters"] == {"customKeyStoreId": STORE}
    assert record["userIdentity"]["arn"].endswith(":assumed-role/operations/somebody-else")
    assert stand.events == [], "nobody hears of the past"


def test_a_broken_store_fails_without_an_event_until_it_connects_again(stand: Stand) -> None:
    stand.seed(world(state="CONNECTED"))
    break_store(stand.server, STORE, error="NETWORK_ERRORS")
    assert state(stand) == ("FAILED", "NETWORK_ERRORS")
    assert stand.events == []
    assert connected(stand) == ("CONNECTED", None)
    break_store(stand.server, STORE, error="USER_LOGGED_IN")
    assert connected(stand) == ("FAILED", "USER_LOGGED_IN")
    with pytest.raises(LookupError, match="no custom key store"):
        break_store(stand.server, "cks-none", error="NETWORK_ERRORS")


def test_a_store_without_hsms_stays_connected_and_its_keys_fail(stand: Stand) -> None:
    stand.seed(world(state="CONNECTED"))
    hsm = stand.client("cloudhsmv2")
    for one in described(stand, CLUSTER)["Hsms"]:
        hsm.delete_hsm(ClusterId=CLUSTER, HsmId=one["HsmId"])
    stand.advance(minutes=6)
    assert state(stand) == ("CONNECTED", None)
    encrypt = stand.client("kms").encrypt
    assert refused(encrypt, KeyId=stand.key(0), Plaintext=b"x") == "KMSInvalidStateException"


@pytest.mark.parametrize(("to", "left"), [("DISCONNECTED", True), ("CONNECTED", False)])
def test_material_stays_where_the_store_could_not_delete_it(
    stand: Stand, to: str, left: bool
) -> None:
    stand.seed(world(state=to))
    stand.client("kms").schedule_key_deletion(KeyId=stand.key(0), PendingWindowInDays=7)
    told = {one["key_id"]: one["deletes_at"] for one in world_now(stand.server)["keys"]}
    assert told == {stand.key(0): "2026-03-09T09:00:00Z", stand.key(1): None}
    stand.advance(days=7)
    assert world_now(stand.server)["material_left"] == ([stand.key(0)] if left else [])


def test_a_deleted_backup_can_be_restored_for_a_week(stand: Stand) -> None:
    stand.seed(world())
    hsm = stand.client("cloudhsmv2")
    one = {"BackupId": hsm.describe_backups()["Backups"][0]["BackupId"]}
    told = hsm.delete_backup(**one)["Backup"]
    assert told["BackupState"] == "PENDING_DELETION"
    assert told["DeleteTimestamp"] == NOW + timedelta(days=7)
    assert refused(hsm.delete_backup, **one) == "CloudHsmInvalidRequestException"
    assert hsm.restore_backup(**one)["Backup"]["BackupState"] == "READY"
    hsm.delete_backup(**one)
    stand.advance(days=7)
    assert refused(hsm.restore_backup, **one) == "CloudHsmResourceNotFoundException"
    assert hsm.describe_backups(Filters={"backupIds": [one["BackupId"]]})["Backups"] == []
