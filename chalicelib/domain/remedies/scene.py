"""What a remedy looks at when it decides: the approved plan, the case, the world, the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.approval import in_use
from chalicelib.domain.case import Act, CallRecord, CallStatus, Case, Outcome
from chalicelib.domain.gates import everything_read, others_gate
from chalicelib.domain.pace import MINUTE, SETTLING, SOON, at_the_end, under_way
from chalicelib.domain.password import PERSON_ONLY, officer_steps
from chalicelib.domain.plan import NEWEST_BACKUP, Basis, KeyBasis, Operation, Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.sessions import LATE, Verdict, verdict
from chalicelib.domain.snapshot import Hsm, KeyStore, Snapshot, StoreState
from chalicelib.domain.step import Ask, Call, Close, Move, Step, Wait

GO_ON = frozenset({Act.APPROVE, Act.CANCEL, Act.UNDO, Act.REFRESH})

CHANGES_HSMS = ("MODIFY_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
"""AWS replaces one HSM after the other by another type, half an hour each (ModifyCluster)."""
ON_HSMS_OR_KEYS = frozenset(
    {
        Operation.CREATE_HSM,
        Operation.DELETE_HSM,
        Operation.DISABLE_KEY,
        Operation.SCHEDULE_KEY_DELETION,
    }
)
BUSY_SECONDS = 300


@dataclass(frozen=True)
class Scene:
    plan: Plan
    case: Case
    snapshot: Snapshot
    policy: Policy
    now: datetime

    @property
    def store(self) -> KeyStore | None:
        return self.snapshot.key_store(self.plan.key_store_id)

    def call_at(self, operation: Operation, target: str) -> datetime | None:
        call = self.case.call(operation, target)
        return call.at if call else None

    def mine(self, operation: Operation, target: str) -> CallRecord | None:
        """The call on this target, where it was made for this very plan: an earlier one's is history."""
        call = self.case.call(operation, target)
        return call if call and call.plan_hash == self.plan.plan_hash else None

    def did(self, operation: Operation, target: str) -> bool:
        """This plan called, and AWS said yes."""
        call = self.mine(operation, target)
        return call is not None and call.status is CallStatus.DONE

    def tried(self, operation: Operation, target: str) -> bool:
        """This plan may have changed this: AWS said yes, or the answer was never seen."""
        call = self.mine(operation, target)
        return call is not None and call.status is not CallStatus.REFUSED

    def just_did(self, operation: Operation, target: str) -> bool:
        """AWS accepted this (or may have) so recently that what it shows may still be old."""
        call = self.case.call(operation, target)
        return (
            call is not None
            and call.status is not CallStatus.REFUSED
            and self.now - call.at < SETTLING
        )

    def failed_since_asked(self, operation: Operation, target: str) -> bool:
        """Called after people last said yes, and in vain: only a person can help. For FAILED stores."""
        asked = max((c.at for c in self.case.clicks if c.act in GO_ON), default=None)
        call = self.case.call(operation, target)
        return (
            call is not None
            and call.status is CallStatus.DONE
            and (asked is None or call.at >= asked)
        )


def basis_of(snapshot: Snapshot, *, policy: Policy, now: datetime) -> Basis:
    """What an approval of a plan in this world depends on."""
    keys = sorted(snapshot.keys, key=lambda key: key.key_id)
    holder = snapshot.holder
    return Basis(
        store_state=holder.state if holder else None,
        keys=tuple(
            KeyBasis(
                key_id=key.key_id,
                name=key.name,
                state=key.state,
                last_used_at=None
                if (used := in_use(key, policy=policy, now=now))
                else key.last_use.at,
                in_use=used,
            )
            for key in keys
        ),
        zones=snapshot.cluster.zones if snapshot.cluster else (),
    )


def moved_store(case: Case, snapshot: Snapshot) -> KeyStore | None:
    """The store that an earlier repoint of this case has already taken to the other cluster."""
    last = case.last_plan
    store = snapshot.key_store(last.key_store_id) if last else None
    if last is None or store is None or last.remedy is not Remedy.REPOINT:
        return None
    return store if store.cluster_id == last.target_cluster_id else None


def zone_labels(zones: Iterable[str]) -> tuple[str, ...]:
    """Zones as targets: the second HSM of a zone is `us-east-1a#2`."""
    seen: Counter[str] = Counter()
    labels = []
    for zone in zones:
        seen[zone] += 1
        labels.append(zone if seen[zone] == 1 else f"{zone}#{seen[zone]}")
    return tuple(labels)


def zone_of(label: str) -> str:
    return label.partition("#")[0]


def hsm_for(label: str, snapshot: Snapshot) -> Hsm | None:
    """A live HSM in the label's zone; HSMs are bound by zone, as AWS replaces them by itself."""
    return next((h for h in snapshot.live_hsms if h.zone == zone_of(label)), None)


def disconnect(scene: Scene) -> Move | None:
    """The step towards DISCONNECTED; None once the store is there (or gone)."""
    store = scene.store
    if store is None or store.state is StoreState.DISCONNECTED:
        return None
    operation, target = Operation.DISCONNECT_KEY_STORE, store.key_store_id
    since = scene.call_at(operation, target)
    if store.state is StoreState.DISCONNECTING or scene.just_did(operation, target):
        return Wait(under_way(since, scene.now), "the key store is disconnecting")
    return Call(operation, (target,), "disconnecting the key store")


