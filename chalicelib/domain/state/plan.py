"""A plan: the ordered AWS calls of a remedy on named targets, and the hash that approvals are for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from chalicelib.domain.state.snapshot import ATTACHED, KeyState, StoreState


class Remedy(StrEnum):
    """One way out."""

    KEEP = "keep"
    RESCUE = "rescue"
    PARK = "park"
    REPOINT = "repoint"
    RELEASE = "release"
    RETIRE = "retire"

    @property
    def deletes_keys(self) -> bool:
        """With the key store. What they encrypted is lost."""
        return self in (Remedy.RELEASE, Remedy.RETIRE)

    @property
    def deletes_hsms(self) -> bool:
        """Programs that use the HSMs directly lose them."""
        return self in (Remedy.PARK, Remedy.REPOINT, Remedy.RETIRE)


class Operation(StrEnum):
    """Every AWS call that may change something, by the name CloudTrail uses."""

    CONNECT_KEY_STORE = "kms:ConnectCustomKeyStore"
    DISCONNECT_KEY_STORE = "kms:DisconnectCustomKeyStore"
    UPDATE_KEY_STORE = "kms:UpdateCustomKeyStore"
    DELETE_KEY_STORE = "kms:DeleteCustomKeyStore"
    DISABLE_KEY = "kms:DisableKey"
    ENABLE_KEY = "kms:EnableKey"
    SCHEDULE_KEY_DELETION = "kms:ScheduleKeyDeletion"
    CANCEL_KEY_DELETION = "kms:CancelKeyDeletion"
    PROVE_KEY = "kms:GenerateDataKeyWithoutPlaintext"
    CREATE_CLUSTER = "cloudhsm:CreateCluster"
    RESTORE_BACKUP = "cloudhsm:RestoreBackup"
    CREATE_HSM = "cloudhsm:CreateHsm"
    DELETE_HSM = "cloudhsm:DeleteHsm"
    KEEP_BACKUP = "cloudhsm:ModifyBackupAttributes"
    DELETE_CLUSTER = "cloudhsm:DeleteCluster"


IRREVERSIBLE = frozenset(
    {
        Operation.SCHEDULE_KEY_DELETION,
        Operation.DELETE_KEY_STORE,
        Operation.DELETE_HSM,
        Operation.DELETE_CLUSTER,
    }
)
LOOK_AGAIN_BEFORE = frozenset(
    {
        Operation.DISCONNECT_KEY_STORE,
        Operation.DELETE_KEY_STORE,
        Operation.DELETE_HSM,
        Operation.DELETE_CLUSTER,
    }
)
"""Stores and cluster are read once more straight before: a look at many keys takes minutes."""
NEWEST_BACKUP = "newest"
CASE_TAG = "unlatch-case"
"""CreateCluster has no idempotency token: this tag on the cluster tells a lost answer from a missing one."""
LONGEST_WINDOW = 30
"""Days that KMS lets keys wait for their deletion at most."""
LATER = frozenset({"unproven", "route", "backup_id", "mode", "subnets", "lost", "if_needed"})
"""Fields that came later: while they say nothing the hash is as before, so that approvals stand."""


@dataclass(frozen=True)
class PlannedCall:
    """One call of the plan. Targets: key ids, a key store id, a cluster id, or an HSM's zone."""

    operation: Operation
    targets: tuple[str, ...]


@dataclass(frozen=True)
class KeyBasis:
    """A key as the approvers saw it. While it counts as in use, the time of the last use is left out."""

    key_id: str
    name: str
    state: KeyState
    last_used_at: datetime | None
    in_use: bool


@dataclass(frozen=True)
class Basis:
    """The part of the world that an approval depends on."""

    store_state: StoreState | None
    keys: tuple[KeyBasis, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """The policy that an approval was given under; tighter terms later make it void."""

    people: int
    reasons: tuple[str, ...]
    override: bool
    dry_run: bool
    recent_use_days: int
    go_again_after: int
    quiet_minutes: int
    step_up: bool = False
    route: str = ""


@dataclass(frozen=True)
class Plan:
    remedy: Remedy
    account: str
    region: str
    cluster_id: str
    key_store_id: str | None
    calls: tuple[PlannedCall, ...]
    basis: Basis
    terms: Terms
    window_days: int = 0
    quarantine_days: int = 0
    soak_days: int = 0
    target_cluster_id: str = ""
    unproven: tuple[str, ...] = ()
    """Keys of a repoint that can't be checked on the other cluster; the approvers know them by name."""
    backup_id: str = ""
    mode: str = ""
    subnets: tuple[str, ...] = ()
    """Of a rescue that makes a cluster: from which backup, in which mode, in which subnets."""
    lost: tuple[str, ...] = ()
    """Keys that a rescue can't bring back: they were made after the backup. The approvers know them."""
    if_needed: tuple[PlannedCall, ...] = ()
    """Calls that the approval covers and that are made only if what was planned is not enough."""
    after_click: int = 0
    """How many clicks were heard when people were last asked afresh: a plan offered again is a new
    plan, also if the world is back as it was. Old approvals and old calls don't belong to it."""

    @cached_property
    def plan_hash(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        text = json.dumps(self, sort_keys=True, separators=(",", ":"), default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def place(self) -> tuple[str, str, str]:
        """Account, Region and cluster that it is about."""
        return self.account, self.region, self.cluster_id

    @property
    def lacks_choice(self) -> bool:
        """It makes a cluster, and people have yet to say in which subnets: nobody can approve it so."""
        return bool(self.backup_id) and not self.subnets

    @property
    def new_hsms(self) -> int:
        """How many HSMs a rescue makes."""
        return 2 if self.lacks_choice else len(self.names(Operation.CREATE_HSM))

    @property
    def waits_first(self) -> bool:
        """Its first step is to wait for keys that were going already, on a date that people saw."""
        going = any(key.state is KeyState.PENDING_DELETION for key in self.basis.keys)
        acts = (Operation.SCHEDULE_KEY_DELETION, Operation.CONNECT_KEY_STORE)
        return going and not any(map(self.names, acts))

    @property
    def longest_wait(self) -> timedelta:
        """All that it may wait between its calls, added up; keys that others scheduled wait for 30 days at most."""
        going = any(key.state is KeyState.PENDING_DELETION for key in self.basis.keys)
        window = max(self.window_days, LONGEST_WINDOW * going)
        return timedelta(days=window + self.quarantine_days + self.soak_days)

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Names of keys that wait already, and whose material stays in the cluster and its backups:

        their store is not connected, or no HSM is left, and the plan can't change that.
        """
        basis = self.basis
        connected = basis.store_state in ATTACHED
        if not self.remedy.deletes_keys or self.names(Operation.CONNECT_KEY_STORE):
            return ()
        if connected and basis.zones:
            return ()
        return tuple(k.name for k in basis.keys if k.state is KeyState.PENDING_DELETION)

    def names(self, operation: Operation) -> tuple[str, ...]:
        """All targets that the plan gives for this operation."""
        calls = (*self.calls, *self.if_needed)
        return tuple(
            target for call in calls if call.operation is operation for target in call.targets
        )


def _plain(value: Any) -> object:
    """As `asdict` has it, which copies each value and takes a fifth of a click's time."""
    if isinstance(value, datetime):
        return value.isoformat()
    return {
        field.name: getattr(value, field.name)
        for field in fields(value)
        if field.name not in LATER or getattr(value, field.name) != field.default
    }
