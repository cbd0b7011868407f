"""What cancelling brings back and what it does not, in words that stay under a button's 300 characters."""

from __future__ import annotations

from chalicelib.domain.case import Case
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.snapshot import KeyState, KeyStore, StoreState
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.text import be, count, money, the, upper_first

OFF = (StoreState.DISCONNECTED, StoreState.DISCONNECTING)


def returning_keys(case: Case) -> int:
    """Keys whose deletion we scheduled and that can still be brought back."""
    operation = Operation.SCHEDULE_KEY_DELETION
    pending = case.snapshot.pending_keys if case.snapshot else ()
    return sum(case.tried(operation, key.key_id) for key in pending)


def disabled_keys(case: Case) -> int:
    """Keys that we switched off and nothing more."""
    live = case.snapshot.live_keys if case.snapshot else ()
    return sum(
        case.tried(Operation.DISABLE_KEY, k.key_id) and k.state is not KeyState.ENABLED
        for k in live
    )


def can_restore(case: Case) -> bool:
    """Something of what we changed can still come back."""
    plan = facts.plan_of(case)
    if case.before is None or plan is None or case.snapshot is None:
        return False
    return facts.store(case) is not None or plan.remedy is Remedy.PARK


def reconnects(case: Case) -> bool:
    """Cancelling connects the store again."""
    store = facts.store(case)
    was = case.before.store_state if case.before else None
    on = was in (StoreState.CONNECTED, StoreState.CONNECTING)
    return store is not None and store.state in OFF and on


def what_returns(case: Case, policy: Policy) -> str:
    """What comes back, what does not, and the cost."""
    plan = facts.plan_of(case)
    if case.before is None or plan is None or case.snapshot is None:
        return "The case closes. Nothing in AWS has been changed, and nothing will be."
    parts = [*_keys(case)]
    if plan.remedy is Remedy.PARK:
        parts.append(_unpark(case, policy))
    else:
        parts += [_store(case, plan, facts.store(case)), _hsms(case, policy)]
    if not case.is_closed:
        parts.append(f"Starting again needs {count(plan.terms.people, 'new approval')}.")
    return " ".join(part for part in parts if part)


def _keys(case: Case) -> list[str]:
    back, off, lost = returning_keys(case), disabled_keys(case), facts.lost_keys(case)
    words = []
    if back:
        verb = "comes back as it was" if back == 1 else "come back as they were"
        words.append(f"{the(back, 'key')} {verb}: {facts.states_before(case)}.")
    elif off:
        words.append(f"{the(off, 'key')} {be(off)} switched on again.")
    if lost:
        verb = "is gone and does" if lost == 1 else "are gone and do"
        words.append(f"{the(lost, 'key')} {verb} not come back.")
    return [upper_first(sentence) for sentence in words]


def _store(case: Case, plan: Plan, store: KeyStore | None) -> str:
    if plan.key_store_id is None:
        return "The cluster stays."
    if store is None:
        return "The key store is deleted and does not come back. The cluster stays."
    if store.cluster_id != plan.cluster_id:
        return _moved(case)
    if reconnects(case):
        return "The store is connected again, and the cluster stays."
    return "The store and the cluster stay."


def _moved(case: Case) -> str:
    world = case.snapshot
    if world and world.cluster and world.cluster.can_take_keys:
        return "The store goes back to this cluster; its keys fail for about 20 minutes meanwhile."
    return "The keys go on in the other cluster; this one stays."


def _hsms(case: Case, policy: Policy) -> str:
    number = facts.hsms(case)
    gone = len(case.before.zones) - number if case.before else 0
    words = ""
    if gone > 0:
        words = f"{count(gone, 'HSM')} {be(gone)} deleted already. "
    if number:
        verb = "goes on" if number == 1 else "go on"
        words += f"{upper_first(the(number, 'HSM'))} {verb} costing {facts.price(case, policy)}."
    return words.strip()


def _unpark(case: Case, policy: Policy) -> str:
    number = len(case.before.zones) if case.before else 0
    missing = number - facts.hsms(case)
    cost = f"Cost returns to about {money(number * 24 * policy.hsm_hour_price)} a day."
    makes = f"Unlatch creates {count(missing, 'HSM')}" if missing > 0 else ""
    if not reconnects(case):
        return f"{makes or 'No HSM is missing'}. {cost}"
    joins = f"{makes} and reconnects the store." if makes else "Unlatch reconnects the store."
    return f"{joins} It takes about 30 minutes; then the keys work again. {cost}"
