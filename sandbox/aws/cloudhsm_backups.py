"""Backups of CloudHSM clusters: one a day while HSMs live, and one for each deleted HSM."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.paging import token_page
from sandbox.aws.regions import BASE32, Backup, Cluster, Phase, Region, new_id

DAY = timedelta(days=1)
REGRET = timedelta(days=7)  # from DeleteBackup until a backup is gone
SLOW_RESTORE = timedelta(minutes=5)  # in an AWS that takes its time
RETENTION = timedelta(days=90)
BACKUPS_PER_PAGE = 50
FILTERS = frozenset({"backupIds", "sourceBackupIds", "clusterIds", "states", "neverExpires"})


def catch_up_backups(region: Region, cluster: Cluster, *, now: datetime) -> None:
    """Make the automatic backups that are due; call it before anything changes the HSMs."""
    if cluster.backed_up_until is None or not cluster.was_activated(now):
        return
    if not any(hsm.serves(now) for hsm in cluster.hsms):
        return
    while cluster.backed_up_until + DAY <= now:
        due = cluster.backed_up_until + DAY
        keep_backup(region, cluster, created=due, ready=due)
        cluster.backed_up_until = due


def keep_backup(region: Region, cluster: Cluster, *, created: datetime, ready: datetime) -> Backup:
    backup = Backup(
        id=new_id("backup-", 11, alphabet=BASE32),
        cluster_id=cluster.id,
        created=created,
        phase=Phase("CREATE_IN_PROGRESS", ready, "READY"),
        contents=cluster.contents.at(created),
        certificate=cluster.certificate,
        hsm_type=cluster.hsm_type,
        mode=cluster.mode,
    )
    region.backups[backup.id] = backup
    return backup


def describe_backups(region: Region, visit: RequestContext) -> dict[str, Any]:
    filters = visit.params.get("Filters") or {}
    if set(filters) - FILTERS:
        text = f"Unknown filter {min(set(filters) - FILTERS)}."
        raise AwsError("CloudHsmInvalidRequestException", text)
    found = [b for b in region.backups.values() if _matches(b, filters, now=visit.now)]
    oldest_first = bool(visit.params.get("SortAscending"))
    found.sort(key=lambda backup: (backup.created, backup.id), reverse=not oldest_first)
    names = [backup.id for backup in found]
    chosen, more = token_page(visit.params, names, most=BACKUPS_PER_PAGE)
    backups = [_described(region, region.backups[name], now=visit.now) for name in chosen]
    return {"Backups": backups, **more}


def modify_backup_attributes(region: Region, visit: RequestContext) -> dict[str, Any]:
    backup = find_backup(region, visit.params["BackupId"], now=visit.now, needs="READY")
    visit.changed = backup.never_expires != visit.params["NeverExpires"]
    backup.never_expires = visit.params["NeverExpires"]
    return {"Backup": _described(region, backup, now=visit.now)}


def delete_backup(region: Region, visit: RequestContext) -> dict[str, Any]:
    """It can be restored for a week."""
    backup = find_backup(region, visit.params["BackupId"], now=visit.now, needs="READY")
    backup.phase = Phase("PENDING_DELETION", visit.now + REGRET, "DELETED")
    return {"Backup": _described(region, backup, now=visit.now)}


def restore_backup(region: Region, visit: RequestContext) -> dict[str, Any]:
    name = visit.params["BackupId"]
    backup = find_backup(region, name, now=visit.now, needs="PENDING_DELETION")
    backup.phase = Phase("READY")
    if "A-RESTORE-AT-ONCE" in region.differs:
        backup.phase = Phase("PENDING_DELETION", visit.now + SLOW_RESTORE, "READY")
    return {"Backup": _described(region, backup, now=visit.now)}


def find_backup(region: Region, reference: str, *, now: datetime, needs: str) -> Backup:
    """A backup of this Region by id or ARN, which has to be in the state that the call needs."""
    name = reference.removeprefix(region.arn("cloudhsm", "backup/"))
    backup = region.backups.get(name)
    if backup is None or backup.state(now) == "DELETED":
        text = f"Backup {name} does not exist."
        raise AwsError("CloudHsmResourceNotFoundException", text)
    if backup.state(now) != needs:
        text = f"Backup {name} is {backup.state(now)}."
        raise AwsError("CloudHsmInvalidRequestException", text)
    return backup


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def _matches(backup: Backup, filters: dict[str, list[str]], *, now: datetime) -> bool:
    kept = str(backup.never_expires).lower()
    return (
        backup.state(now) != "DELETED"
        and backup.id in filters.get("backupIds", [backup.id])
        and not filters.get("sourceBackupIds")
        and backup.cluster_id in filters.get("clusterIds", [backup.cluster_id])
        and backup.state(now) in filters.get("states", [backup.state(now)])
        and kept in [wanted.lower() for wanted in filters.get("neverExpires", [kept])]
    )


def _described(region: Region, backup: Backup, *, now: datetime) -> dict[str, Any]:
    pending = backup.state(now) == "PENDING_DELETION"
    return {
        **({"DeleteTimestamp": backup.phase.until} if pending else {}),
        "BackupId": backup.id,
        "BackupArn": region.arn("cloudhsm", f"backup/{backup.id}"),
        "BackupState": backup.state(now),
        "ClusterId": backup.cluster_id,
        "CreateTimestamp": backup.created,
        "NeverExpires": backup.never_expires,
        "TagList": tag_list(backup.tags),
        "HsmType": backup.hsm_type,
        "Mode": backup.mode,
    }
