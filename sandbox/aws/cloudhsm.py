"""The sandbox's CloudHSM: clusters, HSMs, backups and tags over time.

Whether a custom key store blocks DeleteCluster is not documented; `blocked_by` plays both worlds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext, not_served
from sandbox.aws.cloudhsm_backups import (
    catch_up_backups,
    delete_backup,
    describe_backups,
    keep_backup,
    modify_backup_attributes,
    restore_backup,
    tag_list,
)
from sandbox.aws.cloudhsm_clusters import create_cluster, modify_cluster, settle_cluster
from sandbox.aws.cloudhsm_replies import described, described_hsm, invalid, missing
from sandbox.aws.paging import token_page
from sandbox.aws.regions import (
    BASE32,
    HSMS_STAY,
    Cluster,
    Hsm,
    Phase,
    Region,
    Regions,
    new_id,
)
from sandbox.aws.subnets import subnets_of

CLUSTERS_PER_PAGE = 25
MOST_HSMS = 28
LONG_UNSETTLED = timedelta(minutes=4)
LONG_UNTAGGED = timedelta(minutes=8)


class CloudHsm:
    """Answers CloudHSM's calls, all of them: moto's clusters are of another world."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers = {
            "DescribeClusters": self.describe_clusters,
            "CreateCluster": lambda visit: create_cluster(self._regions, visit),
            "ModifyCluster": lambda visit: modify_cluster(
                self._regions, visit, cluster=self._cluster(visit)
            ),
            "CreateHsm": self.create_hsm,
            "DeleteHsm": self.delete_hsm,
            "DeleteCluster": self.delete_cluster,
            "DescribeBackups": lambda visit: describe_backups(self._region(visit), visit),
            "ModifyBackupAttributes": lambda v: modify_backup_attributes(self._region(v), v),
            "DeleteBackup": lambda visit: delete_backup(self._region(visit), visit),
            "RestoreBackup": lambda visit: restore_backup(self._region(visit), visit),
            "ListTags": self.list_tags,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
        }

    def answer(self, visit: RequestContext) -> dict[str, Any]:
        """The result. Raises AwsError. Call it with the regions' lock held."""
        handler = self.handlers.get(visit.request.operation)
        if handler is None:
            raise not_served(visit.request)
        return handler(visit)

    def describe_clusters(self, visit: RequestContext) -> dict[str, Any]:
        region = self._region(visit)
        clusters = _filtered(_seen(region, visit), visit)
        names = [cluster.id for cluster in sorted(clusters, key=lambda c: (c.created, c.id))]
        chosen, more = token_page(visit.params, names, most=CLUSTERS_PER_PAGE)
        shown = [described(region.clusters[name], visit) for name in chosen]
        if "A-TAG-IN-5-MINUTES" in region.differs:
            young = [n for n in chosen if visit.now - region.clusters[n].created < LONG_UNTAGGED]
            shown = [one | {"TagList": []} if one["ClusterId"] in young else one for one in shown]
        return {"Clusters": shown, **more}

    def create_hsm(self, visit: RequestContext) -> dict[str, Any]:
        region, cluster = self._region(visit), self._cluster(visit)
        zone = visit.params["AvailabilityZone"]
        state = cluster.state(visit.now)
        if state not in ("UNINITIALIZED", "INITIALIZED", "ACTIVE", "DEGRADED"):
            raise invalid(f"Cluster {cluster.id} is {state}.")
        live = cluster.live_hsms(visit.now)
        if state == "UNINITIALIZED" and live:
            raise invalid(f"Cluster {cluster.id} is {state} and has its first HSM.")
        if zone not in cluster.zones:
            raise invalid(f"Cluster {cluster.id} has no subnet in {zone}.")
        subnet = subnets_of(region, now=visit.now).get(cluster.zones[zone])
        if subnet is None or subnet.free < 1:
            raise invalid(f"Subnet {cluster.zones[zone]} is not there, or has no free address.")
        if len(live) >= MOST_HSMS:
            raise invalid(f"Cluster {cluster.id} has {MOST_HSMS} HSMs, and may not have more.")
        if cluster.was_activated(visit.now) and not live:
            cluster.backed_up_until = visit.now  # the daily backups start afresh
            _restore_newest(region, cluster, visit)
        ready = visit.now + self._regions.durations.create_hsm
        hsm = new_hsm(cluster, zone, phase=Phase("CREATE_IN_PROGRESS", ready, "ACTIVE"))
        hsm.since, hsm.ip = ready, visit.params.get("IpAddress") or hsm.ip
        cluster.hsms.append(hsm)
        if state == "UNINITIALIZED" and cluster.source is not None:
            # The backup is restored onto the first HSM, and the cluster is what it was.
            until_told = "A-COPY-ACTIVE" in self._region(visit).differs
            cluster.phase = Phase(state, ready, "INITIALIZED" if until_told else "ACTIVE")
        return {"Hsm": described_hsm(cluster, hsm, visit=visit)}

    def delete_hsm(self, visit: RequestContext) -> dict[str, Any]:
        region, cluster = self._region(visit), self._cluster(visit)
        _hsms_may_change(cluster, visit)
        hsm = _chosen_hsm(cluster, visit)
        state = hsm.state(visit.now)
        if state in ("DELETE_IN_PROGRESS", "CREATE_IN_PROGRESS"):
            raise invalid(f"HSM {hsm.id} is {state}.")
        gone = visit.now + self._regions.durations.delete_hsm
        hsm.phase, hsm.gone_at = Phase("DELETE_IN_PROGRESS", gone, "DELETED"), visit.now
        if cluster.was_activated(visit.now):
            keep_backup(region, cluster, created=visit.now, ready=gone)
        return {"HsmId": hsm.id}

    def delete_cluster(self, visit: RequestContext) -> dict[str, Any]:
        region, cluster = self._region(visit), self._cluster(visit)
        checks = [partial(self._no_store, region, cluster), partial(_no_hsms, cluster, visit.now)]
        for check in reversed(checks) if "A-ORDER-OF-CHECKS" in region.differs else checks:
            check()
        _hsms_may_change(cluster, visit)
        state = cluster.state(visit.now)
        if state == "DELETE_IN_PROGRESS":
            raise invalid(f"Cluster {cluster.id} is {state}.")
        until = visit.now + self._regions.durations.delete_cluster
        cluster.phase = Phase("DELETE_IN_PROGRESS", until, "DELETED")
        told = described(cluster, visit)
        return {"Cluster": {**told, "StateMessage": "The cluster is being deleted."}}

    def _no_store(self, region: Region, cluster: Cluster) -> None:
        stores = [s.id for s in region.stores.values() if s.cluster_id == cluster.id]
        blocks = self._regions.blocked_by == "key_store" and "A-STORE-BLOCKS" not in region.differs
        if stores and blocks:
            raise AwsError(
                "CloudHsmClusterInUseException",
                f"Cluster {cluster.id} is associated with custom key store {stores[0]}.",
            )

    def list_tags(self, visit: RequestContext) -> dict[str, Any]:
        tags = self._tags(visit)
        chosen, more = token_page(visit.params, sorted(tags), most=100)
        return {"TagList": tag_list({key: tags[key] for key in chosen}), **more}

    def tag_resource(self, visit: RequestContext) -> dict[str, Any]:
        tags = self._tags(visit)
        tags.update({tag["Key"]: tag["Value"] for tag in visit.params["TagList"]})
        return {}

    def untag_resource(self, visit: RequestContext) -> dict[str, Any]:
        tags = self._tags(visit)
        for key in visit.params["TagKeyList"]:
            tags.pop(key, None)
        return {}

    def _region(self, visit: RequestContext) -> Region:
        return self._regions.at(visit.account, visit.region)

    def _cluster(self, visit: RequestContext) -> Cluster:
        cluster_id = visit.params["ClusterId"]
        clusters = self._region(visit).clusters
        if cluster_id not in clusters:
            raise missing(f"Cluster {cluster_id} does not exist.")
        return clusters[cluster_id]

    def _tags(self, visit: RequestContext) -> dict[str, str]:
        name = visit.params["ResourceId"].rsplit("/", 1)[-1]
        region = self._region(visit)
        if name in region.clusters:
            return region.clusters[name].tags
        if name in region.backups:
            return region.backups[name].tags
        raise missing(f"Resource {name} does not exist.")