def connect(scene: Scene, store: KeyStore, *, why: str) -> Move | None:
    """The step towards CONNECTED; None once the store is there. A failed connection ends in a stop."""
    if store.state is StoreState.CONNECTED:
        return None
    operation, target = Operation.CONNECT_KEY_STORE, store.key_store_id
    since = scene.call_at(operation, target)
    if store.state is StoreState.CONNECTING or scene.just_did(operation, target):
        return Wait(under_way(since, scene.now), "the key store is connecting")
    if store.state is StoreState.DISCONNECTING:
        return Wait(under_way(None, scene.now), "the key store is disconnecting")
    if store.state is StoreState.FAILED:
        if scene.failed_since_asked(operation, target) and store.error in PERSON_ONLY:
            return Close(
                Outcome.STOPPED,
                f"AWS can’t log in to {store.cluster_id} ({store.error}): only a crypto officer of that "
                "cluster can help.",
                officer_steps(scene.snapshot, target, store.cluster_id),
            )
        if scene.failed_since_asked(operation, target):
            return Close(
                Outcome.STOPPED,
                f"The key store could not be connected: {store.error or 'AWS gives no reason'}.",
                (
                    "Mend what the error names (KMS guide, “Fix a custom key store”).",
                    "Press Try again. If AWS has changed meanwhile, Unlatch asks again first.",
                ),
            )
        return disconnect(scene)
    return Call(operation, (target,), why)


def delete_hsms(scene: Scene) -> Step | None:
    """One DeleteHsm after the other, each bound to a zone of the plan; None once all are gone."""
    hidden = everything_read(scene.snapshot) if scene.snapshot.cluster is None else None
    if hidden:
        return Ask(gates=(hidden,))
    for label in scene.plan.names(Operation.DELETE_HSM):
        hsm = hsm_for(label, scene.snapshot)
        if hsm is None or scene.did(Operation.DELETE_HSM, label):
            continue
        if scene.just_did(Operation.DELETE_HSM, label):
            return Wait(SOON, "finding out whether AWS took the last call")
        return Call(Operation.DELETE_HSM, (label,), "deleting the HSMs")
    if scene.snapshot.cluster and scene.snapshot.cluster.hsms:
        since = max(
            (c.at for c in scene.case.calls if c.operation is Operation.DELETE_HSM), default=None
        )
        seconds = under_way(since, scene.now, quickest=2 * MINUTE)
        return Wait(seconds, "the HSMs are being deleted")
    return None


def held_by_aws(step: Call, scene: Scene) -> Call | Wait:
    """The step, or the wait for AWS to change the HSMs' type: meanwhile none comes or goes, and no key."""
    cluster = scene.snapshot.cluster
    if cluster is None or cluster.state not in CHANGES_HSMS:
        return step
    if step.operation not in ON_HSMS_OR_KEYS:
        return step
    return Wait(BUSY_SECONDS, f"the cluster is busy ({cluster.state})")


def keep_backup(scene: Scene) -> Move | None:
    """The newest READY backup is kept for good before the cluster goes."""
    cluster = scene.snapshot.cluster
    if cluster is None or not scene.plan.names(Operation.KEEP_BACKUP):
        return None
    if any(b.state == "CREATE_IN_PROGRESS" for b in cluster.backups):
        return Wait(SOON, "the last backup is being made")
    newest = cluster.newest_backup
    if newest is None or newest.never_expires:
        return None
    if scene.just_did(Operation.KEEP_BACKUP, NEWEST_BACKUP):
        return Wait(SOON, "making sure that the backup is kept")
    return Call(Operation.KEEP_BACKUP, (NEWEST_BACKUP,), "keeping the newest backup for good")


def delete_cluster(scene: Scene) -> Move:
    """The last step; that the cluster is gone is for decide to see."""
    cluster = scene.snapshot.cluster
    target = scene.plan.cluster_id
    since = scene.call_at(Operation.DELETE_CLUSTER, target)
    called = scene.just_did(Operation.DELETE_CLUSTER, target)
    if cluster is None or called or cluster.state in ("DELETE_IN_PROGRESS", "DELETED"):
        return Wait(at_the_end(since, scene.now), "the cluster is being deleted")
    if cluster.state in ("UPDATE_IN_PROGRESS", *CHANGES_HSMS):
        return Wait(SOON, f"the cluster is busy ({cluster.state})")
    return Call(Operation.DELETE_CLUSTER, (target,), "deleting the cluster")


def quiet(scene: Scene) -> Step | None:
    """Before any HSM goes: nobody but KMS had sessions, over a quiet period after the disconnect.

    None where that holds, where no HSM is left, or where the approvers overrode it. Data that is
    late is waited for, and numbers that don't tell are counted for one more period.
    """
    cluster, use = scene.snapshot.cluster, scene.snapshot.other_use
    if scene.plan.terms.override or not scene.snapshot.live_hsms:
        return None
    if cluster and cluster.was_never_activated:
        return None
    period = timedelta(minutes=scene.plan.terms.quiet_minutes)
    ready = since = scene.case.quiet_since or scene.now
    if scene.plan.key_store_id and period:
        # One minute more, as CloudWatch counts in whole minutes and KMS's sessions end meanwhile.
        ready = since + period + timedelta(minutes=1)
    late = timedelta(minutes=use.late)
    if scene.now < ready + late:
        return _count_until(ready + late, scene)
    found, patience = verdict(use), timedelta(minutes=LATE)
    if found is Verdict.UNKNOWN and use.interfaces == () and scene.now < ready + patience:
        return _count_until(scene.now + timedelta(minutes=1), scene)
    if found is Verdict.UNCLEAR and scene.now < ready + period + late:
        return _count_until(ready + period + late, scene)
    gates = others_gate(scene.snapshot)
    return Ask(gates=gates) if gates else None


def _count_until(end: datetime, scene: Scene) -> Wait:
    seconds = int((end - scene.now).total_seconds()) + 1
    return Wait(seconds, "checking that no other program uses the HSMs")
