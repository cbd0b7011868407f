"""Stories told through the whole sandbox while somebody edits the case at every one of their moments, and puts it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from sandbox.reliability.cells import spread
from sandbox.reliability.edits import BODY, ENTRIES, INBOX, Edit, edits
from sandbox.reliability.fast_case import Items
from sandbox.reliability.matrix import differences, untroubled
from sandbox.reliability.plays import End, GaveUpError, Teller
from sandbox.reliability.stories import STORIES
from sandbox.reliability.tampering import must_alarm
from sandbox.reliability.workers import workers
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.model import DEFAULT_REGION, HUB
from sandbox.scenario.scenario_sandbox import ScenarioSandbox, open_sandbox

HELD = timedelta(minutes=6)
"""A refused case is looked at again after five."""
REMEMBERED = 3
"""Moments that may be put back."""
ALARMS = {"unlatch-dev-tampering", "unlatch-dev-seals"}


@dataclass(frozen=True)
class TamperedPlay:
    """A story with an edit at each of its moments, and what did not hold."""

    story: str
    edits: int
    why: str = ""


class Restless:
    """A sandbox on which somebody acts before each thing that comes due."""

    def __init__(self, sandbox: ScenarioSandbox, act: Callable[[], None]) -> None:
        self._sandbox, self._act = sandbox, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def step(self) -> bool:
        self._act()
        return self._sandbox.step()

    def advance(self, delta: timedelta) -> None:
        self._sandbox.settle()  # what is under way sets its timers first
        clock = self._sandbox.clock
        until = clock.now() + delta
        while (due := clock.next_due()) is not None and due <= until:
            self.step()
        self._sandbox.advance(max(until - clock.now(), timedelta(0)))


class TamperedTeller(Teller):
    """At each moment the case is edited and its run woken; then the true items come back."""

    def __init__(self, sandbox: ScenarioSandbox, cases: StoredCases, *, offset: int) -> None:
        self._real = sandbox
        super().__init__(cast(ScenarioSandbox, Restless(sandbox, self._tamper)), cases)
        self._offset, self.edited = offset, 0
        self._true: tuple[Items, ...] = ()

    def _tamper(self) -> None:
        cases = self._cases.cases()
        if not cases:
            return
        case_id, hand = str(cases[-1]["id"]), self._cases.hand
        true = hand.items(case_id)
        edit = self._next_edit(case_id, true)
        if edit is None:
            return
        hand.replace(case_id, edit.items)
        body, inbox = (f"CASE#{case_id}", BODY), (f"CASE#{case_id}", INBOX)
        self._wake(str(true[inbox].get("token", "")))
        now = hand.items(case_id)
        if now.get(body) == edit.items.get(body):
            hand.replace(case_id, true)
        if not self._wake(str(now.get(inbox, {}).get("token", ""))):
            self._real.advance(HELD)
        self._true = (*self._true, true)[-REMEMBERED:]

    def _next_edit(self, case_id: str, true: Items) -> Edit | None:
        """Of those that a turn has to notice, and that spoil no click: what is lost leads elsewhere."""
        body, inbox = (f"CASE#{case_id}", BODY), (f"CASE#{case_id}", INBOX)
        if body not in true:
            return None
        waits = any(true[inbox][kind] for kind in ENTRIES)
        seen = [
            edit
            for edit in edits(case_id, true, other={}, other_id="", earlier=self._true)
            if must_alarm(case_id, true, edit.items, earlier=self._true)
            and not (waits and edit.items.get(body) == true[body])
        ]
        (edit,) = spread(seen, 1, self._offset + self.edited)
        self.edited += 1
        return edit

    def _wake(self, token: str) -> bool:
        """As a click would, so that a turn reads what stands there; False if nothing sleeps on this token."""
        states = self._sandbox.client("stepfunctions", account=HUB, region=DEFAULT_REGION)
        try:
            states.send_task_success(taskToken=token or "none", output=json.dumps({}))
        except ClientError:
            return False
        self._sandbox.settle()
        return True


def tampered_plays() -> list[TamperedPlay]:
    """Each story of the crash matrix, on all processors."""
    with workers() as pool:
        return list(pool.map(_tampered, STORIES))


def _tampered(story: str) -> TamperedPlay:
    return tampered(story, untroubled(story))


def tampered(story: str, good: End, *, offset: int = 0) -> TamperedPlay:
    """This story with its edits, held against how it should end."""
    with open_sandbox(STORIES[story].scenario()) as (sandbox, cases):
        teller = TamperedTeller(sandbox, cases, offset=offset)
        try:
            end = teller.play(STORIES[story])
        except GaveUpError as lost:
            return TamperedPlay(story, teller.edited, str(lost))
        differ = [*differences(end, good)]
        differ += [] if ALARMS & set(sandbox.alarms()) else ["no alarm"]
    return TamperedPlay(story, teller.edited, "; ".join(differ))
