"""Finds KMS keys where they live, in moto's backend. Changes none and judges nothing."""

from __future__ import annotations

import re

from moto.kms.models import Key, KmsBackend, kms_backends

from sandbox.aws.calls import AwsError
from sandbox.aws.regions import Region

KEY_ID = re.compile(r"(mrk-)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")


def backend_of(region: Region) -> KmsBackend:
    return kms_backends[region.account][region.name]


def find_key(region: Region, reference: str, *, aliases: bool) -> Key:
    """A key by id or ARN, or by alias if the call takes one. Never another account's."""
    backend, here = backend_of(region), region.arn("kms", "")
    if reference.startswith("arn:") and not reference.startswith(here):
        raise AwsError("NotFoundException", f"Key '{reference}' does not exist")
    name = reference.removeprefix(here)
    if name.startswith("alias/") and aliases:
        key_id = backend.get_key_id_from_alias(name)
        if key_id is None:
            raise AwsError("NotFoundException", f"Alias {region.arn('kms', name)} is not found.")
    else:
        key_id = name.removeprefix("key/")
    if not KEY_ID.fullmatch(key_id):
        raise AwsError("NotFoundException", f"Invalid keyId {reference}")
    if key_id not in backend.keys:
        raise AwsError("NotFoundException", f"Key '{here}key/{key_id}' does not exist")
    return backend.keys[key_id]
