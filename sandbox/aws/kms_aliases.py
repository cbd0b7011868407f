"""Aliases of KMS keys. They live in moto's keys.

Rules: CreateAlias, UpdateAlias and DeleteAlias of the KMS API reference.
"""

from __future__ import annotations

from typing import Any

from moto.kms.utils import RESERVED_ALIASE_TARGET_KEY_IDS

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_backend import backend_of, find_key
from sandbox.aws.kms_keys import guard, note_key
from sandbox.aws.kms_stores import Handler
from sandbox.aws.paging import page
from sandbox.aws.regions import Region, Regions

PREFIX, AWS_PREFIX = "alias/", "alias/aws/"


class Aliases:
    """The operations on aliases. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "CreateAlias": self.create,
            "UpdateAlias": self.update,
            "DeleteAlias": self.delete,
            "ListAliases": self.list_aliases,
        }

    def create(self, visit: RequestContext) -> dict[str, Any]:
        region, name = self._region(visit), _checked_name(visit)
        if ":" in name:
            raise AwsError(
                "ValidationException", f"{name} contains invalid characters for an alias"
            )
        key_id = self._target(visit, region)
        if backend_of(region).alias_exists(name):
            text = f"An alias with the name {region.arn('kms', name)} already exists"
            raise AwsError("AlreadyExistsException", text)
        backend_of(region).create_alias(key_id, name)
        return {}

    def update(self, visit: RequestContext) -> dict[str, Any]:
        region, name = self._region(visit), _checked_name(visit)
        key_id = self._target(visit, region)
        before, after = find_key(region, name, aliases=True), backend_of(region).keys[key_id]
        if (before.key_spec, before.key_usage) != (after.key_spec, after.key_usage):
            text = "The current and the new key must have the same type and usage."
            raise AwsError("ValidationException", text)
        visit.changed = before is not after
        backend_of(region).update_alias(key_id, name)
        return {}

    def delete(self, visit: RequestContext) -> dict[str, Any]:
        region, name = self._region(visit), _checked_name(visit)
        note_key(visit, region, key=find_key(region, name, aliases=True))
        backend_of(region).delete_alias(name)
        return {}

    def list_aliases(self, visit: RequestContext) -> dict[str, Any]:
        region = self._region(visit)
        wanted = None
        if "KeyId" in visit.params:
            wanted = find_key(region, visit.params["KeyId"], aliases=False).id
        targets = dict(RESERVED_ALIASE_TARGET_KEY_IDS)
        for alias in backend_of(region).list_aliases():
            targets[alias.alias_name] = alias.target_key_id
        names = [name for name, target in targets.items() if wanted in (None, target)]
        chosen, more = page(visit.params, names, default=50, most=100)
        found = [
            {
                "AliasName": name,
                "AliasArn": region.arn("kms", name),
                "TargetKeyId": targets[name],
            }
            for name in chosen
        ]
        return {"Aliases": found, **more}

    def _region(self, visit: RequestContext) -> Region:
        return self._regions.at(visit.account, visit.region)

    def _target(self, visit: RequestContext, region: Region) -> str:
        key = find_key(region, visit.params["TargetKeyId"], aliases=False)
        note_key(visit, region, key=key)
        guard(visit, key)
        return str(key.id)


def _checked_name(visit: RequestContext) -> str:
    name: str = visit.params["AliasName"]
    if not name.startswith(PREFIX):
        raise AwsError("ValidationException", "Invalid identifier")
    if name.startswith(AWS_PREFIX):
        code = "InvalidAliasNameException"
        told = code if visit.request.operation == "CreateAlias" else "ValidationException"
        raise AwsError(told, f"{AWS_PREFIX} is reserved for AWS managed keys.")
    return name