def _no_hsms(cluster: Cluster, now: datetime) -> None:
    if cluster.live_hsms(now):
        raise invalid(
            f"Cluster {cluster.id} still contains HSMs. Delete all HSMs in the cluster first."
        )


def _seen(region: Region, visit: RequestContext) -> Iterable[Cluster]:
    """All of them; if AWS takes long to agree with itself, a new one is not among them yet."""
    lag = LONG_UNSETTLED if "A-SETTLED-IN-2-MINUTES" in region.differs else timedelta(0)
    return [one for one in region.clusters.values() if one.created + lag <= visit.now]


def settle(region: Region, now: Any) -> None:
    """Bring clusters and backups up to this moment; deleted clusters are no longer described."""
    for cluster in list(region.clusters.values()):
        catch_up_backups(region, cluster, now=now)
        settle_cluster(region, cluster, now=now)


def new_hsm(cluster: Cluster, zone: str, *, phase: Phase) -> Hsm:
    """An HSM that has no id of somebody's choosing; the caller adds it to its cluster."""
    return Hsm(
        id=new_id("hsm-", 11, alphabet=BASE32),
        zone=zone,
        eni=new_id("eni-", 17),
        ip=f"10.0.{len(cluster.hsms) // 200}.{10 + len(cluster.hsms) % 200}",
        phase=phase,
        since=cluster.created,
    )


