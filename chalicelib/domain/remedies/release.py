"""Release: free the cluster from its key store, keys first. HSMs and cluster stay, for another key store."""

from __future__ import annotations

from chalicelib.domain.remedies import retire
from chalicelib.domain.remedies.steps import disconnect
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Close, Step
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.plan import Plan, Remedy


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    holder = situation.snapshot.holder
    if holder is None and situation.snapshot.unread:
        return "Release is not possible: AWS did not show every key store."
    if holder is None:
        return "Release is not needed: no key store uses the cluster."
    impossible = retire.impossible(situation, Remedy.RELEASE)
    if impossible:
        return impossible
    return retire.keys_first(Remedy.RELEASE, situation, retire.store_calls(holder))


def next_step(context: PlanContext) -> Step:
    """Retire's way up to the store's deletion. The HSMs stay, so nobody else's sessions matter."""
    store = context.store
    if store is None:
        return Close(
            Outcome.RELEASED,
            "The key store is deleted. AWS was read again to make sure. The cluster and its HSMs stay, "
            "free for another key store.",
        )
    return (
        retire.keys_go(context, store)
        or disconnect(context)
        or retire.delete_store(context, store.key_store_id)
    )
