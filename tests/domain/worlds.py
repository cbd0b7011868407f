"""Small worlds, cases and people for the domain's tests, and a driver that plays turns on the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.decide import HOUR, Decision, decide
from chalicelib.domain.remedies.rescue_subnets import with_subnets, written
from chalicelib.domain.rules.clicks import apply_clicks
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Ask, Call, Close, Step, Wait
from chalicelib.domain.simulation import Durations, SimulatedAws
from chalicelib.domain.state.caller import Caller, caller_of
from chalicelib.domain.state.case import Attempt, CallRecord, CallStatus, Case, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Key, LastUse, OtherUse, Sessions, Snapshot, StoreState
from sandbox.sample import (
    ACCOUNT,
    CLUSTER,
    DAY,
    NOW,
    OTHER_CLUSTER,
    REGION,
    STORE,
    cluster,
    hsms,
    key,
    sibling,
    store,
    world,
)

__all__ = [
    "ACCOUNT", "CLUSTER", "DAY", "NOW", "OTHER_CLUSTER", "REGION", "STORE",
    "cluster", "hsms", "key", "sibling", "store", "world",
]  # fmt: skip
"""The sample world, with what follows: each of the domain's tests is about it."""
TEAM = "T0LOCAL"
MINUTE, HOURS = timedelta(minutes=1), timedelta(hours=1)
CI = caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-ci/ci", kind="AssumedRole")
RESTORING = frozenset(
    {
        Operation.CONNECT_KEY_STORE,
        Operation.ENABLE_KEY,
        Operation.CANCEL_KEY_DELETION,
        Operation.CREATE_HSM,
    }
)
"""All that a way back may do."""
POLICY = Policy(approvers=("S0APPROVERS",), team_ids=(TEAM,))
TRACKED = LastUse(None, "", NOW - 400 * DAY)


def sso(name: str) -> Caller:
    """A person who came in by IAM Identity Center."""
    role = "AWSReservedSSO_Admin_0123456789abcdef"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}@example.com"
    return caller_of(arn=arn, kind="AssumedRole")


def used(age: timedelta | None, *, tracked: timedelta | None = 400 * DAY) -> LastUse:
    since = NOW - tracked if tracked is not None else None
    return LastUse(NOW - age if age is not None else None, "Decrypt", since)


def busy(least: int, most: int = 0, **values: object) -> OtherUse:
    """One HSM with so many connections in each minute, or up to `most` in some."""
    return OtherUse((Sessions("hsm-1", least, most or least),), **values)  # type: ignore[arg-type]


def case(*, by: Caller = CI, **values: object) -> Case:
    attempt = Attempt("event-1", NOW, "CloudHsmClusterInUseException", by)
    known: dict[str, object] = {"attempts": (attempt,)}
    return Case("case-1", ACCOUNT, REGION, CLUSTER, NOW, **known | values)  # type: ignore[arg-type]


def person(name: str, **values: object) -> Person:
    known: dict[str, object] = {"team_id": TEAM, "email": f"{name}@example.com"}
    known["is_approver"] = True
    return Person(name, name=name, **known | values)  # type: ignore[arg-type]


PEOPLE: Mapping[str, Person] = {
    name: person(name) for name in ("alice", "bob", "carol", "dave", "erin", "frank")
}


def yes(by: str, plan: Plan, at: datetime = NOW, **values: object) -> Click:
    known: dict[str, object] = {"reason": "decommissioned", "override": plan.terms.override}
    return Click(
        Act.APPROVE,
        by,
        at,
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        **{"target": plan.target_cluster_id, **known, **values},  # type: ignore[arg-type]
    )


CASE, WORLD = case(), world()


def situation(
    snapshot: Snapshot = WORLD,
    *,
    case: Case = CASE,
    policy: Policy = POLICY,
    now: datetime = NOW,
    people: Mapping[str, Person] = PEOPLE,
) -> Situation:
    """All that a decision is made from; a blocked case in a plain world, unless said otherwise."""
    return Situation(case, snapshot, people, policy, now)


