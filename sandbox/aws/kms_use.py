"""Cryptographic use of KMS keys: refused by state, else done and noted as the key's last use."""

from __future__ import annotations

import base64
import os
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_backend import backend_of, find_key
from sandbox.aws.kms_grants import check_dry_run
from sandbox.aws.kms_keys import facts_of, metadata, note_key, state_of
from sandbox.aws.kms_store_checks import get_store, wrong_state
from sandbox.aws.kms_stores import Handler
from sandbox.aws.regions import Region, Regions

DATA_KEY_BYTES = {"AES_128": 16, "AES_256": 32}
SYMMETRIC = "SYMMETRIC_DEFAULT"


class KeyUse:
    """The cryptographic operations. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "Encrypt": self.encrypt,
            "Decrypt": self.decrypt,
            "ReEncrypt": self.re_encrypt,
            "GenerateDataKey": self.generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self.generate_data_key_without_plaintext,
            "GenerateMac": self.generate_mac,
            "VerifyMac": self.verify_mac,
            "GenerateRandom": self.generate_random,
        }

    def encrypt(self, visit: RequestContext) -> dict[str, Any]:
        algorithm = visit.params.get("EncryptionAlgorithm", SYMMETRIC)
        region, key = key_to_use(self._regions, visit, encrypts_by=algorithm)
        plaintext, context = _blob(visit, "Plaintext"), _context(visit, "EncryptionContext")
        blob, _ = backend_of(region).encrypt(key.id, plaintext, context)
        note_use(visit, region, key=key)
        return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}

    def decrypt(self, visit: RequestContext) -> dict[str, Any]:
        algorithm = visit.params.get("EncryptionAlgorithm", SYMMETRIC)
        region, key, plaintext = self._decrypted(
            visit, "KeyId", _context(visit, "EncryptionContext"), algorithm=algorithm
        )
        check_dry_run(visit)
        note_use(visit, region, key=key)
        return {"Plaintext": plaintext, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}

    def re_encrypt(self, visit: RequestContext) -> dict[str, Any]:
        """Both keys must be usable, and both count as used."""
        params = visit.params
        before = params.get("SourceEncryptionAlgorithm", SYMMETRIC)
        after = params.get("DestinationEncryptionAlgorithm", SYMMETRIC)
        context = _context(visit, "SourceEncryptionContext")
        region, source, plaintext = self._decrypted(visit, "SourceKeyId", context, algorithm=before)
        _, key = key_to_use(self._regions, visit, name="DestinationKeyId", encrypts_by=after)
        context = _context(visit, "DestinationEncryptionContext")
        blob, _ = backend_of(region).encrypt(key.id, plaintext, context)
        note_use(visit, region, key=source)
        note_use(visit, region, key=key)
        return {
            "CiphertextBlob": blob,
            "SourceKeyId": source.arn,
            "KeyId": key.arn,
            "SourceEncryptionAlgorithm": before,
            "DestinationEncryptionAlgorithm": after,
        }

    def generate_data_key(self, visit: RequestContext) -> dict[str, Any]:
        size = _data_key_bytes(visit)
        region, key = key_to_use(self._regions, visit, encrypts_by=SYMMETRIC)
        plaintext, blob, arn = backend_of(region).generate_data_key(
            key.id, _context(visit, "EncryptionContext"), size, ""
        )
        note_use(visit, region, key=key)
        return {"CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": arn}

    def generate_data_key_without_plaintext(self, visit: RequestContext) -> dict[str, Any]:
        result = self.generate_data_key(visit)
        del result["Plaintext"]
        return result

    def generate_mac(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_to_use(self._regions, visit)
        algorithm = visit.params["MacAlgorithm"]
        mac = self._mac(visit, region, key=key)
        note_use(visit, region, key=key)
        return {"Mac": base64.b64decode(mac), "MacAlgorithm": algorithm, "KeyId": key.arn}

    def verify_mac(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_to_use(self._regions, visit)
        if base64.b64decode(self._mac(visit, region, key=key)) != _blob(visit, "Mac"):
            raise AwsError("KMSInvalidMacException", "The MAC does not match the message.")
        note_use(visit, region, key=key)
        algorithm = visit.params["MacAlgorithm"]
        return {"MacValid": True, "MacAlgorithm": algorithm, "KeyId": key.arn}

    def generate_random(self, visit: RequestContext) -> dict[str, Any]:
        """Of a key store only while it is connected."""
        params = visit.params
        if "NumberOfBytes" not in params:
            raise AwsError("ValidationException", "NumberOfBytes is required.")
        if "CustomKeyStoreId" in params:
            region = self._regions.at(visit.account, visit.region)
            store = get_store(region, params["CustomKeyStoreId"])
            if store.phase.state != "CONNECTED":
                raise wrong_state(store)
        return {"Plaintext": os.urandom(params["NumberOfBytes"])}

    def _decrypted(
        self, visit: RequestContext, name: str, context: dict[str, str], *, algorithm: str
    ) -> tuple[Region, Key, bytes]:
        """What the ciphertext holds, and its key, which has to be the named one and usable."""
        region = self._regions.at(visit.account, visit.region)
        named = visit.params.get(name)
        wanted = None if named is None else find_key(region, named, aliases=True)
        if wanted is not None:
            note_key(visit, region, key=wanted)
        plaintext, arn = backend_of(region).decrypt(_blob(visit, "CiphertextBlob"), context)
        key = find_key(region, arn, aliases=False)
        if wanted is not None and wanted is not key:
            raise AwsError("IncorrectKeyException", "The ciphertext was made by another key.")
        note_key(visit, region, key=key)
        _check_usable(visit, region, key=key)
        _check_encrypts(region, key, algorithm)
        return region, key, plaintext

    def _mac(self, visit: RequestContext, region: Region, *, key: Key) -> str:
        algorithm = visit.params["MacAlgorithm"]
        if algorithm not in metadata(region, key).get("MacAlgorithms", []):
            raise AwsError("InvalidKeyUsageException", f"{key.arn} is not a key for {algorithm}.")
        message = _blob(visit, "Message")
        mac, _, _ = backend_of(region).generate_mac(message, key.id, algorithm, [], dry_run=False)
        return mac


def key_to_use(
    regions: Regions, visit: RequestContext, *, name: str = "KeyId", encrypts_by: str | None = None
) -> tuple[Region, Key]:
    """The key that the call names, if it can be used now, and encrypts by this algorithm."""
    region = regions.at(visit.account, visit.region)
    key = find_key(region, visit.params[name], aliases=True)
    note_key(visit, region, key=key)
    _check_usable(visit, region, key=key)
    if encrypts_by is not None:
        _check_encrypts(region, key, encrypts_by)
    check_dry_run(visit)
    return region, key


def note_use(visit: RequestContext, region: Region, *, key: Key) -> None:
    facts_of(region, key).last_use = {
        "Operation": visit.request.operation,
        "Timestamp": visit.now,
        "CloudTrailEventId": visit.event_id,
        "KmsRequestId": visit.request_id,
    }


def _check_usable(visit: RequestContext, region: Region, *, key: Key) -> None:
    """Raise what KMS says of a key that can't be used now."""
    state = state_of(region, key)
    if state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    if state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if state != "Enabled":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is {state.lower()}.")
    facts = facts_of(region, key)
    store = region.stores.get(facts.store_id or "")
    if store is not None:
        cluster = region.clusters.get(store.cluster_id)
        if cluster is None or not cluster.active_zones(visit.now):
            text = f"{key.arn}: cluster {store.cluster_id} has no active HSM."
            raise AwsError("KMSInvalidStateException", text)
        if key.id not in cluster.contents.keys:
            text = f"{key.arn}: its key material is not in cluster {cluster.id}."
            raise AwsError("KMSInvalidStateException", text)


def _check_encrypts(region: Region, key: Key, algorithm: str) -> None:
    if algorithm not in metadata(region, key).get("EncryptionAlgorithms", []):
        text = f"{key.arn}, {key.key_usage} {key.key_spec}, does not encrypt by {algorithm}."
        raise AwsError("InvalidKeyUsageException", text)


def _data_key_bytes(visit: RequestContext) -> int:
    params = visit.params
    if ("KeySpec" in params) == ("NumberOfBytes" in params):
        raise AwsError("ValidationException", "Give either KeySpec or NumberOfBytes.")
    return DATA_KEY_BYTES[params["KeySpec"]] if "KeySpec" in params else params["NumberOfBytes"]


def _blob(visit: RequestContext, name: str) -> bytes:
    """A binary parameter. Decrypt and ReEncrypt need it, although the model doesn't say so."""
    if name not in visit.params:
        raise AwsError("ValidationException", f"{name} is required.")
    return base64.b64decode(visit.params[name])


def _context(visit: RequestContext, name: str) -> dict[str, str]:
    context: dict[str, str] = visit.params.get(name, {})
    return context
