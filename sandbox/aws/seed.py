"""Puts a scenario's `world` into the sandbox's AWS.

Writes state directly, so that nothing of it shows in CloudTrail or among the calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.ages import parse_age
from sandbox.aws.cloud import Cloud, Place, Seeded
from sandbox.aws.cloudhsm import new_hsm
from sandbox.aws.cloudhsm_backups import DAY, keep_backup
from sandbox.aws.kms_stores import LASTING_ERRORS
from sandbox.aws.regions import (
    HEALTH_SESSIONS,
    HSM_TYPE,
    MODE,
    TRUST_ANCHOR,
    Cluster,
    Durations,
    Interface,
    KeyStore,
    Login,
    Phase,
    Region,
    new_id,
)
from sandbox.aws.seed_history import Copies, connect_once, record_connects
from sandbox.aws.seed_keys import YEAR, add_keys, add_others
from sandbox.aws.world import world_now

__all__ = ["seed", "world_now"]

REGION = "us-east-1"
CONNECTED_AGO = timedelta(days=400)
ZONES, USUAL = "abcdefghijklmnopqrstuvwxyz", 6  # letters, and how many a Region has


def seed(
    server: Cloud, world: Mapping[str, Any], *, accounts: Sequence[str], now: datetime
) -> Seeded:
    """Create everything that SCENARIOS.md's `world` says. Ids are taken as given."""
    clusters, stores = world.get("clusters") or [], world.get("key_stores") or []
    home = _place(clusters[0], accounts) if clusters else Place(accounts[0], REGION)
    places = {entry["id"]: _place(entry, accounts) for entry in clusters}
    places |= {entry["id"]: places.get(entry["cluster"], home) for entry in stores}
    copies = Copies(now)
    with server.regions.lock:
        server.regions.usual_durations = _durations(world.get("durations") or {})
        for entry in clusters:
            cluster = _add_cluster(server, places[entry["id"]], entry, now=now)
            copies.add(cluster, entry.get("from_backup"))
        for entry in stores:
            _add_store(server, places[entry["id"]], entry, copies=copies, now=now)
        for region in (_region(server, place) for place in set(places.values())):
            record_connects(server, region, region.stores.values())
        keys = add_keys(server, world.get("keys") or [], places=places, copies=copies, now=now)
        for entry in clusters:
            _add_backups(_region(server, places[entry["id"]]), entry, copies=copies, now=now)
        for entry in world.get("interfaces") or []:
            _add_interface(_region(server, places[entry["cluster"]]), entry)
        others = add_others(_region(server, home), int(world.get("other_keys", 0)), now=now)
        for place in {*places.values(), home}:
            server.await_deletions(place.account, place.region)
    server.seeded = Seeded(home, keys, others)
    return server.seeded


def _place(cluster: Mapping[str, Any], accounts: Sequence[str]) -> Place:
    return Place(cluster.get("account", accounts[0]), cluster.get("region", REGION))


def _region(server: Cloud, place: Place) -> Region:
    return server.regions.at(place.account, place.region)


def _durations(given: Mapping[str, str]) -> Durations:
    return replace(Durations(), **{name: parse_age(text) for name, text in given.items()})


def _add_cluster(
    server: Cloud, place: Place, entry: Mapping[str, Any], *, now: datetime
) -> Cluster:
    clients, hsms = entry.get("clients", 0), int(entry.get("hsms", 2))
    region = _region(server, place)
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
        health_sessions=int(entry.get("health_sessions", HEALTH_SESSIONS)),
        hsm_type=entry.get("hsm_type", HSM_TYPE),
        mode=entry.get("mode", MODE),
        tags={key: str(value) for key, value in (entry.get("tags") or {}).items()},
    )
    region.clusters[cluster.id] = cluster
    for zone in list(cluster.zones)[:hsms]:
        cluster.hsms.append(new_hsm(cluster, zone, phase=Phase("ACTIVE")))
    return cluster


def _add_backups(
    region: Region, entry: Mapping[str, Any], *, copies: Copies, now: datetime
) -> None:
    """Once all is known that is in them."""
    cluster = region.clusters[entry["id"]]
    made = [now - parse_age(backup["age"]) for backup in entry.get("backups") or []]
    for moment in made:
        keep_backup(region, cluster, created=moment, ready=moment)
    cluster.backed_up_until = max([*made, now - DAY]) if made else now
    copies.keep_source(region, cluster)


def _add_interface(region: Region, entry: Mapping[str, Any]) -> None:
    managed = bool(entry.get("requester_managed", False))
    made = Interface(
        new_id("eni-", 17), entry.get("description", ""), entry.get("requester"), managed
    )
    region.clusters[entry["cluster"]].interfaces.append(made)


def _cluster_phase(state: str, server: Cloud, *, now: datetime) -> Phase:
    if state == "DELETE_IN_PROGRESS":
        return Phase(state, now + server.regions.durations.delete_cluster, "DELETED")
    return Phase(state)


def _add_store(
    server: Cloud, place: Place, entry: Mapping[str, Any], *, copies: Copies, now: datetime
) -> None:
    region = _region(server, place)
    cluster, error = region.clusters.get(entry["cluster"]), entry.get("error")
    store = KeyStore(
        id=entry["id"],
        name=entry.get("name", entry["id"]),
        cluster_id=entry["cluster"],
        lineage=cluster.certificate if cluster else f"lineage of {entry['cluster']}",
        phase=_store_phase(entry.get("state", "CONNECTED"), server, now=now),
        created=now - YEAR,
        trust_anchor=TRUST_ANCHOR,
    )
    if store.phase.state == "FAILED":
        store.error = error or "INTERNAL_ERROR"
        store.flaw = store.error if store.error in LASTING_ERRORS else None
    region.stores[store.id] = store
    connected = now - parse_age(entry.get("connected_at", CONNECTED_AGO))
    connect_once(copies, region, store, at=connected)
    if store.phase.state in ("CONNECTED", "DISCONNECTING"):
        region.logins.append(Login(store.id, store.cluster_id, connected))


def _store_phase(state: str, server: Cloud, *, now: datetime) -> Phase:
    durations = server.regions.durations
    match state:
        case "CONNECTING":
            return Phase(state, now + durations.connect, "CONNECTED")
        case "DISCONNECTING":
            return Phase(state, now + durations.disconnect, "DISCONNECTED")
    return Phase(state)
