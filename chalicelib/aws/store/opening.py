"""Opens a case for a trigger, or folds it into the open one. Each event counts once, for ever."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.inbox import (
    TRIGGERS,
    Inbox,
    has_room,
    opened,
    split,
)
from chalicelib.aws.store.writes import OPEN, Write, Writes, place
from chalicelib.domain.rules.approval import CROWD
from chalicelib.domain.state.caller import Caller
from chalicelib.failures import ConflictError
from chalicelib.ports import CaseTrigger, Opened

MOST_LOOKS = 10
MOST_WAITING, MOST_CALLERS = 300, 400
"""Triggers that wait for a turn: a pipeline may try for weeks while no turn can hear it. Beyond the
first number only new callers are kept, and the last place stands for all that find none."""
TOO_MANY = Caller("", "further callers", CROWD)


def case_id_of(event_id: str) -> str:
    """Unique for ever and the same for the same event, so that a replay opens nothing."""
    digest = hashlib.sha256(event_id.encode()).digest()
    return "case-" + base64.b32encode(digest).decode()[:10].lower()


class Opening:
    """What the functions do that hear of triggers.

    `entry` makes a sealed inbox entry of a case, a kind and a value; `inbox` finds a case's inbox.
    """

    def __init__(
        self,
        writes: Writes,
        entry: Callable[[str, str, Any], str],
        inbox: Callable[[str], Inbox | None],
    ) -> None:
        self._writes, self._entry, self._inbox = writes, entry, inbox

    def open_or_fold(self, trigger: CaseTrigger, *, now: datetime) -> Opened:
        """Opens a case, or folds the attempt into the open one. The same event again changes nothing."""
        where = place(trigger.account, trigger.region, trigger.cluster_id)
        trigger = replace(trigger, heard_at=now)
        for _ in range(MOST_LOOKS):
            seen = self._writes.get(f"EVENT#{trigger.attempt.event_id}", "EVENT")
            if seen:
                return self._opened(seen["case_id"])
            held = self._writes.get(OPEN, where)
            done = (
                self._fold(held["case_id"], trigger, where) if held else self._open(trigger, where)
            )
            if done:
                return done
        raise ConflictError("others opened and closed the case again and again meanwhile")

    def _opened(self, case_id: str) -> Opened:
        """A call that still waits in the inbox wakes the run, also if it comes again: whoever folded it

        may have died before that.
        """
        inbox = self._inbox(case_id)
        woken = inbox.token if inbox and inbox.waiting[TRIGGERS] else ""
        generation = inbox.generation if inbox else 0
        return Opened(case_id, generation, is_new=False, token=woken, is_gone=inbox is None)

    def _open(self, trigger: CaseTrigger, where: str) -> Opened | None:
        case_id = case_id_of(trigger.attempt.event_id)
        first = self._entry(case_id, TRIGGERS, trigger)
        writes = [
            self._event(trigger, case_id),
            self._writes.put(
                {"pk": OPEN, "sk": where, "case_id": case_id}, "attribute_not_exists(pk)"
            ),
            self._writes.put(opened(case_id, first), "attribute_not_exists(pk)"),
        ]
        return Opened(case_id, 0, is_new=True) if self._writes.transact(writes) else None

    def _fold(self, case_id: str, trigger: CaseTrigger, where: str) -> Opened | None:
        inbox = self._inbox(case_id)
        expression = "ADD version :one"
        values: dict[str, Any] = {":one": 1}
        if inbox and (kept := _worth_keeping(trigger, inbox.waiting[TRIGGERS])):
            entry = self._entry(case_id, TRIGGERS, kept)
            expression = f"SET triggers=list_append(triggers, :entry) {expression}"
            values[":entry"] = [entry]
        writes = [
            self._event(trigger, case_id),
            self._writes.update_of(
                case_id,
                UpdateExpression=expression,
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=values,
            ),
            self._writes.pointing("ConditionCheck", where, case_id),
        ]
        return self._opened(case_id) if self._writes.transact(writes) else None

    def _event(self, trigger: CaseTrigger, case_id: str) -> Write:
        event_id = trigger.attempt.event_id
        item = {"pk": f"EVENT#{event_id}", "sk": "EVENT", "case_id": case_id}
        return self._writes.put(item, "attribute_not_exists(pk)")


def _worth_keeping(trigger: CaseTrigger, waiting: tuple[str, ...]) -> CaseTrigger | None:
    """As it is kept, or None. Who made a failed call can't approve, so no caller may get lost."""
    fits = has_room(waiting)
    if len(waiting) < MOST_WAITING and fits:
        return trigger
    callers = {codec.load(split(entry)[1], CaseTrigger).attempt.caller for entry in waiting}
    if TOO_MANY in callers or trigger.attempt.caller in callers:
        return None
    is_last = len(waiting) >= MOST_CALLERS - 1 or not fits
    crowd = replace(trigger, attempt=replace(trigger.attempt, caller=TOO_MANY))
    return crowd if is_last else trigger
