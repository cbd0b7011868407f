"""CloudTrail in the sandbox: records as AWS writes them, LookupEvents, and EventBridge events."""

from __future__ import annotations

import json
from datetime import timedelta

from sandbox.aws.regions import TRUST_ANCHOR
from tests.sandbox.aws.aws_stand import BOT, CLUSTER, HUB, NOW, STORE, Stand, refused

PERSON = (
    "arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com"
)


def test_a_failed_deletion_is_told_as_cloudtrail_tells_it(stand: Stand) -> None:
    stand.seed()
    refused(stand.client("cloudhsmv2", PERSON).delete_cluster, ClusterId=CLUSTER)
    (event,) = stand.events
    record = event["detail"]
    assert (event["source"], event["detail-type"], event["account"], event["region"]) == (
        "aws.cloudhsm",
        "AWS API Call via CloudTrail",
        HUB,
        "us-east-1",
    )
    assert event["time"] == record["eventTime"] == "2026-03-02T09:00:00Z"
    assert (record["eventSource"], record["eventName"]) == (
        "cloudhsm.amazonaws.com",
        "DeleteCluster",
    )
    assert record["errorCode"] == "CloudHsmClusterInUseException"
    assert record["requestParameters"] == {"clusterId": CLUSTER}
    assert record["responseElements"] is None
    assert (record["readOnly"], record["eventType"]) == (False, "AwsApiCall")
    who = record["userIdentity"]
    assert (who["type"], who["accountId"]) == ("AssumedRole", HUB)
    assert who["arn"].endswith("/alice@example.com")
    issuer = who["sessionContext"]["sessionIssuer"]
    assert issuer["arn"] == (
        f"arn:aws:iam::{HUB}:role/aws-reserved/sso.amazonaws.com/"
        "AWSReservedSSO_Admin_0123456789abcdef"
    )


def test_reads_are_recorded_and_told_to_nobody(stand: Stand) -> None:
    stand.seed()
    stand.client("kms").describe_key(KeyId=stand.key(0))
    assert stand.events == []
    found = stand.client("cloudtrail").lookup_events()["Events"]
    assert [(one["EventName"], one["ReadOnly"]) for one in found] == [("DescribeKey", "true")]


def test_a_write_carries_its_parameters_answer_and_store(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    kms.schedule_key_deletion(KeyId=stand.key(0), PendingWindowInDays=7)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    scheduled, disconnected = (event["detail"] for event in stand.events)
    assert scheduled["requestParameters"] == {"keyId": stand.key(0), "pendingWindowInDays": 7}
    assert scheduled["responseElements"]["deletionDate"] == "2026-03-09T09:00:00Z"
    assert scheduled["additionalEventData"] == {"customKeyStoreId": STORE, "clusterId": CLUSTER}
    assert scheduled["resources"][0]["type"] == "AWS::KMS::Key"
    assert disconnected["requestParameters"] == {"customKeyStoreId": STORE}
    assert disconnected["responseElements"] is None
    assert disconnected["additionalEventData"] == {
        "customKeyStoreName": "payments",
        "clusterId": CLUSTER,
    }


def test_secrets_are_not_recorded_and_the_cluster_is_spelled_cloudtrails_way(stand: Stand) -> None:
    stand.seed()
    refused(
        stand.client("kms").create_custom_key_store,
        CustomKeyStoreName="two",
        CloudHsmClusterId=CLUSTER,
        TrustAnchorCertificate=TRUST_ANCHOR,
        KeyStorePassword="kmsPswd1",
    )
    assert stand.events[0]["detail"]["requestParameters"] == {
        "customKeyStoreName": "two",
        "clusterId": CLUSTER,
    }


def test_lookup_gives_the_newest_first_by_one_attribute_fifty_a_page(stand: Stand) -> None:
    stand.seed()
    kms, trail = stand.client("kms"), stand.client("cloudtrail")
    for _ in range(60):
        kms.describe_key(KeyId=stand.key(0))
    stand.advance(hours=1)
    kms.disable_key(KeyId=stand.key(0))
    (newest, *_) = trail.lookup_events()["Events"]
    assert newest["EventName"] == "DisableKey"
    assert json.loads(newest["CloudTrailEvent"])["eventID"] == newest["EventId"]
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "DescribeKey"}]
    pages = trail.get_paginator("lookup_events").paginate(LookupAttributes=by_name)
    assert [len(page["Events"]) for page in pages] == [50, 10]
    by_key = [{"AttributeKey": "ResourceName", "AttributeValue": stand.key(0)}]
    found = trail.lookup_events(LookupAttributes=by_key, StartTime=NOW + timedelta(minutes=1))
    assert [one["EventName"] for one in found["Events"]] == ["DisableKey"]
    two = by_name + by_key
    code = refused(trail.lookup_events, LookupAttributes=two)
    assert code == "InvalidLookupAttributesException"


def test_pages_stay_whole_while_new_records_come(stand: Stand) -> None:
    stand.seed()
    kms, trail = stand.client("kms"), stand.client("cloudtrail")
    for _ in range(60):
        kms.list_keys()
    first = trail.lookup_events(MaxResults=50)
    kms.list_keys()
    rest = trail.lookup_events(MaxResults=50, NextToken=first["NextToken"])
    ids = {one["EventId"] for page in (first, rest) for one in page["Events"]}
    assert len(ids) == 60


def test_records_are_kept_for_ninety_days(stand: Stand) -> None:
    stand.seed()
    stand.client("kms").list_keys()
    stand.advance(days=91)
    trail = stand.client("cloudtrail")
    assert trail.lookup_events(StartTime=NOW - timedelta(days=1))["Events"] == []


def test_the_approver_is_in_the_record_of_the_bots_call(stand: Stand) -> None:
    stand.seed()
    issued = stand.server.identity.register(
        HUB, BOT.format(account=HUB), source_identity="alice", tags={"case": "c1"}
    )
    identity = stand.server.identity.find(issued.access_key_id)
    assert identity.as_recorded()["sessionContext"]["sourceIdentity"] == "alice"
