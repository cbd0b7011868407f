"""Asymmetric KMS keys: signatures, and their public halves. Signs whole messages, no digests.

Moto's keys do the mathematics; what a key may be used for is decided here.
"""

from __future__ import annotations

import base64
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_keys import metadata
from sandbox.aws.kms_stores import Handler
from sandbox.aws.kms_use import key_to_use, note_use
from sandbox.aws.moto_setup import ASYMMETRIC
from sandbox.aws.regions import Region, Regions

PUBLIC_FACTS = (
    "KeySpec", "CustomerMasterKeySpec", "KeyUsage", "EncryptionAlgorithms", "SigningAlgorithms",
)  # fmt: skip


class Signing:
    """The operations on asymmetric keys. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "Sign": self.sign,
            "Verify": self.verify,
            "GetPublicKey": self.get_public_key,
        }

    def sign(self, visit: RequestContext) -> dict[str, Any]:
        region, key = self._signing(visit)
        algorithm = visit.params["SigningAlgorithm"]
        signature = key.private_key.sign(_message(visit), algorithm)
        note_use(visit, region, key=key)
        return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}

    def verify(self, visit: RequestContext) -> dict[str, Any]:
        region, key = self._signing(visit)
        algorithm, signature = visit.params["SigningAlgorithm"], visit.params["Signature"]
        if not key.private_key.verify(_message(visit), base64.b64decode(signature), algorithm):
            text = "The signature does not belong to this message and key."
            raise AwsError("KMSInvalidSignatureException", text)
        note_use(visit, region, key=key)
        return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}

    def get_public_key(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_to_use(self._regions, visit)
        if not key.key_spec.startswith(ASYMMETRIC):
            text = f"{key.arn} is of spec {key.key_spec}, and so has no public key."
            raise AwsError("UnsupportedOperationException", text)
        about = metadata(region, key)
        return {
            "KeyId": key.arn,
            "PublicKey": key.private_key.public_key(),
            **{name: about[name] for name in PUBLIC_FACTS if name in about},
        }

    def _signing(self, visit: RequestContext) -> tuple[Region, Key]:
        region, key = key_to_use(self._regions, visit)
        algorithm = visit.params["SigningAlgorithm"]
        if key.key_usage != "SIGN_VERIFY" or algorithm not in key.signing_algorithms:
            text = f"{key.arn}, {key.key_usage} {key.key_spec}, does not sign by {algorithm}."
            raise AwsError("InvalidKeyUsageException", text)
        return region, key


def _message(visit: RequestContext) -> bytes:
    if visit.params.get("MessageType", "RAW") != "RAW":
        raise AwsError("ValidationException", "The sandbox signs messages of type RAW alone.")
    return base64.b64decode(visit.params["Message"])
