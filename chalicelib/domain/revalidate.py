"""What differs from the world that a plan was approved on, and isn't explained by our own steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.remedies import repoint, rescue_changes, retire
from chalicelib.domain.rules.approval import terms
from chalicelib.domain.rules.polling import SETTLING
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.case import CallRecord, CallStatus, Difference
from chalicelib.domain.state.dates import day, moment
from chalicelib.domain.state.plan import KeyBasis, Operation, Remedy, Terms
from chalicelib.domain.state.snapshot import (
    ATTACHED,
    NO_OTHERS,
    Key,
    KeyState,
    KeyStore,
    StoreState,
)
from chalicelib.domain.state.zones import zone_of


def changes(context: PlanContext) -> tuple[Difference, ...]:
    """Every difference that matters, in words; () if the approved plan still fits the world."""
    if context.plan.remedy is Remedy.RESCUE:
        found = (*rescue_changes.differences(context), *_cluster(context))
        return (*found, *_keys(context), *_terms(context))
    is_repoint = context.plan.remedy is Remedy.REPOINT
    unknown = repoint.uncheckable(context) if is_repoint else ()
    return (
        *_cluster(context),
        *_store(context),
        *_keys(context),
        *unknown,
        *_hsms(context),
        *_terms(context),
    )


def _cluster(context: PlanContext) -> list[Difference]:
    """Others deleted it under keys that need it: nothing that was approved is about such a world."""
    plan = context.plan
    ours = plan.backup_id or context.tried(Operation.DELETE_CLUSTER, plan.cluster_id)
    if context.snapshot.cluster is not None or ours:
        return []
    return [Difference("Cluster", "was there", "is deleted")]


def _store(context: PlanContext) -> list[Difference]:
    plan, snapshot, store = context.plan, context.snapshot, context.store
    found = []
    holder = snapshot.holder
    if holder and holder.key_store_id != plan.key_store_id:
        found.append(
            Difference(f"Key store {holder.name}", "did not exist", "holds the cluster now")
        )
    if store is None:
        if plan.key_store_id and not context.tried(Operation.DELETE_KEY_STORE, plan.key_store_id):
            found.append(Difference("Key store", "was there", "is gone"))
        return found
    if store.cluster_id not in {plan.cluster_id, plan.target_cluster_id}:
        found.append(
            Difference(f"Key store {store.name}", "held this cluster", "holds another one")
        )
    return [*found, *_target(context, store), *_connection(context, store)]


def _target(context: PlanContext, store: KeyStore) -> list[Difference]:
    """Repoint: the other cluster must be fit to take the store, and serve it from then on.

    What is deleted here is the last other copy of the keys.
    """
    target = context.plan.target_cluster_id
    if context.plan.remedy is not Remedy.REPOINT:
        return []
    if store.cluster_id == target:
        lost = repoint.why_lost(target, context.snapshot)
        return [Difference(f"Cluster {target}", "has the key store", lost)] if lost else []
    if moved := rescue_changes.moved_back(context, store):
        return moved
    if any(c.cluster_id == target and c.can_take_keys for c in context.snapshot.siblings):
        return []
    return [Difference(f"Cluster {target}", "could take the key store", "can’t any more")]


def _connection(context: PlanContext, store: KeyStore) -> list[Difference]:
    """Somebody connected what we disconnected, or disconnected what must stay connected."""
    plan, what = context.plan, f"Key store {store.name}"
    last = _last_of_ours(context, store)
    if last and context.now - last.at < SETTLING:
        return []
    reconnects = bool(plan.names(Operation.CONNECT_KEY_STORE))
    if last and last.operation is Operation.DISCONNECT_KEY_STORE:
        on_the_way = reconnects and store.state is StoreState.CONNECTING
        if store.state in ATTACHED and last.status is CallStatus.DONE and not on_the_way:
            return [Difference(what, "disconnected by Unlatch", "connected again by somebody")]
        return []
    connected_by_us = last is not None and last.status is CallStatus.DONE
    was = StoreState.CONNECTED if connected_by_us else plan.basis.store_state
    if was not in ATTACHED or store.state in ATTACHED or not _must_stay(context, connected_by_us):
        return []
    if store.state is StoreState.FAILED:
        # Of a connection that we made, connect() tells the end.
        failed = [Difference(what, "connected", f"failed ({store.error or 'no reason given'})")]
        return [] if reconnects else failed
    return [Difference(what, "connected", f"{store.state.value.lower()} by somebody")]


def _last_of_ours(context: PlanContext, store: KeyStore) -> CallRecord | None:
    operations = (Operation.CONNECT_KEY_STORE, Operation.DISCONNECT_KEY_STORE)
    calls = [context.mine(operation, store.key_store_id) for operation in operations]
    return max((c for c in calls if c), key=lambda call: call.at, default=None)


def _must_stay(context: PlanContext, connected_by_us: bool) -> bool:
    """KMS deletes keys, also those that wait for it, only while connected; repoint moves live ones."""
    if context.plan.remedy.deletes_keys:
        return bool(context.snapshot.keys)
    # Before a key has proven itself the connection may never have stood: a person may be at it.
    proved = any(context.did(Operation.PROVE_KEY, key.key_id) for key in context.snapshot.keys)
    return context.plan.remedy is Remedy.REPOINT and connected_by_us and proved


def _keys(context: PlanContext) -> list[Difference]:
    basis = {key.key_id: key for key in context.plan.basis.keys}
    found = []
    for key in context.snapshot.keys:
        before = basis.get(key.key_id)
        if before is None:
            made = f", made on {moment(key.created_at)}" if key.created_at else ""
            found.append(Difference(key.name, "did not exist", f"new key{made}"))
        elif context.plan.remedy.deletes_keys:
            found += _key(context, before, key)
    there = {key.key_id for key in context.snapshot.keys}
    for before in context.plan.basis.keys:
        if before.key_id not in there and not _is_due(context, before):
            found.append(Difference(before.name, "was there", "is gone"))
    return found


def _is_due(context: PlanContext, key: KeyBasis) -> bool:
    """Gone as planned: it was going when people agreed, or we scheduled it and its time is over."""
    call = context.mine(Operation.SCHEDULE_KEY_DELETION, key.key_id)
    if key.state is KeyState.PENDING_DELETION:
        return True
    if call is None or call.status is CallStatus.REFUSED:
        return False
    return context.now >= call.at + timedelta(days=context.plan.window_days) - SETTLING


def _key(context: PlanContext, before: KeyBasis, key: Key) -> list[Difference]:
    """Retire only: a key brought back, switched on or off by somebody, or used since."""
    if not key.is_live:
        return []
    if context.did(Operation.SCHEDULE_KEY_DELETION, key.key_id):
        if context.just_did(Operation.SCHEDULE_KEY_DELETION, key.key_id):
            return []
        return [Difference(key.name, "deletion scheduled by Unlatch", "brought back by somebody")]
    if before.state is KeyState.PENDING_DELETION:
        return [Difference(key.name, "waiting for deletion", "brought back by somebody")]
    found = []
    if key.state not in _expected(context, before):
        ours = context.did(Operation.DISABLE_KEY, key.key_id)
        was = "Disabled by Unlatch" if ours else str(before.state)
        found.append(Difference(key.name, was, f"{key.state} by somebody"))
    return [*found, *_use(before, key)]


def _expected(context: PlanContext, before: KeyBasis) -> set[KeyState]:
    """The states that a live key may be in by our own steps and those of its store."""
    disabled = context.did(Operation.DISABLE_KEY, before.key_id)
    maybe = context.tried(Operation.DISABLE_KEY, before.key_id)
    if disabled and not context.just_did(Operation.DISABLE_KEY, before.key_id):
        return {KeyState.DISABLED, KeyState.UNAVAILABLE}
    expected = {before.state, KeyState.UNAVAILABLE}
    if before.state is KeyState.UNAVAILABLE:
        expected |= {KeyState.ENABLED, KeyState.DISABLED}
    return expected | {KeyState.DISABLED} if maybe else expected


def _use(before: KeyBasis, key: Key) -> list[Difference]:
    """A use since the approval matters, unless the approvers knew that the key is in use."""
    at, earlier = key.last_use.at, before.last_used_at
    if before.in_use or at is None or (earlier and at <= earlier):
        return []
    when = f"{day(earlier)} {earlier:%Y}" if earlier else ""
    was = f"last used {when}" if when else "not used"
    return [Difference(key.name, was, f"used {moment(at)}")]


def _hsms(context: PlanContext) -> list[Difference]:
    """Others added an HSM to a zone, or removed one. AWS replaces HSMs: ids don't matter."""
    allowed = Counter(context.plan.basis.zones)
    maybe, settling = Counter[str](), Counter[str]()
    for label in context.plan.names(Operation.DELETE_HSM):
        zone = zone_of(label)
        if context.did(Operation.DELETE_HSM, label):
            allowed[zone] -= 1
            settling[zone] += context.just_did(Operation.DELETE_HSM, label)
        elif context.tried(Operation.DELETE_HSM, label):
            maybe[zone] += 1
    now = Counter(hsm.zone for hsm in context.snapshot.live_hsms)
    other = [
        Difference(f"HSMs in {zone}", str(allowed[zone]), str(now[zone]))
        for zone in sorted({*allowed, *now})
        if not allowed[zone] - maybe[zone] <= now[zone] <= allowed[zone] + settling[zone]
    ]
    return _no_hsm(context) or other


