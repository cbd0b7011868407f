"""Anything in any order: clicks, events, crashes, other people, time. What must hold is checked after each step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import SimulatedAws
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.plan import Plan
from chalicelib.domain.state.snapshot import Key, KeyState, Snapshot, StoreState
from chalicelib.failures import TemporaryError
from chalicelib.ports import CaseTrigger, Receipt
from ops.evidence.approved import unapproved
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import Aws
from tests.flows.engine import Died, Engine
from tests.flows.stand import INBOX_SEAL, Stand, key, world
from tests.reliability.figures import TRIED
from tests.reliability.profiles import MACHINE
from tests.reliability.stories import FINAL, QUICK, RULES
from tests.reliability.trouble import KINDS, Trouble, troubled

pytestmark = pytest.mark.any_words

OTHER = "cluster-7z7z7z7z7z7"
PEOPLE = st.sampled_from(("alice", "bob", "erin", "mallory"))
REMEDIES = st.sampled_from(("retire", "retire", "park", "keep"))
BUTTONS = st.sampled_from(("reject", "cancel", "undo", "refresh", "withdraw", "retire", "nonsense"))
WORLDS = st.sampled_from(
    (
        world(),
        world(key(1)),
        world(key(1), key(2, KeyState.DISABLED)),
        world(key(1), store=StoreState.DISCONNECTED),
    )
)


class Clouds:
    """Inventory and actions of two clusters; notes who had approved what when a call landed."""

    def __init__(self, clouds: dict[str, Aws]) -> None:
        self.clouds = clouds
        self.landed: list[tuple[str, str, str]] = []
        self.unapproved: list[str] = []

    def snapshot(self, case: Case, *, now: object) -> Snapshot:
        return self.clouds[case.cluster_id].snapshot(case, now=now)  # type: ignore[arg-type]

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:
        return self.clouds[case.cluster_id].look_again(case, seen)

    def outline(self, account: str, region: str, *, now: object) -> Snapshot:
        raise TemporaryError(f"nobody looks at all of {account} here")

    def reread(self, case: Case, key_id: str) -> Key:
        return self.clouds[case.cluster_id].reread(case, key_id)

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        receipt = self.clouds[case.cluster_id].perform(step, target, case=case)
        name = step.operation.split(":")[1]
        if name in FINAL:
            plan = case.plan
            self.landed.append((plan.plan_hash if plan else "", name, f"{case.case_id} {target}"))
            if plan is None or not _is_approved(case, plan, step, target):
                self.unapproved.append(f"{name} {target}")
        return receipt


def _is_approved(case: Case, plan: Plan, step: Call, target: str) -> bool:
    people = {c.by for c in case.approved if c.plan_hash == plan.plan_hash}
    named = target in plan.names(step.operation) and plan.cluster_id == case.cluster_id
    return named and len(people) >= plan.terms.people and case.ending is None


class Anything(RuleBasedStateMachine):
    @initialize(first=WORLDS, quarantine=st.sampled_from((0, 0, 2)))
    def begin(self, first: Snapshot, quarantine: int) -> None:
        self.table = MemoryTable()
        rules = {**RULES, "quarantine_days": quarantine}
        self.it = Stand(first, store=DynamoCases(self.table, INBOX_SEAL), durations=QUICK, **rules)
        other = world(key(8), cluster_id=OTHER, store_id="cks-other")
        aws = Aws(SimulatedAws(other, QUICK), self.it.clock)
        self.clouds = Clouds({first.cluster_id: self.it.aws, OTHER: aws})
        self.trouble, self.engine = Trouble(), Engine(self.it, turns_a_run=50)
        self.engine.restart = self.trouble.restart
        ports = replace(self.it.ports, inventory=self.clouds, actions=self.clouds)
        self.it.ports = troubled(ports, self.trouble)
        self.versions: Counter[str] = Counter()
        self.events = 0

    @property
    def cases(self) -> list[Case]:
        ids = (pk.partition("#")[2] for pk, sk in list(self.table.items) if sk == INBOX)
        return sorted(map(self.it.stored.load, ids), key=lambda case: case.opened_at)

    def case(self, which: int) -> Case:
        return self.cases[which % len(self.cases)]

    @rule(number=st.integers(0, 3), other=st.booleans(), lost=st.booleans(), late=st.booleans())
    def event(self, number: int, other: bool, lost: bool, late: bool) -> None:
        """The same four events in any order, again and again; some are only found by the sweep."""
        failed = self.it.failed(f"event-{number}-{other}")
        failed = CaseTrigger(
            failed.account, failed.region, OTHER if other else failed.cluster_id, failed.attempt
        )
        if lost:
            self.it.trail.found.append(failed)
        elif late:
            when = self.it.clock.now + timedelta(hours=number + 1)
            self.engine.later.append((when, lambda: self.engine.deliver(failed)))
        else:
            self.engine.deliver(failed)

    @precondition(lambda self: self.cases)
    @rule(by=PEOPLE, button=BUTTONS, which=st.integers(0, 5), again=st.booleans())
    def click(self, by: str, button: str, which: int, again: bool) -> None:
        case_id = self.case(which).case_id
        for _ in range(2 if again else 1):
            self._survive(lambda: self.it.click(by, button, case_id))

    @precondition(lambda self: self.cases)
    @rule(by=PEOPLE, remedy=REMEDIES, which=st.integers(0, 5), days=st.sampled_from(("", "3d")))
    def send(self, by: str, remedy: str, which: int, days: str) -> None:
        case_id = self.case(which).case_id
        more = {"for": days, "override": "in_use"}
        self._survive(lambda: self.it.submit(by, remedy, case_id, **more))

    @precondition(lambda self: self.cases)
    @rule(remedy=st.sampled_from(("retire", "park")), which=st.integers(0, 5))
    def agree(self, remedy: str, which: int) -> None:
        """Enough people say yes to what is offered now."""
        case_id = self.case(which).case_id
        for by in ("alice", "bob", "erin"):
            self._survive(lambda by=by: self.it.submit(by, remedy, case_id, override="in_use"))

    @rule(count=st.integers(1, 12))
    def turns(self, count: int) -> None:
        for _ in range(count):
            self.engine.step()

    @rule(hours=st.sampled_from((0.1, 1, 5, 23, 26, 24 * 3)))
    def time(self, hours: float) -> None:
        end = self.it.clock.now + timedelta(hours=hours)
        while self.it.clock.now < end:
            self.engine.step()

    @rule(ahead=st.integers(0, 25), kind=st.sampled_from(KINDS))
    def trouble_ahead(self, ahead: int, kind: str) -> None:
        self.trouble.at, self.trouble.kind = len(self.trouble.calls) + ahead, kind

    @rule(which=st.sampled_from(("disconnect", "connect", "new key", "use", "bring back")))
    def somebody_else(self, which: str) -> None:
        model = self.it.aws.model
        now = model.at(self.it.clock.now)
        stores = now.key_stores
        match which:
            case "disconnect" if stores and stores[0].state is StoreState.CONNECTED:
                changed = replace(stores[0], state=StoreState.DISCONNECTED)
                model.world = replace(now, key_stores=(changed,))
            case "connect" if stores and stores[0].state is StoreState.DISCONNECTED:
                if now.live_hsms:
                    changed = replace(stores[0], state=StoreState.CONNECTED)
                    model.world = replace(now, key_stores=(changed,))
            case "new key" if stores and len(now.keys) < 5:
                fresh = replace(key(len(now.keys) + 20), created_at=self.it.clock.now)
                model.world = replace(now, keys=(*now.keys, fresh))
            case "use" if now.live_keys:
                used = replace(now.keys[0].last_use, at=self.it.clock.now)
                model.world = replace(
                    now, keys=(replace(now.keys[0], last_use=used), *now.keys[1:])
                )
            case "bring back" if now.pending_keys:
                keys = [
                    replace(k, state=KeyState.DISABLED, deletion_date=None)
                    if k is now.pending_keys[0]
                    else k
                    for k in now.keys
                ]
                model.world = replace(now, keys=tuple(keys))

    @rule()
    def somebody_else_finishes(self) -> None:
        """The other cluster is deleted by hand."""
        cloud = self.clouds.clouds[OTHER].model
        if not cloud.due:
            cloud.world = replace(cloud.world, cluster=None, key_stores=(), keys=())

    def _survive(self, click: object) -> None:
        try:
            click()  # type: ignore[operator]
        except Died:
            self.trouble.restart()

    @invariant()
    def nothing_final_twice(self) -> None:
        assert all(count == 1 for count in Counter(self.clouds.landed).values()), self.clouds.landed

    @invariant()
    def only_what_was_approved(self) -> None:
        assert self.clouds.unapproved == []

    @invariant()
    def logs_are_whole(self) -> None:
        for case in self.cases:
            entries = self.it.stored.entries(case.case_id)
            assert audit_log.flaws(entries, head=case.log_head) == ()
            assert unapproved(entries) == ()

    @invariant()
    def one_open_case_a_cluster(self) -> None:
        open_cases = [c for c in self.cases if not c.is_closed or c.outcome is Outcome.KEPT]
        clusters = Counter(case.cluster_id for case in open_cases)
        assert all(count == 1 for count in clusters.values()), open_cases

    @invariant()
    def versions_only_grow(self) -> None:
        for case in self.cases:
            assert case.version >= self.versions[case.case_id]
            self.versions[case.case_id] = case.version

    @invariant()
    def strangers_count_nowhere(self) -> None:
        assert "mallory" not in {click.by for case in self.cases for click in case.clicks}

    def teardown(self) -> None:
        """Left alone, every case comes to an end."""
        if not hasattr(self, "engine"):
            return
        self.trouble.at = -1
        self.engine.go(until=lambda: all(self._is_settled(c) for c in self.cases), steps=20_000)
        self.nothing_final_twice()
        self.only_what_was_approved()
        self.logs_are_whole()
        assert self.engine.surprises == []
        TRIED["random interleavings, each played to its end"] += 1
        TRIED["cases in random interleavings"] += len(self.cases)

    def _is_settled(self, case: Case) -> bool:
        return case.is_closed


TestAnything = Anything.TestCase
TestAnything.settings = MACHINE
