"""What is set of a key beside its state, and what KMS refuses of keys in custom key stores."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.aws.iam.guard import Guard
from tests.sandbox.aws.aws_stand import HUB, NOW, STORE, Stand, refused


@pytest.fixture
def kms(stand: Stand) -> Any:
    stand.seed(other_keys=0)
    return stand.client("kms")


def made(kms: Any, **params: Any) -> str:
    return str(kms.create_key(**params)["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"KeySpec": "RSA_2048"}, "ValidationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "GENERATE_VERIFY_MAC"}, "ValidationException"),
        ({"KeySpec": "HMAC_256"}, "ValidationException"),
        ({"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"}, "UnsupportedOperationException"),
        ({"Origin": "EXTERNAL"}, "UnsupportedOperationException"),
        ({"Origin": "AWS_CLOUDHSM"}, "ValidationException"),
        ({"Policy": "{}"}, "MalformedPolicyDocumentException"),
        ({"Policy": '{"Statement": [7]}'}, "MalformedPolicyDocumentException"),
        ({"Tags": [{"TagKey": "aws:x", "TagValue": "y"}]}, "TagException"),
    ],
)
def test_keys_that_kms_does_not_make(kms: Any, params: dict[str, Any], code: str) -> None:
    assert refused(kms.create_key, **params) == code


def test_a_store_takes_symmetric_keys_of_one_region_alone(kms: Any) -> None:
    here = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": STORE}
    unsupported = "UnsupportedOperationException"
    assert refused(kms.create_key, **here, MultiRegion=True) == unsupported
    rsa = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
    assert refused(kms.create_key, **here, **rsa) == unsupported


def test_keys_of_a_store_are_never_rotated(stand: Stand, kms: Any) -> None:
    for call in (
        kms.enable_key_rotation, kms.disable_key_rotation, kms.get_key_rotation_status,
        kms.rotate_key_on_demand, kms.list_key_rotations,
    ):  # fmt: skip
        assert refused(call, KeyId=stand.key(0)) == "UnsupportedOperationException"


def test_a_key_of_kms_itself_is_rotated(stand: Stand, kms: Any) -> None:
    key = made(kms)
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    stand.advance(days=100)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"]
    assert status["NextRotationDate"] == NOW + timedelta(days=180)
    kms.rotate_key_on_demand(KeyId=key)
    (done,) = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert done["RotationDate"] == NOW + timedelta(days=100)
    kms.disable_key(KeyId=key)
    assert refused(kms.disable_key_rotation, KeyId=key) == "DisabledException"
    kms.schedule_key_deletion(KeyId=key)
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert refused(kms.enable_key_rotation, KeyId=key) == "KMSInvalidStateException"


def test_random_bytes_of_a_store_need_its_connection(kms: Any) -> None:
    assert len(kms.generate_random(NumberOfBytes=8, CustomKeyStoreId=STORE)["Plaintext"]) == 8
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    wanted = {"NumberOfBytes": 8, "CustomKeyStoreId": STORE}
    assert refused(kms.generate_random, **wanted) == "CustomKeyStoreInvalidStateException"
    wanted["CustomKeyStoreId"] = "cks-0"
    assert refused(kms.generate_random, **wanted) == "CustomKeyStoreNotFoundException"
    assert refused(kms.generate_random) == "ValidationException"


def test_policies_tags_and_descriptions_are_read_as_they_were_set(stand: Stand, kms: Any) -> None:
    key = stand.key(0)
    policy = kms.get_key_policy(KeyId=key)
    assert policy["PolicyName"] == "default"
    assert f"{HUB}:root" in policy["Policy"]
    kms.put_key_policy(KeyId=key, Policy=policy["Policy"])
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert refused(kms.get_key_policy, KeyId=key, PolicyName="mine") == "NotFoundException"
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "env", "TagValue": "prod"}])
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "a"}])
    kms.untag_resource(KeyId=key, TagKeys=["team"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "env", "TagValue": "prod"}]
    many = [{"TagKey": f"t{n}", "TagValue": ""} for n in range(50)]
    assert refused(kms.tag_resource, KeyId=key, Tags=many) == "LimitExceededException"
    kms.update_key_description(KeyId=key, Description="payments")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "payments"


def test_a_key_policy_can_deny_anybody_anything(stand: Stand, kms: Any) -> None:
    stand.server.guard = Guard(stand.server.regions, lambda role: "unlatch-" in role)
    key = stand.key(0)
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*"}
    policy["Statement"].append(deny)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    assert refused(kms.describe_key, KeyId=key) == "AccessDeniedException"
    assert kms.list_grants(KeyId=key)["Grants"]
    policy["Statement"] = [{**deny, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}}]
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    assert refused(kms.list_grants, KeyId=key) == "AccessDeniedException"


def test_aliases_are_made_moved_and_taken_away(stand: Stand, kms: Any) -> None:
    key, other = stand.key(0), stand.key(1)
    kms.create_alias(AliasName="alias/new", TargetKeyId=key)
    taken = {"AliasName": "alias/new", "TargetKeyId": other}
    assert refused(kms.create_alias, **taken) == "AlreadyExistsException"
    kms.update_alias(**taken)
    assert kms.describe_key(KeyId="alias/new")["KeyMetadata"]["KeyId"] == other
    hmac = made(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    code = refused(kms.update_alias, AliasName="alias/new", TargetKeyId=hmac)
    assert code == "ValidationException"
    kms.delete_alias(AliasName="alias/new")
    assert refused(kms.delete_alias, AliasName="alias/new") == "NotFoundException"
    assert refused(kms.update_alias, **taken) == "NotFoundException"
    for name, code in (
        ("new", "ValidationException"),
        ("alias/a:b", "ValidationException"),
        ("alias/aws/s3", "InvalidAliasNameException"),
    ):
        assert refused(kms.create_alias, AliasName=name, TargetKeyId=key) == code


def test_grants_are_given_once_by_name_and_taken_back(stand: Stand, kms: Any) -> None:
    key, app = stand.key(1), f"arn:aws:iam::{HUB}:role/app"
    about = {
        "KeyId": key,
        "Name": "app",
        "GranteePrincipal": app,
        "RetiringPrincipal": app,
        "Operations": ["Decrypt"],
    }
    first = kms.create_grant(**about)
    assert kms.create_grant(**about)["GrantId"] == first["GrantId"]
    second = kms.create_grant(**{**about, "Name": "other"})
    assert len(kms.list_retirable_grants(RetiringPrincipal=app)["Grants"]) == 2
    assert kms.list_grants(KeyId=key, GranteePrincipal=HUB)["Grants"] == []
    dry = {"KeyId": key, "GrantId": first["GrantId"], "DryRun": True}
    assert refused(kms.revoke_grant, **dry) == "DryRunOperationException"
    kms.revoke_grant(KeyId=key, GrantId=first["GrantId"])
    kms.retire_grant(GrantToken=second["GrantToken"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    code = refused(kms.list_grants, KeyId=key, GrantId=first["GrantId"])
    assert code == "InvalidGrantIdException"
    assert refused(kms.revoke_grant, KeyId=key, GrantId="1") == "NotFoundException"
    assert refused(kms.retire_grant, GrantToken="1") == "InvalidGrantTokenException"
    assert refused(kms.retire_grant, KeyId=key) == "ValidationException"
    kms.disable_key(KeyId=key)
    assert refused(kms.create_grant, **about) == "DisabledException"


def test_asymmetric_keys_sign_and_show_their_public_half(kms: Any) -> None:
    key = made(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms.create_alias(AliasName="alias/signer", TargetKeyId=key)
    shown = kms.get_public_key(KeyId="alias/signer")
    assert shown["SigningAlgorithms"] == ["ECDSA_SHA_256"]
    assert shown["KeyId"].endswith(key)
    asked = {"KeyId": "alias/signer", "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**asked)["Signature"]
    assert kms.verify(**asked, Signature=signature)["SignatureValid"]
    forged = {**asked, "Message": b"y"}
    code = refused(kms.verify, **forged, Signature=signature)
    assert code == "KMSInvalidSignatureException"
    assert refused(kms.sign, **asked, MessageType="DIGEST") == "ValidationException"
    wrong = {**asked, "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    assert refused(kms.sign, **wrong) == "InvalidKeyUsageException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"


def test_a_symmetric_key_has_no_public_half_and_makes_no_macs(stand: Stand, kms: Any) -> None:
    key = stand.key(0)
    assert refused(kms.get_public_key, KeyId=key) == "UnsupportedOperationException"
    mac = {"KeyId": key, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    assert refused(kms.generate_mac, **mac) == "InvalidKeyUsageException"
    hmac = made(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    code = refused(kms.generate_data_key, KeyId=hmac, KeySpec="AES_256")
    assert code == "InvalidKeyUsageException"
    code = refused(kms.generate_data_key, KeyId=key, NumberOfBytes=1025)
    assert code == "ValidationException"


def test_to_encrypt_anew_uses_both_keys_and_records_both(stand: Stand, kms: Any) -> None:
    source, target = stand.key(0), stand.key(1)
    blob = kms.encrypt(KeyId=source, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    stand.advance(minutes=1)
    asked = {
        "CiphertextBlob": blob,
        "SourceEncryptionContext": {"a": "b"},
        "SourceKeyId": source,
        "DestinationKeyId": target,
    }
    done = kms.re_encrypt(**asked)
    assert kms.decrypt(CiphertextBlob=done["CiphertextBlob"])["Plaintext"] == b"x"
    use = kms.get_key_last_usage(KeyId=source)["KeyLastUsage"]
    assert (use["Operation"], use["Timestamp"]) == ("ReEncrypt", NOW + timedelta(minutes=1))
    wrong = {**asked, "SourceKeyId": target}
    assert refused(kms.re_encrypt, **wrong) == "IncorrectKeyException"
    kms.disable_key(KeyId=target)
    stand.events.clear()
    assert refused(kms.re_encrypt, **asked) == "DisabledException"
    (event,) = stand.events
    named = [resource["ARN"].rsplit("/", 1)[-1] for resource in event["detail"]["resources"]]
    assert named == [source, target]
    assert event["detail"]["additionalEventData"] == {"customKeyStoreId": STORE}


def test_what_is_not_served_says_so(stand: Stand, kms: Any) -> None:
    key = stand.key(0)
    assert refused(kms.replicate_key, KeyId=key, ReplicaRegion="eu-west-1") == (
        "UnknownOperationException"
    )
    assert stand.server.calls[-1].error == "UnknownOperationException"
