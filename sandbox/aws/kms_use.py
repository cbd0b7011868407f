"""Cryptographic use of KMS keys: refused by state, else done and noted as the key's last use."""

from __future__ import annotations

import base64
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import USES, AwsError, Visit
from sandbox.aws.kms_keys import backend_of, facts_of, find_key, note_key, state_of
from sandbox.aws.kms_stores import Handler
from sandbox.aws.regions import Region, Regions

DATA_KEY_BYTES = {"AES_128": 16, "AES_256": 32}


class KeyUse:
    """The cryptographic operations. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "Encrypt": self.encrypt,
            "Decrypt": self.decrypt,
            "GenerateDataKey": self.generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self.generate_data_key_without_plaintext,
            "GenerateMac": self.generate_mac,
            "VerifyMac": self.verify_mac,
        }

    def encrypt(self, visit: Visit) -> dict[str, Any]:
        region, key = self._usable(visit)
        blob, _ = backend_of(region).encrypt(key.id, _blob(visit, "Plaintext"), _context(visit))
        self._used(visit, region, key=key)
        return {
            "CiphertextBlob": blob,
            "KeyId": key.arn,
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }

    def decrypt(self, visit: Visit) -> dict[str, Any]:
        region, wanted = self._regions.at(visit.account, visit.region), visit.params.get("KeyId")
        if wanted is not None:
            note_key(visit, region, key=find_key(region, wanted, aliases=True))
        plaintext, arn = backend_of(region).decrypt(_blob(visit, "CiphertextBlob"), _context(visit))
        key = find_key(region, arn, aliases=False)
        if wanted is not None and find_key(region, wanted, aliases=True) is not key:
            raise AwsError("IncorrectKeyException", "The ciphertext was made by another key.")
        note_key(visit, region, key=key)
        _check_usable(visit, region, key=key)
        self._used(visit, region, key=key)
        return {"Plaintext": plaintext, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def generate_data_key(self, visit: Visit) -> dict[str, Any]:
        region, key = self._usable(visit)
        plaintext, blob, arn = backend_of(region).generate_data_key(
            key.id, _context(visit), _data_key_bytes(visit), ""
        )
        self._used(visit, region, key=key)
        return {"CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": arn}

    def generate_data_key_without_plaintext(self, visit: Visit) -> dict[str, Any]:
        result = self.generate_data_key(visit)
        del result["Plaintext"]
        return result

    def generate_mac(self, visit: Visit) -> dict[str, Any]:
        region, key = self._usable(visit)
        algorithm = visit.params["MacAlgorithm"]
        mac = self._mac(visit, region, key=key)
        self._used(visit, region, key=key)
        return {"Mac": base64.b64decode(mac), "MacAlgorithm": algorithm, "KeyId": key.arn}

    def verify_mac(self, visit: Visit) -> dict[str, Any]:
        region, key = self._usable(visit)
        if base64.b64decode(self._mac(visit, region, key=key)) != _blob(visit, "Mac"):
            raise AwsError("KMSInvalidMacException", "The MAC does not match the message.")
        self._used(visit, region, key=key)
        algorithm = visit.params["MacAlgorithm"]
        return {"MacValid": True, "MacAlgorithm": algorithm, "KeyId": key.arn}

    def guard(self, visit: Visit) -> None:
        """For the uses that moto answers: refuse by state."""
        if "KeyId" in visit.params:
            self._usable(visit)

    def used(self, visit: Visit) -> None:
        """For the uses that moto answered: note the use."""
        if visit.key_arn is not None and visit.request.operation in USES:
            region = self._regions.at(visit.account, visit.region)
            self._used(visit, region, key=find_key(region, visit.key_arn, aliases=False))

    def _usable(self, visit: Visit) -> tuple[Region, Key]:
        region = self._regions.at(visit.account, visit.region)
        key = find_key(region, visit.params["KeyId"], aliases=True)
        note_key(visit, region, key=key)
        _check_usable(visit, region, key=key)
        return region, key

    def _used(self, visit: Visit, region: Region, *, key: Key) -> None:
        facts_of(region, key).last_use = {
            "Operation": visit.request.operation,
            "Timestamp": visit.now,
            "CloudTrailEventId": visit.event_id,
            "KmsRequestId": visit.request_id,
        }

    def _mac(self, visit: Visit, region: Region, *, key: Key) -> str:
        algorithm = visit.params["MacAlgorithm"]
        if str(key.key_spec).replace("HMAC_", "HMAC_SHA_") != algorithm:
            raise AwsError("InvalidKeyUsageException", f"{key.arn} is no key for {algorithm}.")
        message = _blob(visit, "Message")
        mac, _, _ = backend_of(region).generate_mac(message, key.id, algorithm, [], dry_run=False)
        return mac


def _check_usable(visit: Visit, region: Region, *, key: Key) -> None:
    """Raise what KMS says of a key that can't be used now."""
    state = state_of(region, key)
    if state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    if state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if state != "Enabled":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is {state}.")
    facts = facts_of(region, key)
    store = region.stores.get(facts.store_id or "")
    if store is not None:
        cluster = region.clusters.get(store.cluster_id)
        if cluster is None or not cluster.active_zones(visit.now):
            text = f"{key.arn}: cluster {store.cluster_id} has no active HSM."
            raise AwsError("KMSInvalidStateException", text)
        if cluster.certificate != facts.lineage and cluster.id != facts.cluster_id:
            text = f"{key.arn}: its key material is not in cluster {cluster.id}."
            raise AwsError("KMSInvalidStateException", text)
    if visit.params.get("DryRun"):
        raise AwsError("DryRunOperationException", "The request would have succeeded.")


def _data_key_bytes(visit: Visit) -> int:
    params = visit.params
    if ("KeySpec" in params) == ("NumberOfBytes" in params):
        raise AwsError("ValidationException", "Give either KeySpec or NumberOfBytes.")
    return DATA_KEY_BYTES[params["KeySpec"]] if "KeySpec" in params else params["NumberOfBytes"]


def _blob(visit: Visit, name: str) -> bytes:
    return base64.b64decode(visit.params[name])


def _context(visit: Visit) -> dict[str, str]:
    return visit.params.get("EncryptionContext") or {}
