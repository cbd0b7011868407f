"""Plays a scenario on a sandbox, item by item. Decides nothing that is the bot's to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.ages import parse_age
from sandbox.scenario.acts import Acts
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.model import Item, Scenario
from sandbox.scenario.narration import Narration
from sandbox.scenario.report import Record, report
from sandbox.scenario.scenario_sandbox import ScenarioSandbox
from sandbox.scenario.watch import Watch

Case = Mapping[str, Any]
PATIENCE = timedelta(days=60)


class GaveUpError(Exception):
    """What a scenario waited for did not come. Its text is fit for people."""


@dataclass(frozen=True)
class Player:
    scenario: Scenario
    sandbox: ScenarioSandbox
    cases: StoredCases
    narration: Narration
    record: Record

    def play(self) -> dict[str, Any]:
        """The report. A wait that gives up ends the play; what came until then is reported."""
        watch = Watch(self.sandbox, self.cases, self.narration)
        acts = Acts(
            self.scenario, self.sandbox, self.cases, self.narration, self.record.responses.append
        )
        self.narration.title(self.scenario.title)
        try:
            for item in self.scenario.play:
                self._perform(item, acts, watch)
        except GaveUpError as error:
            self.record.failures.append(str(error))
        told = report(self.scenario, self.sandbox, self.cases, record=self.record)
        self.narration.unmet(self.sandbox.aws.faults.missed())
        expected = bool(self.scenario.expect)
        self.narration.verdict(told["expect"]["failures"], expected=expected)
        return told

    def _perform(self, item: Item, acts: Acts, watch: Watch) -> None:
        match item.act:
            case "until":
                self._until(item, watch)
            case "advance":
                self._advance(parse_age(item.value), watch)
            case _:
                acts.perform(item)
        self.sandbox.settle()
        watch.look()

    def _advance(self, span: timedelta, watch: Watch) -> None:
        """Moment by moment, so that the story is told in order."""
        end = self._now() + span
        while (due := self.sandbox.clock.next_due()) is not None and due <= end:
            self.sandbox.step()
            watch.glance()
        self.sandbox.advance(end - self._now())

    def _until(self, item: Item, watch: Watch) -> None:
        end = self._now() + PATIENCE
        while not _arrived(item, watch.newest):
            due = self.sandbox.clock.next_due()
            if due is None or due > end:
                raise GaveUpError(
                    f"{_place(item)}: gave up after 60 days; {_standing(watch.newest)}."
                )
            self.sandbox.step()
            watch.glance()

    def _now(self) -> datetime:
        return self.sandbox.clock.now()


def _arrived(item: Item, case: Case | None) -> bool:
    """Raises if the newest case is closed and another phase is awaited."""
    if case is None:
        return False
    if case["phase"] == "closed" != item.value:
        raise GaveUpError(f"{_place(item)}: it can't come any more; {_standing(case)}.")
    shown = item.value != "waiting" or case["message_ts"] is not None
    return bool(case["phase"] == item.value and shown)


def _standing(case: Case | None) -> str:
    """Where the newest case stands, for a failure's sentence."""
    if case is None:
        return "there is no case"
    if case["phase"] == "closed":
        said = f": {case['reason']}" if case["reason"] else ""
        return f"the newest case is closed as {case['outcome']}{said.rstrip('.')}"
    return f"the newest case is {case['phase']}"


def _place(item: Item) -> str:
    return f"line {item.line}, until {item.value}"
