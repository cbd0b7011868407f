"""The account and Region that are rehearsed in, and what a rehearsal has tagged there. Removes only that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from ops.command_context import CommandContext
from ops.errors import OperatorError
from ops.exits import Exit
from ops.hub import Hub
from ops.probing import seen
from ops.probing.waiting import wait_for

TAG = "unlatch-rehearsal"
ALLOWED = {"Key": "unlatch", "Value": "allow"}
"""For accounts whose stack lets the executor delete such clusters only."""
HSM_MOST, CLUSTER_MOST = timedelta(minutes=60), timedelta(minutes=30)
SHOWN_MOST = timedelta(minutes=10)
WEEK = 7
"""Days; the shortest window that KMS takes."""
Item = Mapping[str, Any]


@dataclass(frozen=True)
class There:
    """Acts with the operator’s own credentials of that account."""

    hub: Hub
    session: Any
    account: str
    region: str

    def client(self, service: str) -> Any:
        return self.session.client(service, region_name=self.region)

    @property
    def clean_command(self) -> str:
        place = f"--account {self.account} --region {self.region}"
        return f"unlatch rehearse --clean --stage {self.hub.stage} {place}"


def go_there(hub: Hub, account: str, region: str, *, profile: str | None) -> There:
    """Raises OperatorError unless the credentials are that account’s."""
    session = boto3.Session(profile_name=profile) if profile else hub.session
    own = session.client("sts", region_name=region).get_caller_identity()["Account"]
    if own != account:
        raise OperatorError(
            f"Your credentials are for account {own}, not {account}.",
            "Name a profile of that account: --account-profile",
            code=Exit.USAGE,
        )
    return There(hub, session, account, region)


def tags(name: str) -> list[dict[str, str]]:
    return [{"Key": TAG, "Value": name}, ALLOWED]


def rehearsed(there: There) -> list[Item]:
    """Clusters that carry the tag and are not gone."""
    return [
        one
        for one in seen.clusters(there.client)
        if one["State"] != "DELETED" and TAG in {tag["Key"] for tag in one.get("TagList", ())}
    ]


def backups_of(there: There, cluster_id: str) -> list[Item]:
    pages = there.client("cloudhsmv2").get_paginator("describe_backups")
    found = pages.paginate(Filters={"clusterIds": [cluster_id]})
    return [one for page in found for one in page["Backups"]]


def rehearsed_backups(there: There) -> list[str]:
    """Ids of backups that carry the tag, as one that was deleted and not taken back does."""
    pages = there.client("cloudhsmv2").get_paginator("describe_backups").paginate()
    shown = [one for page in pages for one in page["Backups"]]
    return [one["BackupId"] for one in shown if TAG in {t["Key"] for t in one.get("TagList", ())}]


def release_backup(there: There, backup_id: str) -> None:
    """As it was before the rehearsal: not waiting for its deletion, and without our tag."""
    hsms = there.client("cloudhsmv2")
    _quietly(lambda: hsms.restore_backup(BackupId=backup_id))
    hsms.untag_resource(ResourceId=backup_id, TagKeyList=[TAG])


def rehearsed_keys(there: There) -> list[str]:
    """Ids of keys that carry the tag and do not wait for their deletion yet."""
    kms = there.client("kms")
    pages = kms.get_paginator("list_keys").paginate()
    ids = [item["KeyId"] for page in pages for item in page["Keys"]]
    return [key_id for key_id in ids if _is_ours(kms, key_id)]


def _is_ours(kms: Any, key_id: str) -> bool:
    try:
        listed = kms.list_resource_tags(KeyId=key_id)["Tags"]
        if TAG not in {tag["TagKey"] for tag in listed}:
            return False
        state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        if code_of(error) in {"AccessDeniedException", "NotFoundException"}:
            return False
        raise
    return state not in {"PendingDeletion", "PendingReplicaDeletion"}


def clean(there: There, context: CommandContext, *, made: str = "") -> list[str]:
    """Takes away what is tagged. What is left after it, in words.

    `made`: a cluster that AWS has taken the order for and not shown yet.
    """
    left = []
    if made:
        _ = wait_for(
            context,
            f"{made} to be shown",
            lambda: seen.cluster(there.client, made),
            most=SHOWN_MOST,
        )
    for one in rehearsed(there):
        cluster_id = one["ClusterId"]
        context.say(f"Cleaning up: {cluster_id} and its HSMs")
        if not remove(there, context, cluster_id):
            left.append(f"cluster {cluster_id}")
    for backup_id in rehearsed_backups(there):
        release_backup(there, backup_id)
        context.say(f"Cleaning up: {backup_id} is taken back, and has no tag any more")
    for key_id in rehearsed_keys(there):
        if not _can_go_whole(there, key_id):
            left.append(f"key {key_id}: its key store has to be connected, or its material stays")
            continue
        reply = there.client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=WEEK)
        context.say(f"Cleaning up: key {key_id} goes on {reply['DeletionDate']:%Y-%m-%d}")
    return left


def _can_go_whole(there: There, key_id: str) -> bool:
    """KMS deletes key material only while the store is connected."""
    kms = there.client("kms")
    store = kms.describe_key(KeyId=key_id)["KeyMetadata"].get("CustomKeyStoreId")
    if store is None:
        return True
    shown = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
    return bool(shown[0]["ConnectionState"] == "CONNECTED")


def remove(there: There, context: CommandContext, cluster_id: str) -> bool:
    """Whether the cluster is gone. Waits for whatever is under way, ours or the bot’s."""
    gone = wait_for(
        context,
        f"the HSMs of {cluster_id} to go",
        lambda: _hsms_gone(there, cluster_id) or None,
        most=HSM_MOST,
    )
    if not gone.seen:
        return False
    _forget_backups(there, context, cluster_id)
    if _state(there, cluster_id) not in {None, "DELETE_IN_PROGRESS"}:
        _quietly(lambda: there.client("cloudhsmv2").delete_cluster(ClusterId=cluster_id))
    last = wait_for(
        context,
        f"{cluster_id} to go",
        lambda: _state(there, cluster_id) is None or None,
        most=CLUSTER_MOST,
    )
    return bool(last.seen)


def _forget_backups(there: There, context: CommandContext, cluster_id: str) -> None:
    """Those of a copy: the removal of its HSM made one."""
    for one in backups_of(there, cluster_id):
        try:
            _quietly(lambda one=one: _delete_backup(there, one["BackupId"]))
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            context.say(f"{one['BackupId']} stays until its retention ends: you may not delete it")


def _delete_backup(there: There, backup_id: str) -> None:
    there.client("cloudhsmv2").delete_backup(BackupId=backup_id)


def _hsms_gone(there: There, cluster_id: str) -> bool:
    """Asks for the removal of each that can be removed now."""
    one = seen.cluster(there.client, cluster_id)
    if one is None or one["State"] == "CREATE_IN_PROGRESS":
        return one is None
    hsms = [hsm for hsm in one.get("Hsms", ()) if hsm.get("State") != "DELETED"]
    for hsm in hsms:
        if hsm.get("State") in {"ACTIVE", "DEGRADED"}:
            hsm_id = hsm["HsmId"]
            call = there.client("cloudhsmv2").delete_hsm
            _quietly(lambda call=call, hsm_id=hsm_id: call(ClusterId=cluster_id, HsmId=hsm_id))
    return not hsms


def _state(there: There, cluster_id: str) -> str | None:
    one = seen.cluster(there.client, cluster_id)
    return None if one is None or one["State"] == "DELETED" else str(one["State"])


def _quietly(call: Any) -> None:
    """The bot may be doing the same: what AWS refuses now, the next look tells."""
    try:
        call()
    except ClientError as error:
        if code_of(error) not in {
            "CloudHsmInvalidRequestException",
            "CloudHsmResourceNotFoundException",
        }:
            raise
