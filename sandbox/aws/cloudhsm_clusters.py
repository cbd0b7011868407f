"""CloudHSM clusters that are made or change their form, and the states that they pass through.

Rules: CreateCluster and ModifyCluster of the CloudHSM API reference; "Creating a cluster from a backup"
and "Migrating from hsm1.medium to hsm2m.medium" of the CloudHSM user guide. A copy is not initialized
or activated: its first HSM makes it ACTIVE, with the users, keys and certificate of the old cluster.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.cloudhsm_backups import find_backup
from sandbox.aws.cloudhsm_replies import described, invalid
from sandbox.aws.contents import Contents
from sandbox.aws.regions import (
    BASE32,
    HSM_TYPE,
    MODE,
    Backup,
    Cluster,
    Phase,
    Region,
    Regions,
    new_id,
)
from sandbox.aws.subnets import subnets_of

OLD_TYPE, OTHER_MODE = "hsm1.medium", "NON_FIPS"
SHORTEST_RETENTION, LONGEST_RETENTION, USUAL_RETENTION = 7, 379, 90  # days
ROLLBACK = timedelta(hours=24)
MOST_HSMS_TO_MODIFY = 27


def create_cluster(regions: Regions, visit: RequestContext) -> dict[str, Any]:
    """A cluster that still has to be claimed, or a copy of one that needs only an HSM."""
    region, params = regions.at(visit.account, visit.region), visit.params
    if params["HsmType"] != HSM_TYPE:
        raise invalid(f"Clusters are made of {HSM_TYPE}, and no longer of {params['HsmType']}.")
    if params.get("NetworkType", "IPV4") != "IPV4":
        raise invalid("The sandbox has clusters of the network type IPV4 alone.")
    backup = _source(region, visit)
    zones, vpc = _places(region, params["SubnetIds"], now=visit.now)
    cluster_id = new_id("cluster-", 11, alphabet=BASE32)
    made = visit.now + regions.durations.create_cluster
    cluster = Cluster(
        id=cluster_id,
        account=region.account,
        region=region.name,
        certificate=backup.certificate if backup else f"certificate of {cluster_id}",
        phase=Phase("CREATE_IN_PROGRESS", made, "UNINITIALIZED"),
        created=visit.now,
        zones=zones,
        vpc=vpc,
        security_group=new_id("sg-", 17),
        mode=params.get("Mode", _usual_mode(region, backup)),
        source=backup.id if backup else None,
        contents=backup.contents.at(visit.now) if backup else Contents(),
        tags={tag["Key"]: tag["Value"] for tag in params.get("TagList", [])},
        backed_up_until=visit.now,
        retention_days=_retention(visit) or USUAL_RETENTION,
    )
    region.clusters[cluster.id] = cluster
    return {"Cluster": described(cluster, visit)}


def modify_cluster(regions: Regions, visit: RequestContext, *, cluster: Cluster) -> dict[str, Any]:
    """Other HSMs, one after the other, or another retention of backups."""
    days, wanted = _retention(visit), visit.params.get("HsmType")
    if days is None and wanted is None:
        raise invalid("Give an HsmType or a BackupRetentionPolicy.")
    if wanted is not None:
        _change_type(regions, visit, cluster=cluster, wanted=wanted)
    cluster.retention_days = days or cluster.retention_days
    return {"Cluster": described(cluster, visit)}


def settle_cluster(region: Region, cluster: Cluster, *, now: datetime) -> None:
    """Bring a cluster up to this moment. A deleted one is no longer described; its subnets stay."""
    if cluster.state(now) == "DELETED":
        if "A-DELETED-CLUSTER" in region.differs:
            cluster.phase = Phase("DELETE_IN_PROGRESS", now + timedelta(minutes=1), "DELETED")
            return
        region.deleted[cluster.id] = region.clusters.pop(cluster.id)
        if "A-BACKUPS-OUTLIVE" in region.differs:
            own = [name for name, b in region.backups.items() if b.cluster_id == cluster.id]
            for name in own:
                del region.backups[name]
    elif cluster.phase.until is not None and now >= cluster.phase.until:
        cluster.phase = Phase(cluster.phase.then)
        cluster.hsm_type, cluster.next_type = cluster.next_type or cluster.hsm_type, None


def _source(region: Region, visit: RequestContext) -> Backup | None:
    reference = visit.params.get("SourceBackupId")
    if reference is None:
        return None
    backup = find_backup(region, reference, now=visit.now, needs="READY")
    is_other = visit.params.get("Mode", backup.mode) != backup.mode
    if is_other and "A-COPY-MODE" not in region.differs:
        raise invalid(f"Backup {backup.id} is of the mode {backup.mode}, and stays so.")
    return backup


def _usual_mode(region: Region, backup: Backup | None) -> str:
    """If none is given."""
    if backup is None:
        return MODE
    return OTHER_MODE if "A-COPY-MODE" in region.differs else backup.mode


def _places(region: Region, subnets: list[str], *, now: datetime) -> tuple[dict[str, str], str]:
    """The subnet of each Availability Zone, and their VPC."""
    known = subnets_of(region, now=now)
    if strange := next((one for one in subnets if one not in known), None):
        text = f"There is no subnet {strange}."
        if "A-BAD-SUBNET" in region.differs:
            raise AwsError("CloudHsmServiceException", text)
        raise invalid(text)
    zones = {known[one].zone: one for one in subnets}
    if len(zones) < len(subnets):
        raise invalid("Give one subnet for each Availability Zone.")
    vpcs = {known[one].vpc for one in subnets}
    if len(vpcs) > 1:
        raise invalid("All subnets of a cluster are in one VPC.")
    return zones, vpcs.pop()


def _retention(visit: RequestContext) -> int | None:
    policy = visit.params.get("BackupRetentionPolicy")
    if policy is None:
        return None
    days = int(policy.get("Value") or 0)
    if policy.get("Type") != "DAYS" or not SHORTEST_RETENTION <= days <= LONGEST_RETENTION:
        text = f"Backups are kept {SHORTEST_RETENTION} to {LONGEST_RETENTION} DAYS."
        raise invalid(text)
    return days


def _change_type(regions: Regions, visit: RequestContext, *, cluster: Cluster, wanted: str) -> None:
    """To hsm2m.medium, and back for a day."""
    state, live = cluster.state(visit.now), cluster.live_hsms(visit.now)
    if state != "ACTIVE":
        raise invalid(f"Cluster {cluster.id} is {state}.")
    if len(live) > MOST_HSMS_TO_MODIFY:
        raise invalid(f"A cluster of more than {MOST_HSMS_TO_MODIFY} HSMs can't be modified.")
    until = visit.now + regions.durations.modify_hsm * len(live)
    if (cluster.hsm_type, wanted) == (OLD_TYPE, HSM_TYPE):
        cluster.phase = Phase("MODIFY_IN_PROGRESS", until, "ACTIVE")
        cluster.rollback_until = visit.now + ROLLBACK
    elif (cluster.hsm_type, wanted) == (HSM_TYPE, OLD_TYPE) and _may_go_back(cluster, visit):
        cluster.phase = Phase("ROLLBACK_IN_PROGRESS", until, "ACTIVE")
        cluster.rollback_until = None
    else:
        raise invalid(f"Cluster {cluster.id} can't go from {cluster.hsm_type} to {wanted}.")
    cluster.next_type = wanted


def _may_go_back(cluster: Cluster, visit: RequestContext) -> bool:
    return cluster.rollback_until is not None and visit.now < cluster.rollback_until
