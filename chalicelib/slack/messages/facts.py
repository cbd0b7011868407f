"""What the messages need to know of a case, each fact in one place. Total: a case may lack anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from chalicelib.domain import diagnosis
from chalicelib.domain.recovery import lost_keys
from chalicelib.domain.rules import approval, proof
from chalicelib.domain.rules.password import Login, login
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.snapshot import Backup, Cluster, Key, KeyState
from chalicelib.slack.messages.text import be, clean, count, ident, money, the, upper_first

KEY_WORDS = {
    KeyState.ENABLED: "enabled",
    KeyState.DISABLED: "disabled",
    KeyState.UNAVAILABLE: "unavailable",
    KeyState.PENDING_DELETION: "waiting for deletion",
    KeyState.UNKNOWN: "in a state that is not known",
}


def cluster(case: Case) -> str:
    return ident(case.cluster_id)


def is_dry_run(case: Case, policy: Policy) -> bool:
    """Nothing in AWS changes. What a finished plan did for real stays real."""
    plan = case.current_plan
    if plan and plan.terms.dry_run:
        return True
    return policy.dry_run and not (case.is_closed and case.has_begun)


def moves(plan: Plan) -> bool:
    """A repoint whose store is not there yet; one that is asked about again may only check and delete."""
    return bool(plan.names(Operation.UPDATE_KEY_STORE) or plan.names(Operation.CONNECT_KEY_STORE))


def failed_proof(case: Case) -> CallRecord | None:
    """A key that does not work on the other cluster: its store goes back without anybody’s click."""
    return proof.failed_proof(case.plan, case) if case.plan else None


def goes_back(case: Case) -> bool:
    """Somebody cancelled or undid, or the store goes back by itself."""
    return case.ending is not None or failed_proof(case) is not None


def to_restore(case: Case) -> Backup | None:
    """The backup to make the cluster from anew: the newest that AWS keeps for good, else the newest."""
    cluster = last_cluster(case)
    ready = [backup for backup in cluster.backups if backup.is_ready] if cluster else []
    return max(ready, key=lambda backup: (backup.never_expires, backup.created_at), default=None)


def store_name(case: Case) -> str:
    """The store's name, else its id (the name goes with the store), else nothing."""
    found = case.store
    if found:
        return clean(found.name)
    if case.before and case.before.store_name:
        return clean(case.before.store_name)
    plan = case.current_plan
    return ident(plan.key_store_id) if plan and plan.key_store_id else ""


def login_on(case: Case, plan: Plan) -> Login:
    """Whether AWS can log in on the other cluster of a repoint, as far as is known."""
    world = case.snapshot
    siblings = world.siblings if world else ()
    target = next((c for c in siblings if c.cluster_id == plan.target_cluster_id), None)
    return login(target, world) if world and target else Login.NOT_KNOWN


def key_name(case: Case, key_id: str) -> str:
    """The first alias if it is known, cleaned; else the start of the id."""
    for key in case.snapshot.keys if case.snapshot else ():
        if key.key_id == key_id:
            return clean(key.name)
    plan = case.current_plan
    for basis in plan.basis.keys if plan else ():
        if basis.key_id == key_id:
            return clean(basis.name)
    return f"key {clean(key_id, 13)}"


def keys(case: Case) -> tuple[Key, ...]:
    return case.snapshot.keys if case.snapshot else ()


def planned_keys(case: Case) -> int:
    """How many keys the plan is about, gone ones too."""
    plan = case.current_plan
    return len(plan.basis.keys) if plan else len(keys(case))


def latest_used(situation: Situation) -> list[Key]:
    """Keys in use, the latest first, then those of unknown use."""
    found = approval.keys_in_use(situation)
    return sorted(found, key=lambda key: -key.last_use.at.timestamp() if key.last_use.at else 0.0)


def last_cluster(case: Case) -> Cluster | None:
    """The cluster as it was last seen."""
    return case.last_cluster or (case.snapshot.cluster if case.snapshot else None)


def hsms(case: Case) -> int:
    return len(case.snapshot.live_hsms) if case.snapshot else 0


def daily(case: Case, policy: Policy) -> float:
    return diagnosis.daily_cost(case.snapshot, policy) if case.snapshot else 0.0


