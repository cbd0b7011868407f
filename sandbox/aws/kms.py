"""The sandbox's KMS: which part answers which operation, and what is due before each one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.aws.calls import RequestContext, not_served
from sandbox.aws.kms_aliases import Aliases
from sandbox.aws.kms_grants import Grants
from sandbox.aws.kms_keys import DeletedKey, Keys, delete_due
from sandbox.aws.kms_settings import Settings
from sandbox.aws.kms_signing import Signing
from sandbox.aws.kms_stores import Handler, KeyStores, settle_stores
from sandbox.aws.kms_use import KeyUse
from sandbox.aws.regions import Region, Regions

PARTS = (KeyStores, Keys, Aliases, Grants, Settings, KeyUse, Signing)


class Kms:
    """Answers KMS's calls, all of them; keys live in moto's backend, which makes stacks' keys."""

    def __init__(self, regions: Regions) -> None:
        self.handlers: dict[str, Handler] = {}
        for part in PARTS:
            self.handlers |= part(regions).handlers

    def answer(self, visit: RequestContext) -> dict[str, Any]:
        """The result. Raises AwsError. Call it with the regions' lock held."""
        handler = self.handlers.get(visit.request.operation)
        if handler is None:
            raise not_served(visit.request)
        return handler(visit)


def settle(region: Region, now: datetime) -> list[DeletedKey]:
    """Bring stores and keys up to this moment; the keys that KMS has deleted meanwhile."""
    settle_stores(region, now)
    return delete_due(region, now)
