"""A stand for the flows: the real store on moto, a model of AWS, people and runs in memory, a clock."""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from chalicelib.answers import Answer
from chalicelib.aws.store.body import BODY
from chalicelib.aws.store.cases import DynamoCases, Stored
from chalicelib.aws.store.inbox import INBOX
from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.simulation import Durations, SimulatedAws
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.caller import Caller, Tool, caller_of
from chalicelib.domain.state.case import Attempt, Case, KeyUse
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import ConflictError, SupersededError
from chalicelib.flows.record_click import record_click
from chalicelib.flows.sleep import sleep
from chalicelib.flows.take_turn import Turn, take_turn
from chalicelib.ports import CaseTrigger, Interaction, Ports
from tests.flows.answers import private, refusal
from tests.flows.cloud import CLUSTER, HUB, NOW, REGION, STORE, Aws, Clock, key, world

__all__ = [
    "CLUSTER",
    "HUB",
    "NOW",
    "REGION",
    "STORE",
    "QuickCases",
    "Stand",
    "key",
    "table",
    "world",
]

METRICS = frozenset(
    re.findall(r"`([A-Z]\w+)`", (Path(__file__).parents[2] / "docs/operate.md").read_text())
)
"""What is written about, metrics among it."""
MOST_RETRIES = 15
"""Of a turn, as in infra/case.asl.json."""
CI = "arn:aws:sts::111122223333:assumed-role/deploy-ci/ci"
DECODED: dict[object, Stored] = {}
"""By all that an item holds."""
MOST_DECODED = 10_000


def _fixed(value: object) -> object:
    """The same, to look something up by."""
    match value:
        case list():
            return tuple(value)
        case set():
            return frozenset(value)
    return value


class QuickCases(DynamoCases):
    """The real store over a table in memory, which decodes no items twice: plays look at a case often."""

    def stored(self, case_id: str) -> Stored:
        items = [self._table.items.get((f"CASE#{case_id}", sk), {}) for sk in (BODY, INBOX)]
        known = tuple((name, _fixed(value)) for item in items for name, value in item.items())
        if (found := DECODED.get(known)) is not None:
            return found
        stored = super().stored(case_id)
        now = [self._table.items.get((f"CASE#{case_id}", sk), {}) for sk in (BODY, INBOX)]
        if all(a is b for a, b in zip(items, now, strict=True)):  # nobody wrote meanwhile
            if len(DECODED) >= MOST_DECODED:
                DECODED.clear()
            DECODED[known] = stored
        return stored


@functools.cache
def dynamodb() -> Any:
    """Made once: moto answers all clients that were made while it listened."""
    return boto3.resource("dynamodb", region_name=REGION)


def table(name: str = "unlatch-test") -> object:
    """The table of infra/resources.yaml, as far as the store needs it."""
    return dynamodb().create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


