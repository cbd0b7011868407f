"""What can be tried with a backup that the rehearsal’s parking made: deleted and taken back, and copied.

Deletes a backup only while a newer one, or the living cluster, has all that is in it; takes it back at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from ops.command_context import CommandContext
from ops.errors import OperatorError
from ops.probing import seen
from ops.probing.report import Findings, span
from ops.probing.there import (
    CLUSTER_MOST,
    HSM_MOST,
    There,
    backups_of,
    release_backup,
    remove,
    tags,
)
from ops.probing.waiting import wait_for

RESTORED, MODE, ACTIVE = "A-RESTORE-AT-ONCE", "A-COPY-MODE", "A-COPY-ACTIVE"
TYPE = "hsm2m.medium"
SLOW, SETTLED = timedelta(minutes=15), timedelta(minutes=10)
FEWEST = 2
OTHER = {"FIPS": "NON_FIPS", "NON_FIPS": "FIPS"}
Item = Mapping[str, Any]


@dataclass
class Copies:
    """`cluster` lives and its key store is connected; `since` is when the rehearsal began."""

    there: There
    context: CommandContext
    found: Findings
    name: str
    cluster: Item
    since: datetime

    def try_restore(self) -> None:
        """One that the parking made, if the cluster has others."""
        ready = [b for b in self._backups() if b["BackupState"] == "READY"]
        own = [b for b in ready if b["CreateTimestamp"] >= self.since]
        if not own or len(ready) < FEWEST:
            self.found.not_tried(
                RESTORED, "because the cluster has no other backup beside this one"
            )
            return
        backup_id = own[-1]["BackupId"]
        hsms = self.there.client("cloudhsmv2")
        try:
            hsms.tag_resource(ResourceId=backup_id, TagList=tags(self.name)[:1])
            hsms.delete_backup(BackupId=backup_id)
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            self.found.not_tried(RESTORED, "because your role may not tag or delete a backup")
            return
        hsms.restore_backup(BackupId=backup_id)
        self.context.say(f"{backup_id}, which parking made, was deleted and taken back")
        self._judge_restored(backup_id)
        release_backup(self.there, backup_id)

    def try_copy(self) -> None:
        """The newest backup as a cluster of its own, with one HSM. Whatever it raises, the caller cleans up."""
        ready = [b for b in self._backups() if b["BackupState"] == "READY"]
        if not ready:
            for name in (MODE, ACTIVE):
                self.found.not_tried(name, "because the cluster has no backup that is READY")
            return
        source = ready[0]
        self._ask_for_another_mode(source)
        made = self._made(source)
        if made:
            self._raise_up(made)
            remove(self.there, self.context, made)

    def _backups(self) -> list[Item]:
        """Newest first."""
        found = backups_of(self.there, self.cluster["ClusterId"])
        return sorted(found, key=lambda one: one["CreateTimestamp"], reverse=True)

    def _judge_restored(self, backup_id: str) -> None:
        def look() -> bool | None:
            shown = {b["BackupId"]: b["BackupState"] for b in self._backups()}
            return True if shown.get(backup_id) == "READY" else None

        waited = wait_for(self.context, f"{backup_id} to be READY", look, most=SLOW)
        took = span(waited.took)
        says = f"it was READY {took} after the call" if waited.seen else f"not READY after {took}"
        self.found.judge(RESTORED, holds=waited.took < timedelta(minutes=1), says=says)

    def _ask_for_another_mode(self, source: Item) -> None:
        other = OTHER.get(source.get("Mode", "FIPS"), "NON_FIPS")
        try:
            made = self._create(source, Mode=other)
        except ClientError as error:
            code = code_of(error)
            if code != "CloudHsmInvalidRequestException":
                raise
            self.found.held(MODE, f"{other} is refused for a backup of {source.get('Mode')}")
        else:
            says = f"a backup of {source.get('Mode')} became a cluster of {other}"
            self.found.differs(MODE, says)
            remove(self.there, self.context, made)

    def _made(self, source: Item) -> str:
        """Without a mode, which is the backup’s then. Empty if AWS wants one."""
        try:
            made = self._create(source)
        except ClientError as error:
            if code_of(error) != "CloudHsmInvalidRequestException":
                raise
            self.found.differs(MODE, f"without a mode AWS answers {code_of(error)}")
            return self._create(source, Mode=source["Mode"])
        shown = self._shown(made)
        holds = shown.get("Mode") == source.get("Mode")
        says = f"without a mode a backup of {source.get('Mode')} becomes a cluster of {shown.get('Mode')}"
        self.found.judge(MODE, holds=holds, says=says)
        return made

    def _create(self, source: Item, **mode: str) -> str:
        made = self.there.client("cloudhsmv2").create_cluster(
            HsmType=TYPE,
            SubnetIds=list(self.cluster["SubnetMapping"].values()),
            SourceBackupId=source["BackupId"],
            TagList=tags(self.name),
            **mode,
        )
        cluster_id = str(made["Cluster"]["ClusterId"])
        self.context.say(f"{cluster_id} is being made from {source['BackupId']}")
        return cluster_id

    def _shown(self, cluster_id: str) -> Item:
        waited = wait_for(
            self.context,
            f"{cluster_id} to be shown",
            lambda: seen.cluster(self.there.client, cluster_id),
            most=CLUSTER_MOST,
        )
        if waited.seen is None:
            raise OperatorError(f"{cluster_id} is not shown after {span(waited.took)}.")
        return waited.seen

    def _raise_up(self, cluster_id: str) -> None:
        """Its states on the way, with one HSM and without anybody who activates it."""
        new = self._until(
            cluster_id, lambda one: one["State"] != "CREATE_IN_PROGRESS", CLUSTER_MOST
        )
        if new["State"] != "UNINITIALIZED":
            self.found.differs(ACTIVE, f"a cluster made from a backup is {new['State']} at first")
        zone = next(iter(self.cluster["SubnetMapping"]))
        self.there.client("cloudhsmv2").create_hsm(ClusterId=cluster_id, AvailabilityZone=zone)
        self.context.say(f"One HSM is being made in {zone}. From now on it costs money")
        self._until(
            cluster_id,
            lambda one: any(h.get("State") == "ACTIVE" for h in one.get("Hsms", ())),
            HSM_MOST,
        )
        last = self._until(
            cluster_id, lambda one: one["State"] == "ACTIVE", SETTLED, is_needed=False
        )
        says = f"with its first HSM a cluster made from a backup is {last['State']}"
        self.found.judge(ACTIVE, holds=last["State"] == "ACTIVE", says=says)

    def _until(
        self, cluster_id: str, holds: Any, most: timedelta, *, is_needed: bool = True
    ) -> Item:
        """The cluster once this holds of it, or as it is when the time is over."""
        last: Item = {}

        def look() -> Item | None:
            nonlocal last
            last = seen.cluster(self.there.client, cluster_id) or last
            return last if last and holds(last) else None

        waited = wait_for(self.context, f"{cluster_id} to change", look, most=most)
        if waited.seen is None and is_needed:
            state = last.get("State", "not shown")
            raise OperatorError(f"{cluster_id} is {state} after {span(waited.took)}.")
        return last
