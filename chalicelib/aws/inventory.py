"""Reads one cluster and all that hangs on it. Reads only, as the reader role of the target account."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.errors import translated, understood
from chalicelib.aws.key_search import KeySearch
from chalicelib.aws.keys import KeyReader
from chalicelib.aws.other_use import other_use
from chalicelib.aws.password import LOOKUP, connects, with_times
from chalicelib.aws.room import room
from chalicelib.aws.shapes import clusters_from, is_on_a_cluster, store_from
from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.remedies.repoint import targets
from chalicelib.domain.rules.outage import outage_in
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import CASE_TAG
from chalicelib.domain.state.snapshot import (
    SHOWN_KEYS,
    Backup,
    Cluster,
    Key,
    KeyStore,
    OtherUse,
    Snapshot,
    most_used,
)
from chalicelib.failures import PermanentError

if TYPE_CHECKING:
    from mypy_boto3_cloudhsmv2 import CloudHSMV2Client
    from mypy_boto3_kms import KMSClient

    from chalicelib.aws.clients import Clients


THREADS = 32


class KnownKeys(Protocol):
    """Which keys of an account and Region are known to be in no custom key store."""

    def load(self, account: str, region: str) -> set[bytes]: ...
    def add(self, account: str, region: str, digests: set[bytes]) -> None: ...


@dataclass(frozen=True)
class AwsInventory:
    """`pace` gives the pace for a call name; see aws/rate_limit.py."""

    accounts: Accounts
    reader_role: str
    known: KnownKeys
    pace: Callable[[str], Callable[[], None]]
    quiet_minutes: int
    recent_use_days: int = 30
    health_sessions: int = 2

    def snapshot(self, case: Case, *, now: datetime) -> Snapshot:
        """One look at the world. What AWS refuses to tell is listed in it; TemporaryError if it can't.
        The HSMs are read while the keys are; clients are made in one thread at a time."""
        clients = self._clients(case)
        kms = clients("kms")
        look = Look(clients("cloudhsmv2"), kms, self.reader_role, case, now)
        unread: list[str] = []
        with ThreadPoolExecutor(THREADS) as pool:
            reading = pool.submit(self._machines, look, clients)
            known = pool.submit(self.known.load, case.account, case.region)
            stores = look.key_stores(unread)
            keys, seen = self._keys(look, stores, unread, known, pool) if stores else ((), 0)
            keys += self._by_name(case, kms, keys) if unread else ()
            machines = reading.result()
        snapshot = Snapshot(
            at=now,
            account=case.account,
            region=case.region,
            cluster_id=case.cluster_id,
            cluster=machines.cluster,
            key_stores=stores,
            keys=keys,
            siblings=machines.siblings,
            other_use=machines.other_use,
            unread=(*machines.unread, *unread),
            keys_seen=seen,
            backups=machines.lost_backups,
        )
        return self._with_login(self._with_room(snapshot, case, machines, clients), case, clients)

    def _with_room(
        self, snapshot: Snapshot, case: Case, machines: Machines, clients: Clients
    ) -> Snapshot:
        """What a rescue has to know, and nobody else."""
        if outage_in(case, snapshot) is None:
            return snapshot
        known = rescue_subnets.listed(case, snapshot)
        who = {"role": self.reader_role, "account": case.account}
        found = room(clients("ec2"), machines.clusters, known, **who)
        return replace(snapshot, room=found)

    def _with_login(self, snapshot: Snapshot, case: Case, clients: Clients) -> Snapshot:
        """What tells of the password, only if a repoint may be approved: CloudTrail is slow to ask."""
        store, cluster = snapshot.holder, snapshot.cluster
        if case.plan or store is None or cluster is None or not targets(snapshot):
            return snapshot
        who = {"role": self.reader_role, "account": case.account}
        cluster, *siblings = with_times((cluster, *snapshot.siblings), clients("cloudhsmv2"), **who)
        connected = connects(
            clients("cloudtrail"),
            store.key_store_id,
            now=snapshot.at,
            pace=self.pace(LOOKUP),
            **who,
        )
        return replace(snapshot, cluster=cluster, siblings=tuple(siblings), connects=connected)

    def _machines(self, look: Look, clients: Clients) -> Machines:
        unread: list[str] = []
        clusters = look.clusters(unread)
        cluster = _own(clusters, look.case)
        backups = look.backups(unread)
        if cluster is not None:
            cluster, backups = replace(cluster, backups=backups), ()
        plan = look.case.plan
        minutes = plan.terms.quiet_minutes if plan else self.quiet_minutes
        seen = other_use(clients, cluster, now=look.now, minutes=max(1, minutes))
        seen = replace(seen, own=self.health_sessions)
        siblings = _siblings(cluster, clusters, case=look.case, backups=backups)
        return Machines(cluster, siblings, seen, tuple(unread), backups, clusters)

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:
        """The same with clusters and key stores as they are now, which takes two calls."""
        clients = self._clients(case)
        look = Look(clients("cloudhsmv2"), clients("kms"), self.reader_role, case, seen.at)
        unread: list[str] = []
        clusters, stores = look.clusters(unread), look.key_stores(unread)
        cluster = _own(clusters, case)
        if cluster is not None and seen.cluster is not None:
            cluster = replace(cluster, backups=seen.cluster.backups)
        return replace(
            seen,
            cluster=cluster,
            siblings=_siblings(cluster, clusters, case=case, backups=seen.backups),
            key_stores=stores,
            unread=(*seen.unread, *unread),
        )

    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot:
        """All clusters and stores of a place, in two calls; keys and all else are left out."""
        nobodys = Case("unlatch-outline", account, region, "", now)
        clients, unread = self._clients(nobodys), list[str]()
        look = Look(clients("cloudhsmv2"), clients("kms"), self.reader_role, nobodys, now)
        stores, clusters = look.stores(unread), look.clusters(unread)
        where = (now, account, region, "", None)
        return Snapshot(*where, stores, siblings=clusters, unread=tuple(unread))

    def reread(self, case: Case, key_id: str) -> Key:
        """One key, just before a call on it in a batch."""
        kms = self._clients(case)("kms")
        return KeyReader(kms, self.pace, self.reader_role, case.account).key(key_id, aliases=())

    def _clients(self, case: Case) -> Clients:
        return self.accounts.clients(
            self.reader_role,
            account=case.account,
            region=case.region,
            session_name=case.case_id,
        )

    def _by_name(self, case: Case, kms: KMSClient, found: Sequence[Key]) -> tuple[Key, ...]:
        """Keys that the case may have to bring back: a list that is refused must not hide them."""
        known = {key.key_id for key in found}
        recorded = [key.key_id for key in (case.before.keys if case.before else ())]
        reader = KeyReader(kms, self.pace, self.reader_role, case.account)
        return reader.by_name([key_id for key_id in recorded if key_id not in known])

    def _keys(
        self,
        look: Look,
        stores: Sequence[KeyStore],
        unread: list[str],
        known: Future[set[bytes]],
        pool: Executor,
    ) -> tuple[tuple[Key, ...], int]:
        """Grants are for the table of keys alone, which a plan under way no longer shows."""
        case, ids = look.case, {store.key_store_id for store in stores}
        reader = KeyReader(look.kms, self.pace, self.reader_role, case.account)
        remember = functools.partial(self.known.add, case.account, case.region)
        search = KeySearch(reader, pool, THREADS, known.result(), remember)
        found = search.found(ids, unread)
        if case.plan is not None:
            return found.keys, found.seen
        listed = most_used(found.keys, look.now, days=self.recent_use_days)[:SHOWN_KEYS]
        shown = {key.key_id for key in listed}
        return reader.with_grants(found.keys, shown, pool.map), found.seen


@dataclass(frozen=True)
class Machines:
    """What CloudHSM, CloudWatch and EC2 tell of a cluster."""

    cluster: Cluster | None
    siblings: tuple[Cluster, ...]
    other_use: OtherUse
    unread: tuple[str, ...]
    lost_backups: tuple[Backup, ...] = ()
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True)
class Look:
    """The reads of one snapshot."""

    hsms: CloudHSMV2Client
    kms: KMSClient
    role: str
    case: Case
    now: datetime

    def clusters(self, unread: list[str]) -> tuple[Cluster, ...]:
        pages = self.hsms.get_paginator("describe_clusters").paginate()
        items = self._read("cloudhsm:DescribeClusters", pages, "Clusters", unread)
        with understood("cloudhsm:DescribeClusters"):
            return clusters_from(items)

    def backups(self, unread: list[str]) -> tuple[Backup, ...]:
        filters = {"clusterIds": [self.case.cluster_id]}
        pages = self.hsms.get_paginator("describe_backups").paginate(Filters=filters)
        items = self._read("cloudhsm:DescribeBackups", pages, "Backups", unread)
        return tuple(
            Backup(
                item["BackupId"],
                BackupState(item["BackupState"]),
                item["CreateTimestamp"],
                bool(item.get("NeverExpires")),
                item.get("Mode", ""),
            )
            for item in items
        )

    def key_stores(self, unread: list[str]) -> tuple[KeyStore, ...]:
        """The store that holds the cluster and the one that the plan names."""
        mine, plan = self.case.cluster_id, self.case.current_plan
        planned, stores = plan.key_store_id if plan else None, self.stores(unread)
        return tuple(s for s in stores if s.cluster_id == mine or s.key_store_id == planned)

    def stores(self, unread: list[str]) -> tuple[KeyStore, ...]:
        """All but external ones."""
        pages = self.kms.get_paginator("describe_custom_key_stores").paginate()
        items = self._read("kms:DescribeCustomKeyStores", pages, "CustomKeyStores", unread)
        with understood("kms:DescribeCustomKeyStores"):
            return tuple(store_from(item) for item in items if is_on_a_cluster(item))

    def _read(self, call: str, pages: Iterable[Any], name: str, unread: list[str]) -> list[Any]:
        """All items of all pages; a refusal is noted, trouble is raised as TemporaryError."""
        try:
            with translated(call, role=self.role, account=self.case.account):
                return [item for page in pages for item in page[name]]
        except PermanentError:
            unread.append(f"{call} was refused")
            return []


def _own(clusters: Iterable[Cluster], case: Case) -> Cluster | None:
    return next((c for c in clusters if c.cluster_id == case.cluster_id), None)


def _siblings(
    cluster: Cluster | None,
    clusters: Iterable[Cluster],
    *,
    case: Case,
    backups: tuple[Backup, ...],
) -> tuple[Cluster, ...]:
    """Other clusters that share its backup history: the same certificate, or made from its backups."""
    known = cluster or case.last_cluster
    certificate = known.certificate if known else ""
    made_from = {backup.backup_id for backup in (cluster.backups if cluster else backups)}
    return tuple(
        c
        for c in clusters
        if c.cluster_id != case.cluster_id
        and (
            (certificate and c.certificate == certificate)
            or c.source_backup in made_from
            or (CASE_TAG, case.case_id) in c.tags
        )
    )
