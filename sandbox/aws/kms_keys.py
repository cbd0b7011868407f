"""KMS keys: creation, states, deletion that happens, listings, last use. Keys live in moto's backend.

State rules: "Key states of KMS keys" in the KMS developer guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import USES, AwsError, RequestContext
from sandbox.aws.kms_backend import backend_of, find_key
from sandbox.aws.kms_new_key import new_key_of
from sandbox.aws.kms_store_checks import check_cluster, get_cluster, get_store, wrong_state
from sandbox.aws.kms_stores import Handler
from sandbox.aws.paging import page
from sandbox.aws.regions import HSMS_STAY, KeyFacts, KeyStore, Region, Regions

SHORTEST_WINDOW, LONGEST_WINDOW = 7, 30  # days
# Refused for a key that is pending deletion; everything else only reads it or cancels.
NOT_WHEN_PENDING = frozenset({
    "EnableKey", "DisableKey", "ScheduleKeyDeletion", "CreateAlias", "UpdateAlias", "CreateGrant",
    "EnableKeyRotation", "DisableKeyRotation", "UpdateKeyDescription", "TagResource",
    "UntagResource", "RotateKeyOnDemand",
})  # fmt: skip


class Keys:
    """The operations on keys. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "CreateKey": self.create,
            "DescribeKey": self.describe,
            "ListKeys": self.list_keys,
            "ScheduleKeyDeletion": self.schedule_deletion,
            "CancelKeyDeletion": self.cancel_deletion,
            "EnableKey": self.enable,
            "DisableKey": self.disable,
            "GetKeyLastUsage": self.last_usage,
        }

    def create(self, visit: RequestContext) -> dict[str, Any]:
        region, params = self._regions.at(visit.account, visit.region), visit.params
        new = new_key_of(params)
        store = self._store_for_new_key(region, visit) if "CustomKeyStoreId" in params else None
        key = backend_of(region).create_key(
            policy=params.get("Policy"),
            key_usage=new.usage,
            key_spec=new.spec,
            description=params.get("Description", ""),
            tags=params.get("Tags"),
            multi_region=params.get("MultiRegion", False),
            origin=new.origin,
        )
        facts = facts_of(region, key)
        if store is not None:
            facts.store_id = store.id
            region.clusters[store.cluster_id].contents.keys[key.id] = facts.created
        note_key(visit, region, key=key)
        return {"KeyMetadata": metadata(region, key)}

    def describe(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit, aliases=True)
        return {"KeyMetadata": metadata(region, key)}

    def list_keys(self, visit: RequestContext) -> dict[str, Any]:
        keys = backend_of(self._regions.at(visit.account, visit.region)).keys
        chosen, more = page(visit.params, keys, default=100, most=1000)
        found = [{"KeyId": key_id, "KeyArn": keys[key_id].arn} for key_id in chosen]
        return {"Keys": found, **more}

    def schedule_deletion(self, visit: RequestContext) -> dict[str, Any]:
        days = visit.params.get("PendingWindowInDays", LONGEST_WINDOW)
        if not SHORTEST_WINDOW <= days <= LONGEST_WINDOW:
            raise AwsError(
                "ValidationException",
                f"PendingWindowInDays is {SHORTEST_WINDOW} to {LONGEST_WINDOW}, not {days}.",
            )
        region, key = key_of_call(self._regions, visit)
        when = visit.now + timedelta(days=days)
        doom(region, key, when=when)
        return {
            "KeyId": key.arn,
            "DeletionDate": when,
            "KeyState": "PendingDeletion",
            "PendingWindowInDays": days,
        }

    def cancel_deletion(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        if key.key_state != "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        region.doomed.pop(key.id, None)
        key.key_state, key.enabled, key.deletion_date = "Disabled", False, None
        return {"KeyId": key.arn}

    def enable(self, visit: RequestContext) -> dict[str, Any]:
        return self._switch(visit, "Enabled")

    def disable(self, visit: RequestContext) -> dict[str, Any]:
        return self._switch(visit, "Disabled")

    def last_usage(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        facts = facts_of(region, key)
        return {
            "KeyId": key.arn,
            "KeyLastUsage": dict(facts.last_use),
            "TrackingStartDate": visit.now
            if "A-TRACKING-AGE" in region.differs
            else facts.tracked_from,
            "KeyCreationDate": facts.created,
        }

    def _switch(self, visit: RequestContext, state: str) -> dict[str, Any]:
        """In a disconnected store it succeeds, and takes effect once the store is connected."""
        _, key = key_of_call(self._regions, visit)
        visit.changed = key.key_state != state
        key.key_state, key.enabled = state, state == "Enabled"
        return {}

    def _store_for_new_key(self, region: Region, visit: RequestContext) -> KeyStore:
        store = get_store(region, visit.params["CustomKeyStoreId"])
        if store.phase.state != "CONNECTED":
            raise wrong_state(store)
        if store.cluster_id not in region.clusters:
            text = f"There is no cluster {store.cluster_id}."
            raise AwsError("CloudHsmClusterInvalidConfigurationException", text)
        try:
            check_cluster(get_cluster(region, store.cluster_id), visit.now, zones=2)
        except AwsError as error:  # CreateKey has this one word for it
            raise AwsError("CloudHsmClusterInvalidConfigurationException", error.message) from error
        return store


def key_of_call(
    regions: Regions, visit: RequestContext, *, aliases: bool = False
) -> tuple[Region, Key]:
    """The key that the call names, if its state allows this operation."""
    region = regions.at(visit.account, visit.region)
    key = find_key(region, visit.params["KeyId"], aliases=aliases)
    note_key(visit, region, key=key)
    guard(visit, key)
    return region, key


def facts_of(region: Region, key: Key) -> KeyFacts:
    """What the sandbox knows of a key; keys that CloudFormation made start here."""
    if key.id not in region.keys:
        created = datetime.fromtimestamp(key.creation_date, UTC)
        region.keys[key.id] = KeyFacts(created=created, tracked_from=created)
    return region.keys[key.id]


def state_of(region: Region, key: Key) -> str:
    """The key's state as DescribeKey tells it: Unavailable if its store is not connected."""
    store = region.stores.get(facts_of(region, key).store_id or "")
    if key.key_state == "PendingDeletion" or store is None or store.phase.state == "CONNECTED":
        return str(key.key_state)
    return "Unavailable"


def guard(visit: RequestContext, key: Key) -> None:
    """Refuse what a key that is pending deletion refuses."""
    if key.key_state == "PendingDeletion" and visit.request.operation in NOT_WHEN_PENDING:
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def note_key(visit: RequestContext, region: Region, *, key: Key) -> None:
    """What CloudTrail records about the key of a call."""
    if key.arn not in visit.key_arns:
        visit.key_arns.append(key.arn)
    store = region.stores.get(facts_of(region, key).store_id or "")
    if store is not None and visit.request.operation in USES:
        visit.remarks = {"customKeyStoreId": store.id}
    elif store is not None and not visit.read_only:
        visit.remarks = {"customKeyStoreId": store.id, "clusterId": store.cluster_id}


def metadata(region: Region, key: Key) -> dict[str, Any]:
    facts, state = facts_of(region, key), state_of(region, key)
    described = {
        name: value
        for name, value in key.to_dict()["KeyMetadata"].items()
        if value not in (None, []) and name != "DeletionDate"
    }
    described |= {
        "CreationDate": facts.created,
        "KeyState": state,
        "Enabled": state == "Enabled",
    }
    if key.key_usage != "ENCRYPT_DECRYPT":
        described.pop("EncryptionAlgorithms", None)
    if key.key_usage == "GENERATE_VERIFY_MAC":
        described["MacAlgorithms"] = [str(key.key_spec).replace("HMAC_", "HMAC_SHA_")]
    if key.id in region.doomed:
        described["DeletionDate"] = region.doomed[key.id]
    store = region.stores.get(facts.store_id or "")
    if store is not None:
        described |= {"CustomKeyStoreId": store.id, "CloudHsmClusterId": store.cluster_id}
    return described


def doom(region: Region, key: Key, *, when: datetime) -> None:
    """Put a key into PendingDeletion until that moment."""
    region.doomed[key.id] = when
    key.key_state, key.enabled = "PendingDeletion", False
    key.deletion_date = when.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class DeletedKey:
    """What KMS tells of a key whose window was over."""

    account: str
    region: str
    arn: str
    at: datetime
    material_deleted: bool
    store_id: str | None
    cluster_id: str | None


def delete_due(region: Region, now: datetime) -> list[DeletedKey]:
    """Delete the keys whose window is over."""
    gone = []
    for key_id, when in sorted(region.doomed.items(), key=lambda item: item[1]):
        if when > now:
            break
        key = backend_of(region).keys[key_id]
        store = region.stores.get(facts_of(region, key).store_id or "")
        gone.append(
            DeletedKey(
                region.account,
                region.name,
                key.arn,
                when,
                _delete_material(region, key, now=now),
                store.id if store else None,
                store.cluster_id if store else None,
            )
        )
        del region.doomed[key_id]
        region.keys.pop(key_id, None)
        backend_of(region).delete_key(key_id)
    return gone


def _delete_material(region: Region, key: Key, *, now: datetime) -> bool:
    """KMS deletes key material only if it can log in to an active HSM that may be written to."""
    store = region.stores.get(facts_of(region, key).store_id or "")
    if store is None:
        return True
    cluster = region.clusters.get(store.cluster_id)
    if (
        cluster is None
        or store.phase.state != "CONNECTED"
        or store.password != cluster.contents.password
        or (cluster.state(now) in HSMS_STAY and "A-MODIFY-KEEPS-MATERIAL" not in region.differs)
        or not cluster.active_zones(now)
    ):
        region.material_left.append(key.id)
        return False
    cluster.contents.keys.pop(key.id, None)
    return True
