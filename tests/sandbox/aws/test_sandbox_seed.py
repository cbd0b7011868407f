"""A scenario's world stands in AWS as written: ids, ages, transitions under way, whole accounts."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from sandbox.ages import parse_age
from sandbox.aws.world import world_now
from tests.sandbox.aws.aws_stand import CLUSTER, NOW, STORE, WORLD, Stand


def test_ages_are_read_as_scenarios_write_them() -> None:
    assert parse_age("1d12h") == timedelta(days=1, hours=12)
    odd: list[Any] = ["3", "h", "-3h", "3 h", 3]
    for wrong in odd:
        with pytest.raises(ValueError, match="not a length of time"):
            parse_age(wrong)


def test_key_ids_are_the_same_each_time(stand: Stand) -> None:
    stand.seed()
    first = [stand.key(n) for n in range(3)]
    stand.seed()
    assert [stand.key(n) for n in range(3)] == first
    assert len(set(first)) == 3


def test_transitions_under_way_take_their_full_time(stand: Stand) -> None:
    held = {"id": STORE, "cluster": CLUSTER, "state": "DISCONNECTING"}
    going = {"id": "cluster-5d6e7f2a3b4", "state": "DELETE_IN_PROGRESS", "hsms": 0}
    stand.seed(
        key_stores=[held],
        clusters=[*WORLD["clusters"], going],
        durations={"disconnect": "7m", "delete_cluster": "2m"},
    )
    stand.advance(minutes=2)
    states = {found["id"]: found["state"] for found in world_now(stand.server)["clusters"]}
    assert states[going["id"]] == "DELETED"
    stand.advance(minutes=4, seconds=59)
    assert world_now(stand.server)["key_stores"] == [{"id": STORE, "state": "DISCONNECTING"}]
    stand.advance(seconds=1)
    assert world_now(stand.server)["key_stores"] == [{"id": STORE, "state": "DISCONNECTED"}]


def test_a_key_that_is_pending_goes_when_it_says(stand: Stand) -> None:
    stand.seed(keys=[{"store": STORE, "state": "PendingDeletion", "deletes_in": "5d"}])
    told = stand.client("kms").describe_key(KeyId=stand.key(0))["KeyMetadata"]
    assert told["DeletionDate"] == NOW + timedelta(days=5)
    assert stand.clock.next_due() == NOW + timedelta(days=5)
    stand.advance(days=5)
    assert [event["detail-type"] for event in stand.events] == [
        "AWS Service Event via CloudTrail",
        "KMS CMK Deletion",
    ]
    assert world_now(stand.server)["keys"] == []


def test_keys_are_a_year_old_unless_they_say_otherwise(stand: Stand) -> None:
    stand.seed(
        keys=[
            {"store": STORE},
            {"store": STORE, "age": "2d", "last_used": "unknown"},
            {"store": STORE, "last_used": "400d"},
        ]
    )
    kms = stand.client("kms")
    plain, young, old = (kms.get_key_last_usage(KeyId=stand.key(n)) for n in range(3))
    assert plain["KeyCreationDate"] == NOW - timedelta(days=365)
    assert young["KeyCreationDate"] == NOW - timedelta(days=2)
    assert young["TrackingStartDate"] == NOW - timedelta(days=1), "unknown: KMS's record is young"
    assert young["KeyLastUsage"] == {}
    assert old["KeyCreationDate"] < old["KeyLastUsage"]["Timestamp"], "no use before creation"


def test_a_deleted_key_is_out_of_the_world(stand: Stand) -> None:
    stand.seed()
    key = stand.key(0)
    stand.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    stand.advance(days=7)
    assert key not in {one["key_id"] for one in world_now(stand.server)["keys"]}


def test_many_callers_at_once_disturb_nobody(stand: Stand) -> None:
    stand.seed()
    failures: list[Exception] = []

    def work(number: int) -> None:
        kms = stand.client("kms")
        try:
            for _ in range(10):
                made = kms.create_key()["KeyMetadata"]["KeyId"]
                kms.create_alias(AliasName=f"alias/{number}-{made}", TargetKeyId=made)
                kms.list_aliases(KeyId=made)
                kms.list_keys(Limit=1000)
                kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=7)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    stand.advance(days=7)
    assert len(stand.client("kms").list_keys(Limit=1000)["Keys"]) == 123
    deleted = [event for event in stand.events if event["detail-type"] == "KMS CMK Deletion"]
    assert len(deleted) == 80
