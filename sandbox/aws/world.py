"""What a scenario's `world` has become, where its things are, and what AWS does by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.kms.models import Key

from sandbox.aws.cloud import Cloud, Seeded
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.kms_keys import state_of
from sandbox.aws.regions import Cluster, Region


def world_now(server: Cloud) -> dict[str, Any]:
    """SCENARIOS.md's `world` result: what is there now, and how many other keys are untouched."""
    server.catch_up()
    now = server.clock.now()
    world: dict[str, Any] = {"clusters": [], "key_stores": [], "keys": [], "other_keys": 0}
    world["material_left"] = []
    with server.regions.lock:
        for region in server.regions:
            known = [*region.clusters.values(), *region.deleted.values()]
            world["clusters"] += [_cluster(region, cluster, now) for cluster in known]
            world["key_stores"] += [
                {"id": store.id, "state": store.phase.state} for store in region.stores.values()
            ]
            world["keys"] += _keys_of_stores(region)
            world["material_left"] += region.material_left
        if server.seeded is not None:
            world["other_keys"] = _untouched(server, server.seeded)
    return world


def _cluster(region: Region, cluster: Cluster, now: datetime) -> dict[str, Any]:
    source = region.backups.get(cluster.source or "")
    return {
        "id": cluster.id,
        "state": cluster.state(now),
        "hsms": len(cluster.live_hsms(now)),
        "from_backup": stamp(source.created) if source else None,
    }


def stamp(at: datetime) -> str:
    """UTC, to the second, as reports have it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _keys_of_stores(region: Region) -> list[dict[str, Any]]:
    return [
        {
            "key_id": key.id,
            "store": region.keys[key.id].store_id,
            "aliases": sorted(key.aliases),
            "state": state_of(region, key),
            "deletes_at": stamp(doomed) if (doomed := region.doomed.get(key.id)) else None,
        }
        for key in backend_of(region).keys.values()
        if key.id in region.keys and region.keys[key.id].store_id is not None
    ]


def _untouched(server: Cloud, seeded: Seeded) -> int:
    region = server.regions.at(seeded.home.account, seeded.home.region)
    keys = backend_of(region).keys
    return sum(
        key_id in keys and look(region, keys[key_id]) == first
        for key_id, first in seeded.others.items()
    )


def look(region: Region, key: Key) -> tuple[Any, ...]:
    """What anybody could have changed about a key."""
    tags = backend_of(region).tagger.get_tag_dict_for_resource(key.id)
    return (
        key.key_state, key.description, key.policy, key.key_rotation_status,
        tuple(key.aliases), tuple(key.grants), tuple(sorted(tags.items())),
    )  # fmt: skip