class Runs:
    """Remembers what was started and woken, and the newest body of each run; an engine may listen."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int]] = []
        self.bodies: dict[tuple[str, int], str | None] = {}
        self.woken: list[str] = []
        self.on_start: Callable[[str, int], None] = lambda case_id, generation: None
        self.on_wake: Callable[[str], None] = lambda token: None
        self.alive: Callable[[str, int], bool] = lambda *name: name in self.started

    def start(self, case_id: str, generation: int, *, body: str = "") -> bool:
        if (case_id, generation) in self.started:
            return False
        self.started.append((case_id, generation))
        self.bodies[case_id, generation] = body
        self.on_start(case_id, generation)
        return True

    def remembered(self, case_id: str, generation: int) -> str | None:
        return self.bodies.get((case_id, generation))

    def wake(self, token: str) -> None:
        self.woken.append(token)
        self.on_wake(token)

    def is_alive(self, case_id: str, generation: int) -> bool:
        return self.alive(case_id, generation)


class Slack:
    """People and gateway: everybody named is a member; those listed approve."""

    def __init__(self, approvers: Sequence[str]) -> None:
        self.approvers = approvers
        self.people: dict[str, Person] = {}
        self.filled: list[tuple[str, Remedy | None]] = []
        self.lines: list[Entry] = []
        self.held: list[tuple[Case, Snapshot | None]] = []
        self.held_with: list[tuple[datetime, str]] = []
        self.told: list[str] = []
        """Who was told in private that there is no such cluster."""
        self.worlds: list[Snapshot | None] = []
        """What each message was made from; without a look it would say untruths of AWS."""
        self.down, self.channel = False, "C1"
        self._ids = itertools.count(1)

    def fetch(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        plain = {
            name: Person(
                name,
                "T1",
                name=name,
                email=f"{name}@example.com",
                is_approver=name in self.approvers,
            )
            for name in user_ids
        }
        return (
            {} if self.down else {**plain, **{n: p for n, p in self.people.items() if n in plain}}
        )

    def among(self, approvers: Sequence[str]) -> Slack:
        other = copy(self)
        other.approvers = approvers
        return other

    def at(self, channel: str, policy: Policy) -> Slack:
        other = copy(self)
        other.channel = channel
        return other

    def find(self, caller: Caller) -> str:
        return ""

    def show(
        self, case: Case, entries: Sequence[Entry], *, now: datetime, may_exist: bool
    ) -> SlackMessage:
        if self.down:
            failures = case.message.failures + 1
            return replace(case.message, is_behind=True, failures=failures)
        assert case.snapshot or not case.has_begun, "a message without a look tells untruths of AWS"
        self.worlds.append(case.snapshot)
        self.lines += entries
        last = entries[-1].number if entries else case.message.thread_lines
        return SlackMessage(self.channel, case.message.ts or "1.0", f"{case.phase}", last)

    def prepare(self, case: Case) -> None:
        """Nothing is looked up."""

    def hold(self, case: Case, world: Snapshot | None, *, since: datetime, remembered: str) -> None:
        self.held.append((case, world))
        self.held_with.append((since, remembered))

    def tell_askers(self, case: Case) -> None:
        self.told += [attempt.caller.session_name for attempt in case.attempts]

    def fill(self, case: Case, click: Click, *, now: datetime) -> None:
        self.filled.append((click.by, click.remedy))

    def open(self, case: Case, remedy: Remedy, *, trigger_id: str) -> str:
        return f"V{next(self._ids)}"


@dataclass
class Seal:
    """Seals with a word, as KMS does with a key; counts what is asked of it."""

    word: str
    made: int = 0
    checked: int = 0

    def make(self, text: str) -> str:
        self.made += 1
        return hashlib.sha256(f"{self.word} {text}".encode()).hexdigest()

    def holds(self, text: str, seal: str) -> bool:
        self.checked += 1
        return seal == hashlib.sha256(f"{self.word} {text}".encode()).hexdigest()


INBOX_SEAL, BODY_SEAL = Seal("inbox"), Seal("body")


@dataclass
class Brake:
    reason: str = ""

    def why(self) -> str:
        return self.reason


class Trail:
    def __init__(self) -> None:
        self.found: list[CaseTrigger | Heard] = []
        self.used: list[KeyUse] = []
        self.looked: list[tuple[str, datetime]] = []
        self.before: Callable[[str], None] = lambda key_id: None

    def calls(
        self, account: str, region: str, *, since: datetime, names: Sequence[str]
    ) -> Sequence[CaseTrigger | Heard]:
        here = (f for f in self.found if (f.account, f.region) == (account, region))
        return [f for f in here if f.attempt.operation in names]

    def failed_uses(
        self, account: str, region: str, *, keys: Mapping[str, datetime]
    ) -> Iterator[tuple[str, Sequence[KeyUse]]]:
        for key_id, since in keys.items():
            self.before(key_id)
            self.looked.append((key_id, since))
            yield key_id, [u for u in self.used if u.key_id == key_id and u.at >= since]


class Stand:
    """Everything together; `policy` overrides are settings' names."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        store: DynamoCases,
        durations: Durations | None = None,
        **policy: object,
    ) -> None:
        approvers = policy.get("approvers", ("alice", "bob", "erin"))
        settings = {"approvers": approvers, "team_ids": ("T1",), "pending_window_days": 7}
        self.clock, self.stored = Clock(), store
        self.aws = Aws(SimulatedAws(snapshot, durations or Durations()), self.clock)
        self.runs, self.slack, self.trail = Runs(), Slack(approvers), Trail()  # type: ignore[arg-type]  # names
        self.counted: list[str] = []
        self.brake = Brake()
        self.ports = Ports(
            cases=store,
            for_turn=self.for_turn,
            inventory=self.aws,
            actions=self.aws,
            runs=self.runs,
            people=self.slack,
            brake=self.brake,
            gateway=self.slack,
            trail=self.trail,
            policy=Policy(**{**settings, **policy}),  # type: ignore[arg-type]
            clock=self.clock,
            places=((HUB, REGION),),
            count=self._count,
            log=self.log,
        )

    @staticmethod
    def log(message: str, **fields: object) -> None:
        """Where log lines go."""

    def _count(self, name: str, _value: float) -> None:
        assert name in METRICS, f"docs/operate.md does not say what {name} counts"
        self.counted.append(name)

    def failed(self, event_id: str = "event-1", *, arn: str = CI) -> CaseTrigger:
        caller = caller_of(arn=arn, kind="AssumedRole", tool=Tool.TERRAFORM)
        attempt = Attempt(event_id, self.clock.now, "CloudHsmClusterInUseException", caller)
        return CaseTrigger(HUB, REGION, self.aws.model.world.cluster_id, attempt)

    def case(self, case_id: str) -> Case:
        return self.stored.load(case_id)

    def for_turn(self, anchor: Anchor, generation: int) -> TurnCases:
        return TurnCases(
            self.stored._table,
            anchor,
            generation=generation,
            inbox_seal=INBOX_SEAL,
            body_seal=BODY_SEAL,
        )

    def edit(self, case_id: str, change: Callable[[Case], Case]) -> Case:
        """The case as a turn of its run would save it: sealed, and remembered."""
        run = case_id, self.stored.stored(case_id).inbox.generation
        cases = self.for_turn(Anchor(self.runs.bodies.get(run) or ""), run[1])
        saved = cases.save(change(cases.load(case_id)))
        self.runs.bodies[run] = cases.digest
        return saved

    def turn(self, case_id: str, *, attempt: int = 0) -> Turn:
        """As the state machine takes it: what the run remembers goes in, and comes out.

        A try that finds another's traces fails, and the next one follows.
        """
        run = case_id, self.stored.stored(case_id).inbox.generation
        given = self.runs.bodies.get(run, "")
        for number in range(attempt, MOST_RETRIES):
            with suppress(SupersededError, ConflictError):
                turn = take_turn(self.ports, *run, given=given, attempt=number)
                self.runs.bodies[run] = turn.body
                return turn
        raise AssertionError("the run has failed")

    def run(self, case_id: str, *, until: Callable[[Case], bool], most: int = 400) -> Case:
        """Turns, with the time between them, until this holds of the case or the run ends."""
        for _ in range(most):
            turn = self.turn(case_id)
            if until(self.case(case_id)) or turn.finished:
                return self.case(case_id)
            sleep(self.ports, case_id, version=turn.version, token=f"token-{turn.version}")
            self.clock.now += timedelta(seconds=turn.wait_seconds)
        raise AssertionError(f"still going after {most} turns: {self.case(case_id).waiting_for}")

    def click(self, by: str, button: str, case_id: str) -> Answer:
        clicked = Interaction("button", by, "T1", "C1", button, case_id, trigger_id="trigger")
        return record_click(self.ports, clicked)

    def approve(self, by: str, remedy: str, case_id: str, **values: str) -> Answer:
        """Opens the dialog, takes a turn to fill it, and submits it."""
        opened = self.click(by, remedy, case_id)
        if private(opened) or refusal(opened):
            return opened
        self.turn(case_id)
        return self.submit(by, remedy, case_id, **values)

    def submit(
        self, by: str, remedy: str, case_id: str, *, team: str = "T1", **values: str
    ) -> Answer:
        """Sends the dialog as it would be filled now, from this workspace."""
        plan = self.case(case_id).offer(Remedy(remedy))
        clicked = Interaction(
            "submission",
            by,
            team,
            action="decide",
            case_id=case_id,
            remedy=remedy,
            plan_hash=plan.plan_hash if plan else "",
            values={
                "cluster_id": self.case(case_id).cluster_id,
                "reason": "not needed any more",
                **({"unproven": "unproven"} if plan and plan.unproven else {}),
                **values,
            },
        )
        return record_click(self.ports, clicked)
