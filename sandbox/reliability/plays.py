"""Plots of the matrices, played through the whole sandbox by people who click again when nothing came."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from chalicelib.domain.state.audit_log import Kind
from sandbox.ages import parse_age
from sandbox.reliability.stories import (
    APPROVERS,
    CLUSTER,
    SIBLING,
    Act,
    Case,
    Story,
    closed,
    shown,
)
from sandbox.scenario.acts import Acts
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.model import DEFAULT_REGION, HUB, Scenario
from sandbox.scenario.narration import Narration
from sandbox.scenario.report import is_mutation
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

FINAL = ("ScheduleKeyDeletion", "DeleteCustomKeyStore", "DeleteHsm", "DeleteCluster")
TARGETS = ("KeyId", "CustomKeyStoreId", "HsmId", "ClusterId")
PATIENCE = timedelta(days=20)
SAFE = ("cancel", "undo", "refresh")
"""These have no dialog."""
FIELDS = {"cluster_id": CLUSTER, "reason": "not needed", "unproven": True}
"""What people fill in; a dialog has the box only if some key can’t be checked. Nobody overrides what can’t be seen."""
VOIDED = (Kind.VOIDED, Kind.ONCE_MORE)
MOST_CLICKS = 150
"""At half-minute intervals: what only the hourly sweep finds is known by then."""
MOST_HELP = 6
"""A play may break several calls; each may need a person once."""
OFTEN = "6 hours"
UNHEARD = timedelta(hours=7)
"""A click that woke nobody is heard by the next sweep."""


@dataclass(frozen=True)
class End:
    """What came of a play, without times and ids that differ between plays.

    `final` are the irreversible calls that landed; `stops` says where the bot needed people.
    """

    outcome: str | None
    reason: str
    world: str
    twice: tuple[str, ...]
    final: tuple[str, ...]
    log_verified: bool
    calls: tuple[str, ...]
    stops: tuple[str, ...] = ()


class GaveUpError(Exception):
    """The story came to no end."""


class Teller:
    """Plays one story in one sandbox."""

    def __init__(self, sandbox: ScenarioSandbox, cases: StoredCases) -> None:
        self._sandbox, self._cases = sandbox, cases
        self._stops: list[str] = []
        self._agreed = 0
        self._acted_at = sandbox.clock.now()

    def play(self, story: Story, *, sweeps: str = OFTEN) -> End:
        """`sweeps`: how often, once people have acted."""
        self._begin(story)
        acts = list(story.acts)
        while acts:
            case = self._wait(partial(self._needs_people, acts[0]))
            if _is_stopped(case):
                self._try_again(case)
            elif self._is_time_for(acts[0], case):
                self._act(acts.pop(0))
            else:
                self._agree_afresh(story)
        self._sweep_every(sweeps)
        # The last click (an undo) has to be heard before "closed" means the end.
        self._sandbox.advance(timedelta(minutes=2))
        while not _is_over(case := self._wait(lambda now: closed(now) or self._is_asked(now))):
            if _is_stopped(case):
                self._try_again(case)
            else:
                self._agree_afresh(story)
        self._rest()
        return self._end()

    def _begin(self, story: Story) -> None:
        """What opens the case; until people have acted, the bot sweeps hourly as it is deployed."""
        acts = Acts(
            story.scenario(), self._sandbox, self._cases, Narration(io.StringIO()), _unheard
        )
        for item in story.begins:
            if item.act == "advance":
                self._sandbox.advance(parse_age(item.value))
            else:
                acts.perform(item)
            self._sandbox.settle()

    def _sweep_every(self, often: str) -> None:
        """Not each hour: a week in which keys wait would be nothing but sweeps."""
        events = self._sandbox.client("events", account=HUB, region=DEFAULT_REGION, who="ci")
        for rule in events.list_rules()["Rules"]:
            if rule.get("ScheduleExpression"):
                events.put_rule(Name=rule["Name"], ScheduleExpression=f"rate({often})")

    def _wait(self, ready: Callable[[Case], bool]) -> Case:
        end = self._sandbox.clock.now() + PATIENCE
        while True:
            cases = self._cases.cases()
            if cases and ready(cases[-1]):
                return cases[-1]
            if self._sandbox.clock.now() > end or not self._sandbox.step():
                raise GaveUpError(f"nothing more comes: {cases[-1:]}")

    def _needs_people(self, act: Act, case: Case) -> bool:
        return self._is_time_for(act, case) or _is_stopped(case) or self._is_asked(case)

    def _is_time_for(self, act: Act, case: Case) -> bool:
        landed = (c.operation for c in self._sandbox.aws.calls if is_mutation(c) and c.landed)
        return act.when(case) and (not act.after or act.after in landed)

    def _is_asked(self, case: Case) -> bool:
        """Still for people to decide, long after they did: the log says that their yes is void, or none stands.

        A stop can come before the click was written; after Try again the message asks for it anew.
        If it stays so beyond a sweep, it needs more people than the story has: what it can't see
        counts as in use.
        """
        since = self._sandbox.clock.now() - self._acted_at
        void = self._voided() > self._agreed or not case["approvals"]
        few = not all(_approvals(case, by) for by in APPROVERS)
        late = (void and since > timedelta(minutes=10)) or (few and since > UNHEARD)
        return shown(case) and late

    def _voided(self) -> int:
        return sum(entry["kind"] in VOIDED for entry in self._cases.log())

    def _act(self, act: Act) -> None:
        """Clicks, and for a remedy sends the dialog, until the case shows that it was taken."""
        before = self._cases.cases()[-1]
        for _ in range(MOST_CLICKS):
            self._send(act, before)
            after, self._acted_at = self._cases.cases()[-1], self._sandbox.clock.now()
            if _took(act, before, after) or (self._stops and closed(after)):
                return
            self._sandbox.advance(timedelta(seconds=30))
        raise GaveUpError(f"{act.by}'s {act.button} was never taken")

    def _send(self, act: Act, case: Case) -> None:
        self._sandbox.slack.click(act.by, button=act.button, ts=case["message_ts"])
        self._sandbox.settle()
        if act.button not in SAFE:
            self._sandbox.slack.submit(act.by, FIELDS)
            self._sandbox.settle()

    def _try_again(self, case: Case) -> None:
        """As a stopped case's message says: press Try again."""
        self._stops.append(case["reason"])
        if len(self._stops) > MOST_HELP:
            raise GaveUpError(f"stops again and again: {case['reason']}")
        self._act(Act("alice", "refresh", _is_stopped))
        heard_by = self._sandbox.clock.now() + UNHEARD
        while _is_stopped(self._cases.cases()[-1]) and self._sandbox.clock.now() < heard_by:
            if not self._sandbox.step():
                return

    def _agree_afresh(self, story: Story) -> None:
        """The case asks again, as it could not see enough to go on: people look and agree."""
        self._stops.append("People were asked again.")
        void, self._agreed = self._voided() > self._agreed, self._voided()
        if len(self._stops) > MOST_HELP:
            raise GaveUpError("asks again and again")
        button = story.acts[0].button
        for by in APPROVERS:
            if void or not _approvals(self._cases.cases()[-1], by):
                self._agree(Act(by, button, shown))
        self._sandbox.advance(timedelta(minutes=2))

    def _agree(self, act: Act) -> None:
        """Clicks until it counts: who is told to click again does. There may be nothing left to agree to."""
        for _ in range(MOST_CLICKS):
            case = self._cases.cases()[-1]
            if not shown(case):
                return
            self._send(act, case)
            if _took(act, case, self._cases.cases()[-1]):
                return
            self._sandbox.advance(timedelta(seconds=30))

    def _rest(self) -> None:
        """Until no run goes on."""
        while any(run["status"] == "RUNNING" for run in self._sandbox.runs()):
            if not self._sandbox.step():
                return

    def _end(self) -> End:
        case = self._cases.cases()[-1]
        landed = [c for c in self._sandbox.aws.calls if is_mutation(c) and c.landed]
        final = [_named(c.operation, c.params) for c in landed if c.operation in FINAL]
        return End(
            case["outcome"],
            case["reason"],
            _world(self._sandbox.world()),
            tuple(sorted({name for name in final if final.count(name) > 1})),
            tuple(name.split(" ")[0] for name in final),
            self._cases.log_verified(),
            tuple(self._sandbox.aws.faults.asked),
            tuple(self._stops),
        )