def _hsms_may_change(cluster: Cluster, visit: RequestContext) -> None:
    state = cluster.state(visit.now)
    if state in HSMS_STAY:
        raise invalid(f"Cluster {cluster.id} is {state}.")


def _restore_newest(region: Region, cluster: Cluster, visit: RequestContext) -> None:
    """The first HSM of a cluster that had some begins with what the newest backup holds."""
    made = [b for b in region.backups.values() if b.cluster_id == cluster.id]
    ready = [b for b in made if b.state(visit.now) == "READY"]
    if ready:
        newest = max(ready, key=lambda backup: backup.created)
        cluster.contents = newest.contents.at(visit.now)


def _chosen_hsm(cluster: Cluster, visit: RequestContext) -> Hsm:
    """The HSM by id, network interface or address."""
    wanted = {name: visit.params.get(name) for name in ("HsmId", "EniId", "EniIp")}
    if not any(wanted.values()):
        raise invalid("One of HsmId, EniId and EniIp is required.")
    for hsm in cluster.live_hsms(visit.now):
        if wanted["HsmId"] == hsm.id or wanted["EniId"] == hsm.eni or wanted["EniIp"] == hsm.ip:
            return hsm
    raise missing(f"Cluster {cluster.id} has no such HSM.")


def _filtered(clusters: Iterable[Cluster], visit: RequestContext) -> list[Cluster]:
    filters = visit.params.get("Filters") or {}
    unknown = set(filters) - {"clusterIds", "vpcIds", "states"}
    if unknown:
        raise invalid(f"Unknown filter {min(unknown)}.")
    return [
        cluster
        for cluster in clusters
        if cluster.id in filters.get("clusterIds", [cluster.id])
        and cluster.vpc in filters.get("vpcIds", [cluster.vpc])
        and cluster.state(visit.now) in filters.get("states", [cluster.state(visit.now)])
    ]