def _no_hsm(context: PlanContext) -> list[Difference]:
    """Retire: KMS deletes the keys' material only while an HSM is there."""
    planned, snapshot = context.plan.basis.zones, context.snapshot
    if not context.plan.remedy.deletes_keys or not snapshot.keys:
        return []
    if not planned or snapshot.live_hsms:
        return []
    return [Difference("HSMs", str(len(planned)), "none, so KMS can’t delete the keys’ material")]


def _terms(context: PlanContext) -> list[Difference]:
    """The policy now asks for more than the approvals were given under."""
    agreed, judged = context.plan.terms, context
    if context.case.plan is not None:
        # After a disconnect KMS's own sessions stay in the numbers for minutes. quiet() looks at
        # other programs at the right time: just before the HSMs go.
        judged = replace(context, snapshot=replace(context.snapshot, other_use=NO_OTHERS))
    wanted = terms(context.plan.remedy, judged)
    found = []
    if wanted.people > agreed.people:
        why = f" {wanted.reasons[-1]}" if wanted.reasons else ""
        found.append(Difference("People needed", str(agreed.people), f"{wanted.people}{why}"))
    if wanted.override and not agreed.override:
        found.append(Difference("Override", "not needed", "needed: something is in use"))
    if wanted.step_up and not agreed.step_up:
        found.append(Difference("Confirmation in AWS", "not needed", "needed"))
    found += _stricter(context, wanted)
    if wanted.route != agreed.route:
        found.append(Difference("Route", _route(agreed), _route(wanted)))
    if wanted.dry_run != agreed.dry_run:
        words = {True: "dry run", False: "for real"}
        found.append(Difference("Mode", words[agreed.dry_run], words[wanted.dry_run]))
    return found