def _unheard(_: Mapping[str, Any]) -> None:
    """Takes answers of the bot, which nobody waits for at the beginning."""


def _took(act: Act, before: Case, after: Case) -> bool:
    """The case has moved on, or one more approval stands in it."""
    moved = (before["phase"], before["outcome"]) != (after["phase"], after["outcome"])
    return moved or _approvals(after, act.by) > _approvals(before, act.by)


def _approvals(case: Case, by: str) -> int:
    return sum(one["by"] == by for one in case["approvals"])


def _is_over(case: Case) -> bool:
    return closed(case) and not _is_stopped(case)


def _is_stopped(case: Case) -> bool:
    return bool(case["outcome"] == "stopped")


def _named(operation: str, params: Mapping[str, Any]) -> str:
    return f"{operation} {next((params[n] for n in TARGETS if n in params), '')}"


def _world(world: Mapping[str, Any]) -> str:
    keys = sorted((one["aliases"], one["state"]) for one in world["keys"])
    stores: Sequence[Any] = [(one["id"], one["state"]) for one in world["key_stores"]]
    known = (CLUSTER, SIBLING)
    clusters = [
        (one["id"] if one["id"] in known else "a new cluster", one["state"], one["hsms"])
        for one in world["clusters"]
    ]
    return repr((sorted(clusters), sorted(stores), keys, world["other_keys"]))


def with_faults(scenario: Scenario, faults: Sequence[Mapping[str, Any]]) -> Scenario:
    return replace(scenario, faults=tuple(faults))
