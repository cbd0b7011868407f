"""What cancelling brings back and what it does not, in words that stay under a button's 300 characters."""

from __future__ import annotations

from chalicelib.domain.case import CallStatus, Case
from chalicelib.domain.overdue import USUALLY
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies.undo import switched_off, undo_step
from chalicelib.domain.snapshot import KeyStore, StoreState
from chalicelib.domain.step import Close
from chalicelib.domain.waiting import our_keys
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import be, count, money, the, upper_first

OFF = (StoreState.DISCONNECTED, StoreState.DISCONNECTING)


def returning_keys(case: Case) -> int:
    """Keys whose deletion we scheduled and that can still be brought back."""
    return len(our_keys(case, case.snapshot)) if case.snapshot else 0


def disabled_keys(case: Case) -> int:
    """Live keys that cancelling switches on again."""
    return len(switched_off(case, case.snapshot)) if case.snapshot else 0


def can_restore(shown: Shown) -> bool:
    """Something of what we changed can still come back: the undo has something to do."""
    case, plan = shown.case, facts.plan_of(shown.case)
    if case.before is None or plan is None or case.snapshot is None:
        return False
    step = undo_step(shown.situation.on(plan))
    return reconnects(case) or not isinstance(step, Close)


def reconnects(case: Case) -> bool:
    """Cancelling connects the store again. What we just called may not show in the snapshot yet."""
    store = facts.store(case)
    was = case.before.store_state if case.before else None
    if store is None or was not in (StoreState.CONNECTED, StoreState.CONNECTING):
        return False
    off = case.call(Operation.DISCONNECT_KEY_STORE, store.key_store_id)
    on = case.call(Operation.CONNECT_KEY_STORE, store.key_store_id)
    just_left = off is not None and (on is None or on.at <= off.at)
    is_ours = any(case.tried(call.operation, call.target) for call in (off, on) if call)
    return (is_ours and store.state in OFF) or just_left


def missing_hsms(case: Case) -> int:
    """HSMs that were there before and are gone, or about to be."""
    if case.before is None:
        return 0
    made = sum(c.operation is Operation.CREATE_HSM for c in case.calls)
    deleted = sum(
        c.operation is Operation.DELETE_HSM and c.status is not CallStatus.REFUSED
        for c in case.calls
    )
    return max(len(case.before.zones) - facts.hsms(case), deleted - made, 0)


def what_returns(case: Case, policy: Policy, *, again: bool = True) -> str:
    """What comes back, what does not, the cost, and (`again`) what it takes to start anew."""
    plan = facts.plan_of(case)
    if case.before is None or plan is None or case.snapshot is None:
        return "The case closes. Nothing in AWS has been changed, and nothing will be."
    parts = [*_keys(case)]
    if plan.remedy is Remedy.PARK:
        parts.append(_unpark(case, policy))
    else:
        parts += [_store(case, plan, facts.store(case)), _hsms(case, policy)]
    if again and not case.is_closed:
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
        back = "The store goes back to this cluster; its keys fail for about 20 minutes meanwhile"
        plan = facts.plan_of(case)
        if (
            plan
            and plan.key_store_id
            and case.tried(Operation.CONNECT_KEY_STORE, plan.key_store_id)
        ):
            # KMS set a new password for kmsuser there; this cluster has the one before.
            return f"{back}, and until a crypto officer has set kmsuser’s password here."
        return f"{back}."
    return "The keys go on in the other cluster; this one stays."


def _hsms(case: Case, policy: Policy) -> str:
    gone = missing_hsms(case)
    number = min(facts.hsms(case), len(case.before.zones) - gone if case.before else 0)
    words = ""
    if gone > 0:
        words = f"{count(gone, 'HSM')} {be(gone)} deleted already. "
    if number:
        daily = money(number * 24 * policy.hsm_hour_price)
        verb = "goes on" if number == 1 else "go on"
        words += f"{upper_first(the(number, 'HSM'))} {verb} costing about {daily} a day."
    return words.strip()


def _unpark(case: Case, policy: Policy) -> str:
    number = len(case.before.zones) if case.before else 0
    missing = missing_hsms(case)
    cost = f"Cost returns to about {money(number * 24 * policy.hsm_hour_price)} a day."
    makes = f"Unlatch creates {count(missing, 'HSM')}" if missing > 0 else ""
    if not missing:
        cost = upper_first(f"{the(number, 'HSM')} {'stays' if number == 1 else 'stay'}, at about ")
        cost += f"{money(number * 24 * policy.hsm_hour_price)} a day."
    if not reconnects(case):
        minutes = int(USUALLY[Operation.CREATE_HSM].total_seconds() // 60)
        took = f"{makes}, in about {minutes} minutes. {cost}"
        return took if makes else f"Nothing is deleted. {cost}"
    # The same on the button and until the last step back: what has been done still counts.
    made = any(c.operation is Operation.CREATE_HSM for c in case.calls)
    usual = USUALLY[Operation.CONNECT_KEY_STORE]
    if makes or made:
        usual += USUALLY[Operation.CREATE_HSM]
    time = int(usual.total_seconds() // 60)
    joins = f"{makes} and reconnects the store." if makes else "Unlatch reconnects the store."
    then = "; then the keys work again" if facts.keys(case) else ""
    return f"{joins} It takes about {time} minutes{then}. {cost}"