def new_hsms_a_day(case: Case, policy: Policy, number: int) -> float:
    """What so many HSMs that a rescue makes cost a day, in US dollars."""
    return number * 24 * policy.hour_price(case.region)


def price(case: Case, policy: Policy) -> str:
    """“about $77 a day”."""
    return f"about {money(daily(case, policy))} a day"


def cost_line(case: Case, policy: Policy) -> str:
    number = hsms(case)
    if not number:
        return "No HSM runs, so it costs no HSM hours."
    verb = "costs" if number == 1 else "cost"
    return f"{upper_first(the(number, 'HSM'))} {verb} {price(case, policy)}."


def keys_end(case: Case) -> datetime | None:
    """When the last of the keys that wait for deletion is gone; None if none waits."""
    return max((k.deletion_date for k in keys(case) if k.deletion_date), default=None)


def keys_begin(case: Case) -> datetime | None:
    """When we first scheduled a deletion."""
    calls = (c.at for c in case.calls if c.operation is Operation.SCHEDULE_KEY_DELETION)
    return min(calls, default=None)


def refused(case: Case) -> CallRecord | None:
    """The last call that AWS said no to."""
    calls = [c for c in case.calls if c.status is CallStatus.REFUSED]
    return max(calls, key=lambda call: call.at, default=None)


def states_before(case: Case, of: Collection[str]) -> str:
    """“2 enabled, 1 disabled”: how these keys were before our first mutation."""
    before = case.before.keys if case.before else ()
    tally = Counter(KEY_WORDS[key.state] for key in before if key.key_id in of)
    return ", ".join(f"{number:,} {words}" for words, number in sorted(tally.items(), reverse=True))


def state_before(case: Case, key_id: str) -> str:
    """“enabled”: how this key was before our first mutation; "" if nobody knows."""
    found = [key for key in (case.before.keys if case.before else ()) if key.key_id == key_id]
    return KEY_WORDS[found[0].state] if found else ""


def failing_since(case: Case) -> datetime | None:
    """When the first event or look told that keys fail; None if none did."""
    return min((a.at for a in case.attempts if a.trigger.is_outage), default=None)


def as_it_is(case: Case) -> str:
    """One sentence on the world: store, keys, HSMs, cluster; our own words and ids only."""
    world = case.snapshot
    if world is None:
        return "AWS has not been read yet."
    cluster_now = "the cluster is gone" if world.cluster is None else "the cluster is still there"
    parts = [*_store_now(case), *_keys_now(case), *_hsms_now(case), cluster_now]
    return f"Now: {', '.join(parts)}."


def _store_now(case: Case) -> list[str]:
    plan, found = case.current_plan, case.store
    if found:
        return [f"the key store is {found.state.lower()}"]
    return ["the key store is deleted"] if plan and plan.key_store_id else []


def _keys_now(case: Case) -> list[str]:
    tally = Counter(KEY_WORDS[key.state] for key in keys(case))
    told = tally.most_common()
    lost = max(lost_keys(case), planned_keys(case) if not tally else 0)
    if lost:
        told.append(("gone", lost))
    return [
        f"{f'{number:,}' if place else count(number, 'key')} {be(number)} {state}"
        for place, (state, number) in enumerate(told)
    ]


def _hsms_now(case: Case) -> list[str]:
    if case.snapshot is None or case.snapshot.cluster is None:
        return []
    plan, number = case.current_plan, hsms(case)
    planned = len(plan.basis.zones) if plan else number
    if number < planned:
        return [f"{planned - number} of {count(planned, 'HSM')} {be(planned - number)} gone"]
    if all(hsm.state is HsmState.ACTIVE for hsm in case.snapshot.live_hsms):
        return [f"{count(number, 'HSM')} {'runs' if number == 1 else 'run'}"]
    return [f"{count(number, 'HSM')} {be(number)} there"]


def fate_of_lost(case: Case) -> str:
    """Of keys that were made after the backup: in a cluster that lives their material is still there."""
    lives = case.snapshot is not None and case.snapshot.cluster is not None
    return "can’t move with it" if lives else "can’t come back"
