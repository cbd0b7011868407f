"""Keys of the sandbox's KMS: states, deletion that happens, listings, honest last use."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.sandbox.aws.aws_stand import CLUSTER, HUB, NOW, SIBLING, STORE, WORLD, Stand, refused


def key_state(kms: Any, key_id: str) -> str:
    return str(kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"])


def test_a_key_tells_its_store_and_is_unavailable_without_it(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    key = kms.describe_key(KeyId="alias/payments")["KeyMetadata"]
    assert (key["CustomKeyStoreId"], key["CloudHsmClusterId"]) == (STORE, CLUSTER)
    assert (key["Origin"], key["KeyState"], key["Enabled"]) == ("AWS_CLOUDHSM", "Enabled", True)
    kms.schedule_key_deletion(KeyId=stand.key(1), PendingWindowInDays=7)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    assert key_state(kms, stand.key(0)) == "Unavailable"
    assert key_state(kms, stand.key(1)) == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=stand.key(1))
    assert key_state(kms, stand.key(1)) == "Unavailable"
    stand.advance(minutes=4)
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    assert key_state(kms, stand.key(1)) == "Disabled"


def test_a_scheduled_key_goes_at_its_date_with_its_aliases_and_says_so(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    arn = kms.describe_key(KeyId=stand.key(0))["KeyMetadata"]["Arn"]
    told = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert (told["KeyId"], told["KeyState"], told["PendingWindowInDays"]) == (
        arn,
        "PendingDeletion",
        7,
    )
    assert told["DeletionDate"] == NOW + timedelta(days=7)
    stand.advance(days=6, hours=23)
    assert key_state(kms, arn) == "PendingDeletion"
    stand.events.clear()
    stand.advance(hours=1)
    deleted, native = stand.events
    assert deleted["detail-type"] == "AWS Service Event via CloudTrail"
    assert "type" not in deleted["detail"]["userIdentity"]
    (status,) = json.loads(deleted["detail"]["additionalEventData"]["backingKeysDeletionStatus"])
    assert status["deletionStatus"] == "SUCCESS"
    assert (native["detail-type"], native["resources"]) == ("KMS CMK Deletion", [arn])
    assert refused(kms.describe_key, KeyId=arn) == "NotFoundException"
    assert refused(kms.describe_key, KeyId="alias/payments") == "NotFoundException"


def test_a_key_that_goes_while_its_store_is_disconnected_leaves_its_material(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    kms.schedule_key_deletion(KeyId=stand.key(0), PendingWindowInDays=7)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(days=7)
    deleted = stand.events[-2]["detail"]["additionalEventData"]["backingKeysDeletionStatus"]
    assert json.loads(deleted)[0]["deletionStatus"] == "FAILURE"


def test_deletion_is_refused_outside_7_to_30_days_and_twice(stand: Stand) -> None:
    stand.seed()
    kms, key = stand.client("kms"), stand.key(0)
    for days in (6, 31):
        code = refused(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days)
        assert code == "ValidationException"
    assert refused(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    kms.schedule_key_deletion(KeyId=key)
    for call in (kms.schedule_key_deletion, kms.enable_key, kms.disable_key):
        assert refused(call, KeyId=key) == "KMSInvalidStateException"
    grant = {"GranteePrincipal": "arn:aws:iam::111122223333:root", "Operations": ["Decrypt"]}
    assert refused(kms.create_grant, KeyId=key, **grant) == "KMSInvalidStateException"
    code = refused(kms.create_alias, AliasName="alias/new", TargetKeyId=key)
    assert code == "KMSInvalidStateException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "KMSInvalidStateException"


def test_enabling_an_enabled_key_changes_nothing(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    kms.enable_key(KeyId=stand.key(0))
    assert not stand.server.calls[-1].landed
    kms.disable_key(KeyId=stand.key(0))
    assert stand.server.calls[-1].landed
    assert refused(kms.encrypt, KeyId=stand.key(0), Plaintext=b"x") == "DisabledException"


def test_last_usage_is_honest(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    used, never, unknown = (kms.get_key_last_usage(KeyId=stand.key(n)) for n in range(3))
    assert used["KeyLastUsage"]["Timestamp"] == NOW - timedelta(hours=3)
    assert never["KeyLastUsage"] == {}
    assert never["KeyCreationDate"] >= never["TrackingStartDate"]
    assert unknown["KeyLastUsage"] == {}
    assert unknown["KeyCreationDate"] < unknown["TrackingStartDate"]
    assert refused(kms.get_key_last_usage, KeyId="alias/payments") == "NotFoundException"


def test_use_is_noted_only_where_it_succeeds(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    blob = kms.encrypt(KeyId=stand.key(1), Plaintext=b"x")["CiphertextBlob"]
    use = kms.get_key_last_usage(KeyId=stand.key(1))["KeyLastUsage"]
    assert (use["Operation"], use["Timestamp"]) == ("Encrypt", NOW)
    assert use["KmsRequestId"] in {call.request_id for call in stand.server.calls}
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    stand.advance(minutes=1)
    kms.disable_key(KeyId=stand.key(1))
    stand.events.clear()
    assert refused(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    (event,) = stand.events
    assert event["detail"]["errorCode"] == "DisabledException"
    assert event["detail"]["resources"][0]["ARN"].endswith(stand.key(1))
    assert kms.get_key_last_usage(KeyId=stand.key(1))["KeyLastUsage"]["Timestamp"] == NOW


def test_keys_of_the_seed_work_on_a_sibling_and_later_ones_do_not(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    later = kms.create_key(CustomKeyStoreId=STORE, Origin="AWS_CLOUDHSM")["KeyMetadata"]["KeyId"]
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=SIBLING)
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    prove = kms.generate_data_key_without_plaintext
    code = refused(prove, KeyId=stand.key(0), KeySpec="AES_256")
    assert code == "KMSInvalidStateException", "not connected yet"
    stand.advance(minutes=10)
    assert "Plaintext" not in prove(KeyId=stand.key(0), KeySpec="AES_256")
    assert refused(prove, KeyId=later, KeySpec="AES_256") == "KMSInvalidStateException"


def test_a_key_is_created_only_in_a_connected_store_with_two_hsms(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    made = kms.create_key(CustomKeyStoreId=STORE, Origin="AWS_CLOUDHSM")["KeyMetadata"]
    assert made["CustomKeyStoreId"] == STORE
    assert kms.get_key_last_usage(KeyId=made["KeyId"])["KeyLastUsage"] == {}
    assert refused(kms.create_key, CustomKeyStoreId=STORE) == "ValidationException"
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    code = refused(kms.create_key, CustomKeyStoreId=STORE, Origin="AWS_CLOUDHSM")
    assert code == "CustomKeyStoreInvalidStateException"
    stand.seed({**WORLD, "clusters": [{"id": CLUSTER, "hsms": 1}]})
    code = refused(kms.create_key, CustomKeyStoreId=STORE, Origin="AWS_CLOUDHSM")
    assert code == "CloudHsmClusterInvalidConfigurationException"


def test_keys_aliases_and_grants_come_in_pages(stand: Stand) -> None:
    aliases = [f"alias/a{n:03}" for n in range(120)]
    stand.seed(keys=[{"store": STORE, "aliases": aliases, "grants": 60}])
    kms = stand.client("kms")
    first = kms.list_keys()
    assert (len(first["Keys"]), first["Truncated"]) == (100, True)
    pages = kms.get_paginator("list_keys").paginate()
    assert len({key["KeyId"] for page in pages for key in page["Keys"]}) == 121
    found = [
        a["AliasName"] for p in kms.get_paginator("list_aliases").paginate() for a in p["Aliases"]
    ]
    assert set(aliases) < set(found)
    mine = kms.get_paginator("list_aliases").paginate(KeyId=stand.key(0))
    assert [len(page["Aliases"]) for page in mine] == [50, 50, 20]
    grants = kms.get_paginator("list_grants").paginate(KeyId=stand.key(0))
    assert [len(page["Grants"]) for page in grants] == [50, 10]
    assert refused(kms.list_keys, Marker="?") == "InvalidMarkerException"
    assert refused(kms.list_keys, Limit=1001) == "ValidationException"


def test_a_page_survives_deletions_before_it(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    first = kms.list_keys(Limit=50)
    for key in first["Keys"][:10]:
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    stand.advance(days=8)
    rest = kms.list_keys(Limit=1000, Marker=first["NextMarker"])["Keys"]
    assert len(rest) == 123 - 50


def test_another_accounts_key_is_not_found(stand: Stand) -> None:
    stand.seed()
    arn = stand.client("kms").describe_key(KeyId=stand.key(0))["KeyMetadata"]["Arn"]
    assert HUB in arn
    other = stand.client("kms", account="222233334444")
    assert refused(other.describe_key, KeyId=arn) == "NotFoundException"


def test_the_seal_works(stand: Stand) -> None:
    kms = stand.client("kms")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    assert key["MacAlgorithms"] == ["HMAC_SHA_256"]
    sealed = {"KeyId": key["KeyId"], "MacAlgorithm": "HMAC_SHA_256", "Message": b"yes"}
    mac = kms.generate_mac(**sealed)["Mac"]
    assert kms.verify_mac(**sealed, Mac=mac)["MacValid"]
    forged = {**sealed, "Message": b"no"}
    assert refused(kms.verify_mac, **forged, Mac=mac) == "KMSInvalidMacException"
    assert not stand.server.calls[-2].landed, "sealing is a read"
