"""The keys of a scenario's `world`, with honest dates. Writes moto's and the sandbox's state."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from moto.kms.models import Key

from sandbox.ages import parse_age
from sandbox.aws.cloud import Cloud, Place, SeededKey
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.kms_keys import doom
from sandbox.aws.regions import KeyFacts, Region
from sandbox.aws.seed_history import Copies
from sandbox.aws.world import look

NAMESPACE = uuid.UUID("6f1d3c4e-52f7-5f5b-9f0a-2f1b8a1f6c11")
YEAR, DAY = timedelta(days=365), timedelta(days=1)
OUR_ROLES = "arn:*:iam::*:role/unlatch-*"


def add_keys(
    server: Cloud,
    entries: Sequence[Mapping[str, Any]],
    *,
    places: Mapping[str, Place],
    copies: Copies,
    now: datetime,
) -> list[SeededKey]:
    seeded = []
    for index, entry in enumerate(entries):
        place = places[entry["store"]]
        region = server.regions.at(place.account, place.region)
        key = _new_key(region, f"{entry['store']}/{index}", store_id=entry["store"])
        facts = region.keys[key.id] = _facts(entry["store"], entry, now=now)
        cluster = region.clusters.get(region.stores[entry["store"]].cluster_id)
        for holder in copies.knowing(cluster, facts.created) if cluster else ():
            holder.contents.keys[key.id] = facts.created
        _dress(region, key, entry=entry, now=now)
        seeded.append(SeededKey(place, key.id))
    return seeded


def _new_key(region: Region, name: str, *, store_id: str | None) -> Key:
    backend = backend_of(region)
    key = backend.create_key(
        policy=None,
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description="",
        tags=None,
        origin="AWS_CLOUDHSM" if store_id else "AWS_KMS",
    )
    del backend.keys[key.id]
    key.id = str(uuid.uuid5(NAMESPACE, name))
    key.arn = region.arn("kms", f"key/{key.id}")
    backend.keys[key.id] = key
    return key


def _facts(store_id: str, entry: Mapping[str, Any], *, now: datetime) -> KeyFacts:
    """Honest about the past; `unknown`: KMS's record of the key begins yesterday."""
    used = entry.get("last_used", "never")
    age = parse_age(entry["age"]) if "age" in entry else YEAR
    if used in ("never", "unknown"):
        created = now - age
        tracked = max(created, now - DAY) if used == "unknown" else created
        return KeyFacts(created, tracked, store_id)
    ago = parse_age(used)
    created = now - (age if "age" in entry else max(age, ago + DAY))
    use = {
        "Operation": "Decrypt",
        "Timestamp": now - ago,
        "CloudTrailEventId": str(uuid.uuid4()),
        "KmsRequestId": str(uuid.uuid4()),
    }
    return KeyFacts(created, created, store_id, use)


def _dress(region: Region, key: Key, *, entry: Mapping[str, Any], now: datetime) -> None:
    """Give a key its date, state, aliases and grants."""
    key.creation_date = region.keys[key.id].created.timestamp()
    for alias in entry.get("aliases") or []:
        backend_of(region).create_alias(key.id, alias)
    backend_of(region).tag_resource(key.id, entry.get("tags", {}))
    for number in range(int(entry.get("grants", 0))):
        key.add_grant(
            name=f"grant-{number}",
            grantee_principal=f"arn:aws:iam::{region.account}:role/application-{number}",
            operations=["Decrypt", "GenerateDataKey"],
            constraints={},
            retiring_principal=f"arn:aws:iam::{region.account}:role/application-{number}",
        )
    if denied := entry.get("policy", {}).get("denies"):
        key.policy = json.dumps(_policy(region, denied))
    state = entry.get("state", "Enabled")
    if state == "PendingDeletion":
        doom(region, key, when=now + parse_age(entry.get("deletes_in", "30d")))
    else:
        key.key_state, key.enabled = state, state == "Enabled"


def _policy(region: Region, denied: Sequence[str]) -> dict[str, Any]:
    """The default key policy, but for what it denies to the roles of Unlatch."""
    everything = {"Sid": "EnableIAM", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    root = f"arn:aws:iam::{region.account}:root"
    ours = {"ArnLike": {"aws:PrincipalArn": OUR_ROLES}}
    deny = {"Sid": "NotByUnlatch", "Effect": "Deny", "Resource": "*", "Condition": ours}
    actions = [f"kms:{operation}" for operation in denied]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**everything, "Principal": {"AWS": root}},
            {**deny, "Principal": {"AWS": "*"}, "Action": actions},
        ],
    }


def add_others(region: Region, count: int, *, now: datetime) -> dict[str, tuple[Any, ...]]:
    others = {}
    for number in range(count):
        key = _new_key(region, f"{region.account}/{region.name}/other/{number}", store_id=None)
        created = now - YEAR
        region.keys[key.id] = KeyFacts(created, created)
        key.creation_date = created.timestamp()
        others[key.id] = look(region, key)
    return others
