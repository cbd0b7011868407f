"""What may be otherwise at any moment of a case: little is known or much, nobody said why, others asked, time went by.

A case may lack anything, and its message still says what is so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.snapshot import Cluster, Snapshot
from chalicelib.slack.messages.names import NO_NAMES, Names
from chalicelib.slack.messages.render import Message, render
from tests.domain.worlds import DAY, HOURS, NOW, POLICY, sso
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import DRY, OLD, of

NAMES = Names(
    accounts={"111122223333": "payments-prod"},
    people={"alice": "Alice", "bob": "Bob"},
    owners=("U0PRIYA", "S0KEYS"),
    owner_tag="team payments",
    home="https://example.slack.com/",
)


@dataclass(frozen=True)
class Odd:
    """The same moment of another case, at another time, by other settings, with names."""

    case: Callable[[Case], Case] = lambda it: it
    later: timedelta = timedelta()
    policy: Policy = POLICY
    names: Names = NO_NAMES

    def message(self, it: Case, now: datetime) -> Message:
        if self.names is NO_NAMES:
            return of(self.case(it), now + self.later, policy=self.policy)
        return render(it, policy=self.policy, now=now, version=7, names=self.names, stage="prod")


def _seen(change: Callable[[Snapshot], Snapshot]) -> Callable[[Case], Case]:
    return lambda it: replace(it, snapshot=it.snapshot and change(it.snapshot))


def _of_cluster(change: Callable[[Cluster], Cluster]) -> Callable[[Case], Case]:
    def changed(it: Case) -> Case:
        last = it.last_cluster and change(it.last_cluster)
        seen = _seen(lambda world: replace(world, cluster=world.cluster and change(world.cluster)))
        return replace(seen(it), last_cluster=last)

    return changed


def _without_backups(it: Case) -> Case:
    bare = _of_cluster(lambda cluster: replace(cluster, backups=()))(it)
    return _seen(lambda world: replace(world, backups=()))(bare)


def _kept_for_good(cluster: Cluster) -> Cluster:
    kept = tuple(replace(one, never_expires=True) for one in cluster.backups)
    return replace(cluster, backups=kept, mode="NON_FIPS", subnets=())


def _worn(cluster: Cluster) -> Cluster:
    return replace(cluster, hsms=tuple(replace(h, state=HsmState.DEGRADED) for h in cluster.hsms))


def _used(it: Case) -> Case:
    """Three times by one, once by somebody of whom nothing is known."""
    one = KeyUse("use-1", NOW - DAY, OLD.key_id, "role nightly-report", "Decrypt")
    often = (replace(one, event_id=f"use-{n}", at=one.at + n * HOURS) for n in range(1, 4))
    return replace(it, key_uses=(*often, replace(one, event_id="use-4", who="")))


def _unsaid(it: Case) -> Case:
    clicks = tuple(replace(click, reason=" ") for click in it.clicks)
    keep = it.keep and replace(it.keep, reason=" ", owner="")
    return replace(it, clicks=clicks, keep=keep, reason="", advice=())


def _found_by_a_look(it: Case) -> Case:
    found = tuple(replace(a, operation="", error_code="", name="") for a in it.attempts)
    return replace(it, attempts=found)


def _asked_by_people(it: Case) -> Case:
    first = it.attempts[0]
    others = [replace(first, caller=sso(name), event_id=name) for name in ("priya", "dave", "erin")]
    return replace(it, attempts=(*others, first), requester_id="U0PRIYA")


ODD: dict[str, Odd] = {
    "much could not be read": Odd(
        _seen(lambda world: replace(world, unread=tuple(f"call {n} was refused" for n in range(5))))
    ),
    "no backup is left": Odd(_without_backups),
    "backups are kept for good": Odd(_of_cluster(_kept_for_good)),
    "HSMs are degraded": Odd(_of_cluster(_worn)),
    "keys were used in vain": Odd(_used),
    "nobody said why": Odd(_unsaid),
    "nobody clicked": Odd(lambda it: replace(it, clicks=(), keep=None)),
    "nothing is known of before": Odd(lambda it: replace(it, before=None)),
    "a look found it": Odd(_found_by_a_look),
    "people asked for it": Odd(_asked_by_people),
    "three weeks later": Odd(later=21 * DAY),
    "a dry run that nobody can approve": Odd(policy=replace(DRY, approvers=())),
    "all have names": Odd(names=NAMES),
}


@functools.cache
def moments() -> tuple[tuple[str, Case, datetime, Message], ...]:
    """Each moment as it usually is; played once, as it takes longer than all its messages."""
    played = ((name, play()) for name, play in MOMENTS.items())
    return tuple((name, it.case, it.now, of(it.case, it.now)) for name, it in played)


def otherwise(odd: Odd) -> Iterator[tuple[str, Message, Message]]:
    """The moments that read otherwise then, each with how it usually reads."""
    for name, it, now, usual in moments():
        made = odd.message(it, now)
        if made != usual:
            yield name, made, usual
