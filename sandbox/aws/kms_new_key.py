"""Which KMS keys CreateKey makes, and what it says of all others. Makes none itself.

Rules: CreateKey of the KMS API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.aws.calls import AwsError
from sandbox.aws.iam.conditions import UnknownElementError
from sandbox.aws.iam.policy import policy_of

SYMMETRIC = "SYMMETRIC_DEFAULT"
MOST_TAGS = 50
# Usages by the beginning of a spec, as far as the sandbox has operations for them.
USAGES = {
    SYMMETRIC: ("ENCRYPT_DECRYPT",),
    "RSA_": ("ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    "ECC_NIST_P": ("SIGN_VERIFY",),
    "ECC_SECG_": ("SIGN_VERIFY",),
    "HMAC_": ("GENERATE_VERIFY_MAC",),
}
NOT_HERE = {
    "EXTERNAL": "imported key material",
    "EXTERNAL_KEY_STORE": "external key stores",
    "KEY_AGREEMENT": "keys for key agreement",
    "ENCAPSULATE_DECAPSULATE": "keys for encapsulation",
}


@dataclass(frozen=True)
class NewKey:
    """A key that may be made."""

    spec: str
    usage: str
    origin: str


def new_key_of(params: Mapping[str, Any]) -> NewKey:
    """The key that a CreateKey asks for. Raises what AWS says of one that can't be."""
    key = NewKey(
        spec=params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC,
        usage=params.get("KeyUsage", "ENCRYPT_DECRYPT"),
        origin=params.get("Origin", "AWS_KMS"),
    )
    for word in (key.origin, key.usage):
        if word in NOT_HERE:
            raise _unsupported(f"The sandbox has no {NOT_HERE[word]}.")
    if (key.origin == "AWS_CLOUDHSM") != ("CustomKeyStoreId" in params):
        text = "Origin AWS_CLOUDHSM and CustomKeyStoreId go together."
        raise AwsError("ValidationException", text)
    if "KeyUsage" not in params and key.spec != SYMMETRIC:
        raise AwsError("ValidationException", f"KeySpec {key.spec} needs a KeyUsage.")
    _check_usage(key)
    if key.origin == "AWS_CLOUDHSM":
        _check_in_store(key, params)
    check_tags({tag["TagKey"] for tag in params.get("Tags", [])})
    if "Policy" in params:
        check_policy(params["Policy"])
    return key


def check_policy(text: str) -> None:
    """Whether a key policy can be judged; the sandbox doesn't look for lock-outs."""
    try:
        policy_of(text)
    except UnknownElementError as unknown:
        raise _malformed(f"The sandbox can't judge this policy: {unknown}") from unknown
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _malformed("The policy is not a policy document.") from error


def check_tags(names: set[str]) -> None:
    """All tags that a key would have."""
    if any(name.startswith("aws:") for name in names):
        raise AwsError("TagException", "A tag key must not begin with aws:.")
    if len(names) > MOST_TAGS:
        raise AwsError("LimitExceededException", f"A key has at most {MOST_TAGS} tags.")


def _check_usage(key: NewKey) -> None:
    usages = next((u for start, u in USAGES.items() if key.spec.startswith(start)), None)
    if usages is None:
        raise _unsupported(f"The sandbox has no keys of spec {key.spec}.")
    if key.usage not in usages:
        text = f"KeyUsage {key.usage} is not compatible with KeySpec {key.spec}."
        raise AwsError("ValidationException", text)


def _check_in_store(key: NewKey, params: Mapping[str, Any]) -> None:
    if key.spec != SYMMETRIC:
        raise _unsupported("Keys in a custom key store are symmetric encryption keys.")
    if params.get("MultiRegion"):
        raise _unsupported("Keys in a custom key store are keys of one Region.")


def _unsupported(text: str) -> AwsError:
    return AwsError("UnsupportedOperationException", text)


def _malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicyDocumentException", text)
