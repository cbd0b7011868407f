"""What cancelling brings back and what it does not, in words that stay under a button's 300 characters."""

from __future__ import annotations

from chalicelib.domain.recovery import (
    StoreEnd,
    disabled_keys,
    lost_keys,
    missing_hsms,
    reconnects,
    returning_keys,
    store_end,
    usual_unpark,
)
from chalicelib.domain.remedies.rescue_back import goes_back, is_used
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.text import be, count, cut, money, the, upper_first

LONGEST_NAME = 40
STORE = {
    StoreEnd.NONE: "The cluster stays.",
    StoreEnd.GONE: "The key store is deleted and does not come back. The cluster stays.",
    StoreEnd.STAYS: "The store and the cluster stay.",
    StoreEnd.CONNECTED: "The store is connected again, and the cluster stays.",
    StoreEnd.MOVES_BACK: (
        "The store goes back to this cluster; its keys fail for about 20 minutes meanwhile."
    ),
    StoreEnd.MOVES_BACK_BY_OFFICER: (
        "The store goes back to this cluster; its keys fail for about 20 minutes meanwhile, and "
        "until a crypto officer has set kmsuser’s password here."
    ),
    StoreEnd.STAYS_AWAY: "The keys go on in the other cluster; this one stays.",
}


def what_returns(case: Case, policy: Policy, *, again: bool = True) -> str:
    """What comes back, what does not, the cost, and (`again`) what it takes to start anew."""
    plan = case.current_plan
    if case.before is None or plan is None or case.snapshot is None:
        return "The case closes. Nothing in AWS has been changed, and nothing will be."
    parts = [*_keys(case)]
    if plan.remedy is Remedy.PARK:
        parts.append(_unpark(case, policy))
    elif plan.remedy is Remedy.RESCUE:
        parts += _rescue(case, plan)
    else:
        parts += [STORE[store_end(case, plan)], _hsms(case, policy)]
    if again and not case.is_closed:
        parts.append(f"Starting again needs {count(plan.terms.people, 'new approval')}.")
    return " ".join(part for part in parts if part)


def undo_of_rescue(case: Case, plan: Plan) -> str:
    """A store that shows as connected serves its keys as soon as there is an HSM: that one stays."""
    if plan.backup_id:
        return "while it runs: removes what it made"
    if not plan.new_hsms:
        return "not needed"
    if case.store is not None and case.store.state is StoreState.CONNECTED:
        return "not needed; the HSMs stay, as the keys work with them"
    return "until the store is connected: removes what it made"


def removes(case: Case) -> bool:
    """Stopping this rescue removes what it made, or what AWS may have made without an answer."""
    plan, store, before = case.current_plan, case.store, case.before
    if plan is None or plan.remedy is not Remedy.RESCUE or store is None or before is None:
        return False
    if not _has_made(case, plan):
        return False
    if not plan.backup_id:
        return not is_used(store, before)
    cluster = case.snapshot.cluster if case.snapshot else None
    return store.cluster_id == plan.cluster_id or goes_back(store, cluster)


def _has_made(case: Case, plan: Plan) -> bool:
    if plan.backup_id:
        return case.tried(Operation.CREATE_CLUSTER, plan.backup_id)
    return any(case.tried(Operation.CREATE_HSM, z) for z in plan.names(Operation.CREATE_HSM))


def _rescue(case: Case, plan: Plan) -> list[str]:
    """What it made, which goes unless the key store uses it; and then the keys fail on."""
    store = case.store
    if store is None:
        return []
    number = len(facts.keys(case))
    fail = f"{upper_first(the(number, 'key'))} {'goes' if number == 1 else 'go'} on failing."
    if not plan.backup_id:
        if not _has_made(case, plan):
            return ["No HSM has been made so far."]
        if not removes(case):
            return ["The HSMs that Unlatch made stay, as the key store uses them, and cost money."]
        return ["Unlatch removes the HSMs that it made.", fail]
    kept = "The backup stays kept."
    if not _has_made(case, plan):
        return ["No cluster has been made so far.", kept, fail]
    if store.cluster_id == plan.cluster_id:
        return ["Unlatch removes what it made: the new cluster and its HSMs.", kept, fail]
    if removes(case):
        return ["The key store goes back to this cluster, and Unlatch removes the new one.", fail]
    return ["The new cluster and its HSMs stay, as the key store is on it, and cost money."]


def _keys(case: Case) -> list[str]:
    back, off, lost = len(returning_keys(case)), len(disabled_keys(case)), lost_keys(case)
    words = []
    if back:
        words.append(_back(case))
    elif off:
        words.append(f"{upper_first(the(off, 'key'))} {be(off)} switched on again.")
    if lost:
        verb = "is gone and does" if lost == 1 else "are gone and do"
        words.append(f"{upper_first(the(lost, 'key'))} {verb} not come back.")
    return words


def _back(case: Case) -> str:
    """“the 3 keys come back as they were: 2 enabled, 1 disabled.”"""
    back = returning_keys(case)
    if len(back) == 1:
        name = cut(facts.key_name(case, back[0].key_id), LONGEST_NAME)
        state = facts.state_before(case, back[0].key_id)
        return f"{name} comes back as it was{f': {state}' if state else ''}."
    states = facts.states_before(case, {key.key_id for key in back})
    return f"{upper_first(the(len(back), 'key'))} come back as they were: {states}."


def _hsms(case: Case, policy: Policy) -> str:
    gone = missing_hsms(case)
    number = min(facts.hsms(case), len(case.before.zones) - gone if case.before else 0)
    words = ""
    if gone > 0:
        words = f"{count(gone, 'HSM')} {be(gone)} deleted already. "
    if number:
        daily = money(number * 24 * policy.hour_price(case.region))
        verb = "goes on" if number == 1 else "go on"
        words += f"{upper_first(the(number, 'HSM'))} {verb} costing about {daily} a day."
    return words.strip()


def _unpark(case: Case, policy: Policy) -> str:
    number = len(case.before.zones) if case.before else 0
    missing = missing_hsms(case)
    cost = f"Cost returns to about {money(number * 24 * policy.hour_price(case.region))} a day."
    makes = f"Unlatch creates {count(missing, 'HSM')}" if missing > 0 else ""
    if not missing:
        cost = upper_first(f"{the(number, 'HSM')} {'stays' if number == 1 else 'stay'}, at about ")
        cost += f"{money(number * 24 * policy.hour_price(case.region))} a day."
    minutes = int(usual_unpark(case).total_seconds() // 60)
    if not reconnects(case):
        took = f"{makes}, in about {minutes} minutes. {cost}"
        return took if makes else f"Nothing is deleted. {cost}"
    joins = f"{makes} and reconnects the store." if makes else "Unlatch reconnects the store."
    then = "; then the keys work again" if facts.keys(case) else ""
    return f"{joins} It takes about {minutes} minutes{then}. {cost}"
