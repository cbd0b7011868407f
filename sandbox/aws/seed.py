"""Puts a scenario's `world` into the sandbox's AWS.

Writes state directly, so that nothing of it shows in CloudTrail or among the calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sandbox.aws.cloudhsm import new_hsm
from sandbox.aws.cloudhsm_backups import DAY, keep_backup
from sandbox.aws.kms_stores import LASTING_ERRORS
from sandbox.aws.regions import Cluster, Durations, KeyStore, Login, Phase, Region, new_id
from sandbox.aws.seed_keys import YEAR, add_keys, add_others, duration
from sandbox.aws.server import AwsServer
from sandbox.aws.world import Place, Seeded, world_now

__all__ = ["seed", "world_now"]

REGION = "us-east-1"
ZONES, USUAL = "abcdefghijklmnopqrstuvwxyz", 6  # letters, and how many a Region has


def seed(
    server: AwsServer, world: Mapping[str, Any], *, accounts: Sequence[str], now: datetime
) -> Seeded:
    """Create everything that SCENARIOS.md's `world` says. Ids are taken as given."""
    places: dict[str, Place] = {}
    clusters, stores = world.get("clusters") or [], world.get("key_stores") or []
    for entry in clusters:
        places[entry["id"]] = Place(entry.get("account", accounts[0]), entry.get("region", REGION))
    home = places[clusters[0]["id"]] if clusters else Place(accounts[0], REGION)
    for entry in stores:
        places[entry["id"]] = places.get(entry["cluster"], home)
    with server.regions.lock:
        server.regions.durations = _durations(world.get("durations") or {})
        for entry in clusters:
            _add_cluster(_region(server, places[entry["id"]]), entry, server=server, now=now)
        for entry in stores:
            _add_store(_region(server, places[entry["id"]]), entry, server=server, now=now)
        keys = add_keys(server, world.get("keys") or [], places=places, now=now)
        others = add_others(_region(server, home), int(world.get("other_keys", 0)), now=now)
        for place in {*places.values(), home}:
            server.await_deletions(place.account, place.region)
    server.seeded = Seeded(home, keys, others)
    return server.seeded


def _region(server: AwsServer, place: Place) -> Region:
    return server.regions.at(place.account, place.region)


def _durations(given: Mapping[str, str]) -> Durations:
    return replace(Durations(), **{name: duration(text) for name, text in given.items()})


def _add_cluster(
    region: Region, entry: Mapping[str, Any], *, server: AwsServer, now: datetime
) -> None:
    clients, hsms = entry.get("clients", 0), int(entry.get("hsms", 2))
    cluster = Cluster(
        id=entry["id"],
        account=region.account,
        region=region.name,
        certificate=entry.get("certificate", f"lineage of {entry['id']}"),
        phase=_cluster_phase(entry.get("state", "ACTIVE"), server, now=now),
        created=now - YEAR,
        zones={region.name + zone: new_id("subnet-", 17) for zone in ZONES[: max(hsms, USUAL)]},
        vpc=new_id("vpc-", 17),
        security_group=new_id("sg-", 17),
        clients=None if clients == "unknown" else int(clients),
        tags={key: str(value) for key, value in (entry.get("tags") or {}).items()},
    )
    region.clusters[cluster.id] = cluster
    for zone in list(cluster.zones)[:hsms]:
        cluster.hsms.append(new_hsm(cluster, zone, phase=Phase("ACTIVE")))
    made = [now - duration(backup["age"]) for backup in entry.get("backups") or []]
    for moment in made:
        keep_backup(region, cluster.id, created=moment, ready=moment)
    cluster.backed_up_until = max([*made, now - DAY]) if made else now


def _cluster_phase(state: str, server: AwsServer, *, now: datetime) -> Phase:
    if state == "DELETE_IN_PROGRESS":
        return Phase(state, now + server.regions.durations.delete_cluster, "DELETED")
    return Phase(state)


def _add_store(
    region: Region, entry: Mapping[str, Any], *, server: AwsServer, now: datetime
) -> None:
    cluster, error = region.clusters.get(entry["cluster"]), entry.get("error")
    store = KeyStore(
        id=entry["id"],
        name=entry.get("name", entry["id"]),
        cluster_id=entry["cluster"],
        lineage=cluster.certificate if cluster else f"lineage of {entry['cluster']}",
        phase=_store_phase(entry.get("state", "CONNECTED"), server, now=now),
        created=now - YEAR,
        trust_anchor="-----BEGIN CERTIFICATE-----\ntrust anchor\n-----END CERTIFICATE-----\n",
    )
    if store.phase.state == "FAILED":
        store.error = error or "INTERNAL_ERROR"
        store.flaw = store.error if store.error in LASTING_ERRORS else None
    region.stores[store.id] = store
    if store.phase.state in ("CONNECTED", "DISCONNECTING"):
        region.logins.append(Login(store.id, store.cluster_id, store.created))


def _store_phase(state: str, server: AwsServer, *, now: datetime) -> Phase:
    durations = server.regions.durations
    match state:
        case "CONNECTING":
            return Phase(state, now + durations.connect, "CONNECTED")
        case "DISCONNECTING":
            return Phase(state, now + durations.disconnect, "DISCONNECTED")
    return Phase(state)
