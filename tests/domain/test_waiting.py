"""Which keys wait for a deletion of ours: one rule for cancel, its button, the watch and expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.recovery import disabled_keys, returning_keys
from chalicelib.domain.remedies.undo import recorded, undo_step
from chalicelib.domain.rules.step import Call, Wait
from chalicelib.domain.rules.waiting import gone_keys, may_wait, our_keys
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Key, KeyState
from tests.domain.scenes import JUST, made, scene
from tests.domain.worlds import DAY, HOURS, key, situation, world

SCHEDULED, CANCELLED = Operation.SCHEDULE_KEY_DELETION, Operation.CANCEL_KEY_DELETION
REFUSED, LOST = CallStatus.REFUSED, CallStatus.INTENT
GOING, LIVE = key(state=KeyState.PENDING_DELETION), key()
LONG_AGO = 2 * DAY


def schedule(ago: timedelta = LONG_AGO, status: CallStatus = CallStatus.DONE) -> CallRecord:
    return made(SCHEDULED, "key-a", ago=ago, status=status)


def cancel(ago: timedelta = HOURS, status: CallStatus = CallStatus.DONE) -> CallRecord:
    return made(CANCELLED, "key-a", ago=ago, status=status)


ROWS: list[tuple[str, Key, tuple[CallRecord, ...], bool]] = [
    ("never called", GOING, (), False),
    ("we scheduled it", GOING, (schedule(),), True),
    ("the answer was lost", GOING, (schedule(status=LOST),), True),
    ("AWS refused, so somebody else did", GOING, (schedule(status=REFUSED),), False),
    ("brought back by somebody", LIVE, (schedule(),), False),
    ("so new that AWS shows it live", LIVE, (schedule(JUST),), True),
    ("our cancel was refused", GOING, (schedule(), cancel(status=REFUSED)), True),
    ("the answer of our cancel was lost", GOING, (schedule(), cancel(status=LOST)), True),
    ("our cancel is so new that it does not show", GOING, (schedule(), cancel(JUST)), True),
    ("scheduled anew by somebody", GOING, (schedule(), cancel()), False),
    ("cancelled, and back", LIVE, (schedule(JUST), cancel(JUST / 2)), False),
    ("cancelled first, then scheduled", GOING, (schedule(HOURS), cancel(LONG_AGO)), True),
]


@pytest.mark.parametrize(("why", "seen", "calls", "ours"), ROWS, ids=[row[0] for row in ROWS])
def test_undo_button_and_watch_agree(
    why: str, seen: Key, calls: tuple[CallRecord, ...], ours: bool
) -> None:
    snapshot = world(seen)
    it = scene(Remedy.RETIRE, snapshot, *calls, basis=world(LIVE))
    at = replace(it.case, snapshot=snapshot)
    assert our_keys(at, snapshot) == ((seen,) if ours else ()), why
    assert may_wait(at, snapshot) is ours
    assert len(returning_keys(at)) == int(ours)
    it = replace(it, case=replace(at, before=recorded(situation(world(LIVE), case=at))))
    step = undo_step(it)
    brings_back = isinstance(step, Call) and step.operation is CANCELLED
    waits = isinstance(step, Wait) and step.why.startswith("KMS does not show")
    assert (brings_back or waits) is ours, step


def test_what_can_not_be_seen_may_wait() -> None:
    it = scene(Remedy.RETIRE, world(LIVE), schedule()).case
    assert not may_wait(it, world())
    assert may_wait(it, world(unread=("kms:ListKeys was refused",)))
    assert may_wait(it, world(key(state=KeyState.UNKNOWN, unread="kms:DescribeKey was refused")))
    assert not may_wait(it, world(LIVE, unread=("kms:ListAliases was refused",)))
    blind = world(unread=("kms:ListKeys was refused",))
    assert not may_wait(replace(it, calls=(*it.calls, cancel())), blind)
    assert not may_wait(replace(it, calls=(schedule(status=REFUSED),)), blind)
    assert not may_wait(replace(it, calls=(made(Operation.DISABLE_KEY, "key-a"),)), blind)


def test_keys_that_a_whole_look_lacks_are_gone() -> None:
    it = scene(Remedy.RETIRE, world(LIVE), schedule()).case
    assert gone_keys(it, world()) == ("key-a",)
    assert gone_keys(it, world(GOING)) == ()
    assert gone_keys(it, world(unread=("kms:ListKeys was refused",))) == ()
    assert gone_keys(replace(it, calls=(*it.calls, cancel())), world()) == ()


DISABLED, ENABLE = Operation.DISABLE_KEY, Operation.ENABLE_KEY
SWITCHES: list[tuple[str, tuple[CallRecord, ...], int]] = [
    ("somebody else switched it off", (), 0),
    ("we switched it off", (made(DISABLED, "key-a", ago=LONG_AGO),), 1),
    ("AWS refused us", (made(DISABLED, "key-a", ago=LONG_AGO, status=REFUSED),), 0),
    ("our cancel left it off", (schedule(), cancel()), 1),
    ("we enabled it a moment ago", (schedule(), cancel(), made(ENABLE, "key-a", ago=JUST)), 1),
    ("off again long after", (schedule(), cancel(), made(ENABLE, "key-a", ago=HOURS)), 0),
]


@pytest.mark.parametrize(("why", "calls", "number"), SWITCHES, ids=[row[0] for row in SWITCHES])
def test_undo_and_button_agree_on_what_is_switched_on_again(
    why: str, calls: tuple[CallRecord, ...], number: int
) -> None:
    off = world(key(state=KeyState.DISABLED))
    it = scene(Remedy.RETIRE, off, *calls, basis=world(LIVE))
    at = replace(it.case, snapshot=off)
    at = replace(at, before=recorded(situation(world(LIVE), case=replace(at, before=None))))
    assert len(disabled_keys(at)) == number, why
    step = undo_step(replace(it, case=at))
    enables = isinstance(step, Call) and step.operation is ENABLE
    settles = isinstance(step, Wait) and "enabled" in step.why
    assert (enables or settles) is bool(number), step
