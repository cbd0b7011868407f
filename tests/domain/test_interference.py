"""Plans driven to their end while others act, people change their minds and functions die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.simulation import store_in, with_hsm, without_hsm
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.plan import IRREVERSIBLE, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Hsm,
    KeyState,
    OtherUse,
    Snapshot,
    StoreState,
)
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    approved,
    busy,
    key,
    sibling,
    store,
    used,
    with_keys,
    world,
)

pytestmark = pytest.mark.any_words

MOST_TURNS = 1_500
Change = Callable[[Snapshot], Snapshot]


def brought_back(snapshot: Snapshot) -> Snapshot:
    keys = tuple(
        k if k.is_live else replace(k, state=KeyState.DISABLED, deletion_date=None)
        for k in snapshot.keys
    )
    return replace(snapshot, keys=keys)


def each_key(**values: object) -> Change:
    def change(snapshot: Snapshot) -> Snapshot:
        keys = (replace(k, **values) if k.is_live else k for k in snapshot.keys)  # type: ignore[arg-type]
        return replace(snapshot, keys=tuple(keys))

    return change


def of_cluster(**values: object) -> Change:
    def change(snapshot: Snapshot) -> Snapshot:
        if snapshot.cluster is None:
            return snapshot
        return replace(snapshot, cluster=replace(snapshot.cluster, **values))  # type: ignore[arg-type]

    return change


def another_hsm(snapshot: Snapshot) -> Snapshot:
    if snapshot.cluster is None or any(h.hsm_id == "hsm-new" for h in snapshot.cluster.hsms):
        return snapshot
    return with_hsm(Hsm("hsm-new", HsmState.ACTIVE, "1a"))(snapshot)


OUTSIDE: dict[str, Change] = {
    "a new key": with_keys(key("new")),
    "a key is used": each_key(last_use=used(MINUTE)),
    "a key is disabled": each_key(state=KeyState.DISABLED),
    "a key is enabled": each_key(state=KeyState.ENABLED),
    "keys are brought back": brought_back,
    "the store is connected": store_in(STORE, StoreState.CONNECTED),
    "the store is disconnected": store_in(STORE, StoreState.DISCONNECTED),
    "the store fails": store_in(STORE, StoreState.FAILED),
    "an HSM is deleted": without_hsm("hsm-1b-1"),
    "an HSM is added": another_hsm,
    "a tag": of_cluster(tags=(("env", "prod"),)),
    "the backups are gone": of_cluster(backups=()),
    "the cluster is deleted": lambda s: replace(s, cluster=None),
    "the store is moved": lambda s: replace(
        s, key_stores=tuple(replace(x, cluster_id="cluster-elsewhere") for x in s.key_stores)
    ),
    "the store is deleted": lambda s: replace(s, key_stores=() if not s.keys else s.key_stores),
    "other programs come": lambda s: replace(s, other_use=busy(3)),
    "no metrics": lambda s: replace(s, other_use=OtherUse()),
    "other programs go": lambda s: replace(s, other_use=NO_OTHERS),
    "a permission is lost": lambda s: replace(s, unread=("kms:ListKeys was refused",)),
    "a permission is back": lambda s: replace(s, unread=()),
    "the other cluster shrinks": lambda s: replace(s, siblings=()),
}
PEOPLE = ("cancel", "reject", "withdraw", "refresh", "an approver leaves", "two days pass")
CRASHES = ("before intent", "before", "after")
DESTRUCTIVE = IRREVERSIBLE | {Operation.UPDATE_KEY_STORE}

WORLDS: dict[tuple[Remedy, str], Snapshot] = {
    (Remedy.RETIRE, "keys"): world(key("a"), key("b", KeyState.DISABLED)),
    (Remedy.RETIRE, "disconnected"): world(key("a"), held=store(StoreState.DISCONNECTED)),
    (Remedy.RETIRE, "failed"): world(key("a"), held=store(StoreState.FAILED)),
    (Remedy.RETIRE, "empty"): world(),
    (Remedy.RETIRE, "only HSMs"): world(free=True, zones=("1a", "1a", "1b")),
    (Remedy.RETIRE, "pending"): world(key("a", KeyState.PENDING_DELETION)),
    (Remedy.PARK, "keys"): world(key("a")),
    (Remedy.PARK, "disconnecting"): world(key("a"), held=store(StoreState.DISCONNECTING)),
    (Remedy.REPOINT, "keys"): world(key("a"), key("b"), siblings=(sibling(),)),
}

events = st.lists(st.tuples(st.integers(0, 14), st.sampled_from([*OUTSIDE, *PEOPLE])), max_size=4)
crashes = st.dictionaries(st.integers(0, 8), st.sampled_from(CRASHES), max_size=3)


class Walk:
    """One play under interference: it approves again up to three times, and watches each call."""

    def __init__(self, start: tuple[Remedy, str], crash_at: dict[int, str], days: int) -> None:
        self.remedy = start[0]
        policy = replace(POLICY, quorum_by_tag=(("env=prod", 3),), quarantine_days=days)
        self.play = approved(WORLDS[start], self.remedy, policy=policy)
        self.made = 0
        self.crash_at = dict(crash_at)
        self.plans: list[Plan] = []
        self.approvals = 1
        self.play.crash = self.crash

    def crash(self, operation: Operation, target: str) -> str:
        return self.crash_at.get(self.made, "")

    def happen(self, what: str) -> None:
        play = self.play
        acts = {"cancel": Act.CANCEL, "reject": Act.REJECT, "refresh": Act.REFRESH}
        if what in OUTSIDE:
            play.change(OUTSIDE[what])
        elif what in acts:
            play.click(acts[what], "erin")
        elif what == "withdraw":
            play.click(Act.WITHDRAW, "alice")
        elif what == "two days pass":
            play.now += 2 * DAY
        else:
            play.people["bob"] = replace(play.people["bob"], is_approver=False)

    def step(self) -> bool:
        """One turn; True if the case is closed for good."""
        play = self.play
        before = len(play.calls)
        step = play.turn()
        if isinstance(step, Wait) and "allowed to read" in step.why:
            self.happen("a permission is back")
        if isinstance(step, Call):
            self.made += 1
            self.watch(step, play.calls[before:])
        if play.case.watches and play.case.snapshot and play.case.snapshot.unread:
            self.happen("a permission is back")
        if isinstance(step, Ask):
            play.now += DAY if play.case.watches else HOURS
            if self.approvals < 4 and any(p.remedy is self.remedy for p in play.case.offers):
                self.approvals += 1
                play.approve(self.remedy, "carol", "dave", "erin", "frank")
        return isinstance(step, Close) and play.case.is_over

    def watch(self, step: Call, landed: list[tuple[Operation, str]]) -> None:
        """Never beyond the approved plan, unless it leads back."""
        play = self.play
        if not landed:
            return
        back = play.case.ending is not None
        plan = play.case.current_plan
        assert plan is not None
        if plan not in self.plans:
            self.plans.append(plan)
        for operation, target in landed:
            named = target in plan.names(operation)
            assert named or back, f"{operation} on {target} is not in the plan"
            assert operation not in IRREVERSIBLE or not back, "no way back deletes anything"

    def check(self) -> None:
        play = self.play
        assert play.case.is_over or play.case.is_down, f"never ended: {play.steps[-3:]}"
        assert play.case.outcome is not None or play.case.is_down
        assert play.case.reason or play.case.is_down
        for operation in (Operation.DELETE_KEY_STORE, Operation.DELETE_CLUSTER):
            assert play.operations.count(operation) <= 1, f"{operation} landed twice"
        hsms = Counter(t for o, t in play.calls if o is Operation.DELETE_HSM)
        planned = Counter(t for p in self.plans for t in p.names(Operation.DELETE_HSM))
        assert all(hsms[zone] <= planned[zone] for zone in hsms), "more HSMs than approved"
        calls = len(play.calls)
        play.now += DAY
        assert isinstance(play.turn(), Close) or play.case.is_down
        assert len(play.calls) == calls, "a closed case makes no call"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example((Remedy.RETIRE, "only HSMs"), [(1, "an HSM is added")], {0: "after"}, 0)
@given(st.sampled_from(sorted(WORLDS)), events, crashes, st.sampled_from([0, 0, 3]))
def test_it_always_ends_within_what_was_approved(
    start: tuple[Remedy, str],
    events: list[tuple[int, str]],
    crashes: dict[int, str],
    days: int,
) -> None:
    walk = Walk(start, crashes, days)
    queue = sorted(events, key=lambda event: event[0])
    for turn in range(MOST_TURNS):
        while queue and queue[0][0] <= turn:
            walk.happen(queue.pop(0)[1])
        if walk.step():
            break
    walk.check()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(WORLDS)), crashes)
def test_dying_anywhere_leads_to_the_same_end(
    start: tuple[Remedy, str], crashes: dict[int, str]
) -> None:
    plain, crashed = Walk(start, {}, 0), Walk(start, crashes, 0)
    for walk in (plain, crashed):
        for _ in range(MOST_TURNS):
            if walk.step():
                break
        walk.check()
    assert crashed.play.case.outcome is plain.play.case.outcome
    assert crashed.approvals == plain.approvals, "a crash is no difference to ask about"
    landed = Counter(call for call in crashed.play.calls if call[0] in DESTRUCTIVE)
    assert landed == Counter(call for call in plain.play.calls if call[0] in DESTRUCTIVE)
    if plain.play.case.outcome is Outcome.REPOINTED:
        assert crashed.play.model.world.key_stores[0].cluster_id == OTHER_CLUSTER
    if plain.play.case.outcome is Outcome.RETIRED:
        assert crashed.play.calls[-1] == (Operation.DELETE_CLUSTER, CLUSTER)


def test_a_wait_always_gets_nearer() -> None:
    """No plan looks at AWS more often than every 15 s, nor less than once a day."""
    for start in WORLDS:
        walk = Walk(start, {}, 0)
        for _ in range(MOST_TURNS):
            if walk.step():
                break
        waits = [step.seconds for step in walk.play.steps if isinstance(step, Wait)]
        assert all(1 <= seconds <= 3 * 86_400 for seconds in waits), start
        assert len(walk.play.steps) < 200, start
