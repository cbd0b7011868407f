"""A case as it is shown now: all that a message is made from, and the forecasts it may tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from chalicelib.domain import diagnosis
from chalicelib.domain.diagnosis import WayOut
from chalicelib.domain.forecast import Forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation, last_seen
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.names import NO_NAMES, Names


@dataclass(frozen=True)
class Shown:
    """`forecasts` are found by a plan's hash, else by the name of its remedy."""

    case: Case
    policy: Policy
    now: datetime
    version: int
    forecasts: Mapping[str, Forecast]
    stage: str = ""
    names: Names = NO_NAMES

    @property
    def value(self) -> str:
        """What every button carries."""
        return f"{self.case.case_id}:{self.version}"

    @property
    def option(self) -> str:
        """What every command of the operator ends with, so that it means this stage."""
        return f" --stage {self.stage}" if self.stage else ""

    @property
    def cluster(self) -> str:
        return facts.cluster(self.case)

    @cached_property
    def situation(self) -> Situation:
        """What the domain judges by: the last look, at this moment."""
        return last_seen(self.case, policy=self.policy, now=self.now)

    @cached_property
    def ways(self) -> tuple[WayOut, ...]:
        if self.case.snapshot is None:
            return ()
        return diagnosis.ways_out(self.situation)

    def forecast(self, plan: Plan) -> Forecast | None:
        return self.forecasts.get(plan.plan_hash) or self.forecasts.get(plan.remedy.value)
