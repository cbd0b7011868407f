"""The sandbox's KMS: which part answers which operation, and what is due before each one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import USES, Visit
from sandbox.aws.kms_keys import Keys, delete_due, find_key, guard, note_key
from sandbox.aws.kms_stores import KeyStores, settle_stores
from sandbox.aws.kms_use import KeyUse
from sandbox.aws.regions import Region, Regions

DeletedKey = tuple[str, str, str, datetime, bool]  # account, Region, ARN, moment, material gone


class Kms:
    """Answers KMS's calls. What it leaves to moto, it guards first."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._use = KeyUse(regions)
        self._handlers = {
            **KeyStores(regions).handlers,
            **Keys(regions).handlers,
            **self._use.handlers,
        }

    def answer(self, visit: Visit) -> dict[str, Any] | None:
        """The result, or None where moto answers. Raises AwsError."""
        handler = self._handlers.get(visit.request.operation)
        if handler is not None:
            return handler(visit)
        self._guard(visit)
        return None

    def after_moto(self, visit: Visit) -> None:
        """Moto has answered without an error."""
        self._use.used(visit)

    def _guard(self, visit: Visit) -> None:
        if visit.request.operation in USES:
            self._use.guard(visit)
            return
        reference = visit.params.get("KeyId") or visit.params.get("TargetKeyId")
        if reference:
            region = self._regions.at(visit.account, visit.region)
            key: Key = find_key(region, reference, aliases=False)
            note_key(visit, region, key=key)
            guard(visit, key)


def settle(region: Region, now: datetime) -> list[DeletedKey]:
    """Bring stores and keys up to this moment; the keys that KMS has deleted meanwhile."""
    settle_stores(region, now)
    gone = delete_due(region, now)
    return [(region.account, region.name, arn, at, went) for arn, at, went in gone]
