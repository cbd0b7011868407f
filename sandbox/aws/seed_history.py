"""The past of a scenario's clusters and key stores: which are copies, and the connects before it begins.

The first cluster of a certificate is the original; the others were made from a backup of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.ages import parse_age
from sandbox.aws.calls import Request, RequestContext
from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudhsm_backups import RETENTION, keep_backup
from sandbox.aws.regions import Cluster, KeyStore, Region

COPIED_AGO = timedelta(minutes=1)
SDK = "aws-sdk-go-v2/1.32.5"


class Copies:
    """Which clusters of a world hold what another one held at a moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._originals: dict[str, Cluster] = {}
        self._copied_at: dict[str, datetime] = {}
        self._all: list[Cluster] = []

    def add(self, cluster: Cluster, given: Mapping[str, Any] | None) -> None:
        """In the order of the world; `given` is its `from_backup`."""
        self._all.append(cluster)
        original = self._originals.setdefault(cluster.certificate, cluster)
        if given is not None or original is not cluster:
            ago = parse_age(given["age"]) if given is not None else COPIED_AGO
            self._copied_at[cluster.id] = cluster.created = self._now - ago

    def knowing(self, cluster: Cluster, moment: datetime) -> list[Cluster]:
        """The cluster, and those that share what it had at this moment."""
        return [
            other
            for other in self._all
            if other is cluster
            or (
                other.certificate == cluster.certificate
                and moment <= min(self._shared_until(other), self._shared_until(cluster))
            )
        ]

    def keep_source(self, region: Region, cluster: Cluster) -> None:
        """The backup that a copy was made from; AWS still shows it."""
        made = self._copied_at.get(cluster.id)
        if made is None:
            return
        original = self._originals[cluster.certificate]
        backup = keep_backup(region, original, created=made, ready=made)
        if original is cluster:
            backup.cluster_id = f"{cluster.id[:-3]}old"  # of a cluster that is no more
        backup.never_expires = self._now - made >= RETENTION
        cluster.source = backup.id

    def _shared_until(self, cluster: Cluster) -> datetime:
        return self._copied_at.get(cluster.id, self._now)


def connect_once(copies: Copies, region: Region, store: KeyStore, *, at: datetime) -> None:
    """The store's last connect gave kmsuser a new password, also in what was copied since."""
    store.password, store.created = at, min(store.created, at)
    cluster = region.clusters.get(store.cluster_id)
    if cluster is not None:
        for other in copies.knowing(cluster, at):
            other.contents.passwords.append(at)


def record_connects(server: Cloud, region: Region, stores: Iterable[KeyStore]) -> None:
    """What CloudTrail still tells of the last connects, oldest first."""
    for store in sorted(stores, key=lambda store: store.password):
        server.trail.add_past(_connect(server, region, store))


def _connect(server: Cloud, region: Region, store: KeyStore) -> RequestContext:
    arn = f"arn:aws:sts::{region.account}:assumed-role/operations/somebody-else"
    issued = server.identity.register(region.account, arn)
    identity = replace(server.identity.find(issued.access_key_id), since=store.password)
    request = Request(
        service="kms",
        operation="ConnectCustomKeyStore",
        params={"CustomKeyStoreId": store.id},
        protocol="json",
        region=region.name,
        access_key=issued.access_key_id,
        user_agent=SDK,
        body=b"",
        peer_port=0,
    )
    about = {"customKeyStoreName": store.name, "clusterId": store.cluster_id}
    return RequestContext(request, identity, store.password, remarks=about)