@dataclass
class Play:
    """Turns of one case on the model, as flows take them, with people and others acting between.

    Checks with every call that AWS would allow it now; a test may look at `calls` and `steps`.
    """

    snapshot: Snapshot
    case: Case = field(default_factory=case)
    policy: Policy = POLICY
    people: dict[str, Person] = field(default_factory=lambda: dict(PEOPLE))
    now: datetime = NOW
    calls: list[tuple[Operation, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    durations: Durations = field(default_factory=Durations)
    crash: Callable[[Operation, str], str] = lambda operation, target: ""

    def __post_init__(self) -> None:
        self.model = SimulatedAws(self.snapshot, self.durations)

    def click(self, act: Act, by: str = "alice", **values: object) -> None:
        values = {"round": self.case.round, **values}
        click = Click(act, by, self.now, **values)  # type: ignore[arg-type]
        self.case = replace(self.case, clicks=(*self.case.clicks, click))

    def approve(self, remedy: Remedy, *by: str, target: str = "") -> Plan:
        """These people's yes to what is offered now."""
        offers = [plan for plan in self.case.offers if plan.remedy is remedy]
        plan = next(p for p in offers if not target or p.target_cluster_id == target)
        for name in by or tuple(self.people)[: plan.terms.people]:
            click = yes(name, plan, self.now, round=self.case.round)
            self.case = replace(self.case, clicks=(*self.case.clicks, click))
        return plan

    def choose(self, *places: tuple[str, str], by: str = "alice") -> Plan:
        """This person's yes to the rescue that is offered now, in these zones and subnets."""
        offered = self.case.offer(Remedy.RESCUE)
        assert offered is not None, "it is offered"
        plan = with_subnets(offered, places)
        target = written(places) if plan != offered else ""
        click = yes(by, plan, self.now, round=self.case.round, target=target)
        self.case = replace(self.case, clicks=(*self.case.clicks, click))
        return plan

    def change(self, change: Callable[[Snapshot], Snapshot]) -> None:
        """Somebody else acts in AWS."""
        self.model.world = change(self.model.at(self.now))

    def turn(self) -> Step:
        """One turn, which does at most one step; time moves by what the step says."""
        self.case, _ = apply_clicks(self.case, self.now)
        world = self.model.at(self.now)
        decision = decide(Situation(self.case, world, self.people, self.policy, self.now))
        self._do(decision, world)
        self.steps.append(decision.step)
        step = decision.step
        self.now += timedelta(seconds=step.seconds if isinstance(step, Wait) else 1)
        return step

    def sure_turn(self) -> Step:
        """A turn; if it missed something for the first time, the one after it too."""
        step = self.turn()
        missed = isinstance(step, Wait) and step.why.startswith("reading AWS once more")
        return self.turn() if missed else step

    def _do(self, decision: Decision, world: Snapshot) -> None:
        step = decision.step
        if not isinstance(step, Call):
            self.case = decision.case
            return
        targets = [t for t in step.targets if not self.crash(step.operation, t).startswith("no ")]
        for target in targets:
            how = self.crash(step.operation, target)
            self.case = self.case if how == "before intent" else decision.case
            if how == "before intent":
                return
            self._record(decision, step, target, CallStatus.INTENT)
            if how == "before":
                return
            assert not illegal(step, target, world), illegal(step, target, world)
            self.model.call(step, target, self.now)
            self.calls.append((step.operation, target))
            if how == "after":
                return
            self._record(decision, step, target, CallStatus.DONE)
            decision = Decision(self.case, step)

    def _record(self, decision: Decision, step: Call, target: str, status: CallStatus) -> None:
        plan = decision.case.current_plan
        assert plan is not None, "no call without a plan"
        record = CallRecord(step.operation, target, self.now, status, plan.plan_hash)
        self.case = decision.case.with_call(record)

    def until(self, end: Callable[[Step], bool], *, most: int = 3_000) -> Step:
        for _ in range(most):
            step = self.turn()
            if end(step):
                return step
            if isinstance(step, Ask):
                self.now += timedelta(seconds=HOUR)
        raise AssertionError(f"never got there; last: {self.steps[-1]}")

    def to_question(self) -> Step:
        """Until people are asked or the case is closed."""
        return self.until(lambda step: isinstance(step, Ask | Close))

    def to_close(self) -> Close:
        step = self.until(lambda step: isinstance(step, Close))
        assert isinstance(step, Close)
        return step

    def to_call(self, operation: Operation) -> Call:
        """Until this call has been made."""
        step = self.until(
            lambda step: (
                isinstance(step, Close | Ask)
                or (isinstance(step, Call) and step.operation is operation)
            )
        )
        assert isinstance(step, Call), step
        return step

    @property
    def operations(self) -> list[Operation]:
        return [operation for operation, _ in self.calls]


def approved(
    snapshot: Snapshot,
    remedy: Remedy,
    *,
    policy: Policy = POLICY,
    target: str = "",
    **case_values: object,
) -> Play:
    """A play in which enough people have said yes to what was offered at the first look."""
    play = Play(snapshot, case=case(**case_values), policy=policy)  # type: ignore[arg-type]
    assert isinstance(play.turn(), Ask)
    play.approve(remedy, target=target)
    return play


def illegal(step: Call, target: str, world: Snapshot) -> str:
    """Why AWS would refuse this call in this world, or "" (KMS and CloudHSM developer guides)."""
    held = world.key_store(target)
    state = held.state if held else None
    known = {k.key_id: k for k in world.keys}
    match step.operation:
        case Operation.CONNECT_KEY_STORE:
            return "" if state is StoreState.DISCONNECTED else f"connect in {state}"
        case Operation.DISCONNECT_KEY_STORE:
            fine = (StoreState.CONNECTED, StoreState.CONNECTING, StoreState.FAILED)
            return "" if state in fine else f"disconnect in {state}"
        case Operation.UPDATE_KEY_STORE:
            return "" if state is StoreState.DISCONNECTED else f"update in {state}"
        case Operation.DELETE_KEY_STORE:
            empty = state is StoreState.DISCONNECTED and not world.keys
            return "" if empty else f"delete store in {state} with {len(world.keys)} keys"
        case Operation.SCHEDULE_KEY_DELETION | Operation.DISABLE_KEY | Operation.ENABLE_KEY:
            return "" if target in known and known[target].is_live else f"{target} is not live"
        case Operation.CANCEL_KEY_DELETION:
            return "" if target in known and not known[target].is_live else f"{target} is live"
        case Operation.DELETE_CLUSTER:
            made = (c for c in world.siblings if c.cluster_id == step.to_cluster)
            cluster = next(made, None) if step.to_cluster else world.cluster
            hsms_left = cluster.hsms if cluster else ()
            return "" if cluster and not hsms_left else "cluster with HSMs, or none"
    return ""


def with_keys(*keys: Key) -> Callable[[Snapshot], Snapshot]:
    """Others change these keys, or add them."""

    def change(snapshot: Snapshot) -> Snapshot:
        named = {k.key_id: k for k in keys}
        kept: Iterable[Key] = (named.pop(k.key_id, k) for k in snapshot.keys)
        return replace(snapshot, keys=(*kept, *named.values()))

    return change


def waiting(play: Play) -> bool:
    return play.case.phase is Phase.WAITING
