"""Whole stories of a case, told by an engine with clicks at their time; the same under any trouble."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial

from chalicelib.answers import Answer, PlanChanged
from chalicelib.domain.simulation import Durations
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.ports import CaseTrigger, Ports
from ops.evidence.approved import unapproved
from sandbox.reliability.table import MemoryTable
from tests.flows.engine import Engine
from tests.flows.stand import (
    INBOX_SEAL,
    QuickCases,
    Stand,
)
from tests.reliability.plots import ALL, Click, Story, is_closed
from tests.reliability.trouble import Trouble, troubled

QUICK = Durations(*[timedelta(seconds=10)] * 5)
RULES = {"quiet_minutes": 1, "repoint_soak_days": 0, "pending_window_days": 1}
FINAL = {"ScheduleKeyDeletion", "DeleteCustomKeyStore", "DeleteHsm", "DeleteCluster"}


def opens(stand: Stand, story: Story) -> CaseTrigger:
    known = stand.failed()
    return replace(known, attempt=story.heard) if story.heard else known


@dataclass(frozen=True)
class End:
    """What came of a story."""

    case: Case
    world: Snapshot
    landed: tuple[tuple[str, str], ...]
    illegal: tuple[str, ...]
    flaws: tuple[str, ...]
    calls: tuple[str, ...]
    stops: tuple[tuple[str, tuple[str, ...]], ...]
    told: tuple[str, ...]

    @property
    def state(self) -> object:
        """The end, without times and versions."""
        cluster = self.world.cluster
        return (
            self.case.outcome,
            tuple((s.key_store_id, s.state, s.cluster_id) for s in self.world.key_stores),
            tuple((k.key_id, k.state) for k in self.world.keys),
            (cluster.state, cluster.zones) if cluster else None,
        )

    @property
    def twice(self) -> list[tuple[str, str]]:
        """Destructive calls that landed more than once."""
        counts = Counter(call for call in self.landed if call[0] in FINAL)
        return [call for call, count in counts.items() if count > 1]


def offered(story: str) -> set[Remedy]:
    """All ways out but Keep, once people are asked."""
    told_of = ALL[story]
    stand = Stand(
        told_of.make(), store=QuickCases(MemoryTable(), INBOX_SEAL), durations=QUICK, **RULES
    )
    engine = Engine(stand)
    engine.deliver(opens(stand, told_of))
    engine.go(until=lambda: bool(stand.runs.started))
    case_id = stand.runs.started[0][0]
    engine.go(until=lambda: bool(stand.case(case_id).offers))
    return {plan.remedy for plan in stand.case(case_id).offers} - {Remedy.KEEP}


def played(story: str, *, at: int = -1, kind: str = "", turns_a_run: int = 1_500) -> End:
    """The story's end, with this trouble at this call. A case that stops is tried again once."""
    told_of = ALL[story]
    trouble = Trouble(at, kind)
    stand = Stand(
        told_of.make(), store=QuickCases(MemoryTable(), INBOX_SEAL), durations=QUICK, **RULES
    )
    engine = Engine(stand, turns_a_run=turns_a_run)
    engine.restart = trouble.restart
    told: list[str] = []
    stand.ports = troubled(_heard(stand.ports, told), trouble)
    engine.deliver(opens(stand, told_of))
    engine.go(until=lambda: bool(stand.runs.started))
    case_id = stand.runs.started[0][0]
    stops: list[tuple[str, tuple[str, ...]]] = []
    _tell(engine, case_id, told_of.clicks, stops)
    engine.go(until=lambda: not engine.living)
    assert engine.surprises == []
    entries = stand.stored.entries(case_id)
    case = stand.case(case_id)
    return End(
        case,
        stand.aws.model.at(stand.clock.now),
        tuple(stand.aws.landed),
        tuple(stand.aws.illegal),
        (*audit_log.flaws(entries, head=case.log_head), *unapproved(entries)),
        tuple(trouble.calls),
        tuple(stops),
        tuple(told),
    )


untroubled = cache(played)
"""The same story, played once."""


def _heard(ports: Ports, told: list[str]) -> Ports:
    """Its log lines and metrics come here."""

    def log(message: str, **fields: object) -> None:
        told.append(f"log: {message} {json.dumps(fields, default=str)}")

    def count(name: str, value: int) -> None:
        told.append(f"metric: {name} {value}")

    return replace(ports, log=log, count=count)


def _tell(
    engine: Engine, case_id: str, clicks: Sequence[Click], stops: list[tuple[str, tuple[str, ...]]]
) -> None:
    """Every click in its turn. Where the case asks afresh, people approve afresh."""
    todo, asked = [*clicks, Click("", "", is_closed)], 0
    while todo:
        click = todo[0]

        def ready(now: Click = click, before: int = asked) -> bool:
            case = engine.case(case_id)
            return _is_stopped(engine, case) or case.reset_at_click > before or now.when(case)

        engine.go(until=ready)
        case = engine.case(case_id)
        if case.outcome is Outcome.STOPPED:
            _try_again(engine, case_id, stops)
        elif case.reset_at_click > asked:
            asked = case.reset_at_click
            todo = [c for c in clicks if c.button in list(Remedy)] + [
                c for c in todo if c.button not in list(Remedy)
            ]
        else:
            todo.pop(0)
            if click.by:
                engine.person(partial(_clicked, engine.stand, case_id, click))


def _is_stopped(engine: Engine, case: Case) -> bool:
    """It says so: its run has ended, or stays awake for keys that wait, or for a person to help."""
    return case.outcome is Outcome.STOPPED and (case.watches or case.is_down or not engine.living)


def _try_again(engine: Engine, case_id: str, stops: list[tuple[str, tuple[str, ...]]]) -> None:
    """As the message of a stopped case says."""
    case = engine.case(case_id)
    if case.outcome is not Outcome.STOPPED:
        return
    stops.append((case.reason, case.advice))
    assert len(stops) < 3, "stops again and again"
    engine.person(lambda: engine.stand.click("erin", "refresh", case_id))
    engine.go(until=lambda: engine.case(case_id).outcome is not Outcome.STOPPED)


def _clicked(stand: Stand, case_id: str, click: Click) -> Answer:
    if not click.sends:
        return stand.click(click.by, click.button, case_id)
    answer = stand.submit(click.by, click.button, case_id)
    assert not isinstance(answer, PlanChanged), Remedy(click.button)
    return answer