def _route(terms: Terms) -> str:
    return terms.route or "the settings"


def _stricter(context: PlanContext, wanted: Terms) -> list[Difference]:
    """Times that settings ask for now and that are safer than those approved, until the first mutation."""
    case, plan = context.case, context.plan
    if case.plan is not None and case.plan_is_under_way:
        return []
    policy, agreed = context.policy, plan.terms
    deletes, is_repoint = plan.remedy.deletes_keys, plan.remedy is Remedy.REPOINT
    window = policy.pending_window_days if plan.window_days else 0
    rows = (
        ("Days that keys wait", plan.window_days, window),
        ("Days of watch", plan.quarantine_days, _watch(context) if deletes else 0),
        ("Days on the other cluster", plan.soak_days, policy.repoint_soak_days * is_repoint),
        ("Quiet minutes", agreed.quiet_minutes, wanted.quiet_minutes),
    )
    found = [Difference(what, str(was), str(now)) for what, was, now in rows if now > was]
    asks = wanted.go_again_after
    if asks and (not agreed.go_again_after or asks < agreed.go_again_after):
        was = f"{agreed.go_again_after} h" if agreed.go_again_after else "never"
        found.append(Difference("Asking once more", was, f"after {asks} h"))
    return found


def _watch(context: PlanContext) -> int:
    """The days of watch that a plan to retire would have now."""
    return 0 if retire.watched(context) else context.policy.quarantine_days
