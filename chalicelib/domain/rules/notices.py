"""The moments of a case that must reach people: which are due, and which are over. Pure; says nothing itself.

An edit of the case's message notifies nobody, so each of these becomes a message of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.outage import outage_of
from chalicelib.domain.rules.switched_off import off_since
from chalicelib.domain.rules.waiting import our_keys, scheduled_by_us
from chalicelib.domain.state.case import Case, KeyUse, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.slack_message import Moment, Notice
from chalicelib.domain.state.snapshot import KeyState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_A_DAY = 3
MOST_REMEMBERED = 40
REPEATS = (timedelta(0), HOUR, 4 * HOUR, DAY)
"""When an outage that lasts is told again; then daily."""


def noticed(case: Case, now: datetime) -> Case:
    """The case with what has to be said added, and with what is over marked. The same if nothing is."""
    if not case.message.ts:
        return _first(case, now)
    told = tuple(_ended(case, notice, now) for notice in case.message.notices)
    known = {(notice.moment, notice.about) for notice in told}
    due = [new for new in _due(case, now) if (new.moment, new.about) not in known]
    notices = _kept((*told, *due))
    if notices == case.message.notices:
        return case
    return replace(case, message=replace(case.message, notices=notices))


def _first(case: Case, now: datetime) -> Case:
    """An outage’s first message mentions people itself, so its first notice is told already."""
    if not is_down(case) or case.message.notices:
        return case
    first = Notice(Moment.STORE_DOWN, now.isoformat(), now, told_at=now)
    return replace(case, message=replace(case.message, notices=(first,)))


def _kept(notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
    """The newest ones, and all that still has to be said or edited."""
    spare = len(notices) - MOST_REMEMBERED
    return tuple(n for place, n in enumerate(notices) if place >= spare or n.is_due or n.is_stale)


def _due(case: Case, now: datetime) -> Iterator[Notice]:
    yield from _used(case, now)
    yield from _down(case, now)
    if case.is_closed and case.outcome is Outcome.STOPPED and case.closed_at:
        yield Notice(Moment.STOPPED, case.closed_at.isoformat(), now)
    if case.called_until and case.called_until > now and keys_go(case):
        yield Notice(Moment.LAST_CALL, case.called_until.isoformat(), now)
    if click := lapsed(case, now):
        yield Notice(Moment.KEEP_LAPSED, click.at.isoformat(), now)


def lapsed(case: Case, now: datetime) -> Click | None:
    """The decision to keep it whose time is over, while the question is open again."""
    asked = (Act.KEEP, Act.UNDO)
    heard = [click for click in case.clicks[: case.reset_at_click] if click.act in asked]
    last = heard[-1] if heard else None
    is_open = case.phase is Phase.WAITING and case.keep is None
    is_past = last is not None and last.keep_until is not None and last.keep_until <= now
    return last if is_open and is_past else None


def unsaid(case: Case) -> tuple[KeyUse, ...]:
    """Heard uses of keys since the last notice of them."""
    return case.key_uses[_said_until(case) : case.uses_seen]


def _said_until(case: Case) -> int:
    said = [n.uses for n in case.message.notices if n.moment is Moment.KEY_USED]
    return max(said, default=0)


def _used(case: Case, now: datetime) -> Iterator[Notice]:
    """The first use, then further callers or keys; at most one an hour and three a day."""
    before = {(use.who, use.key_id) for use in case.key_uses[: _said_until(case)]}
    further = any((use.who, use.key_id) not in before for use in unsaid(case))
    said = [n.at for n in case.message.notices if n.moment is Moment.KEY_USED]
    is_soon = bool(said) and now - max(said) < HOUR
    is_often = sum(now - at < DAY for at in said) >= MOST_A_DAY
    if further and keys_go(case) and not is_soon and not is_often:
        yield Notice(Moment.KEY_USED, str(case.uses_seen), now, uses=case.uses_seen)


def _down(case: Case, now: datetime) -> Iterator[Notice]:
    """At once, after one, four and 24 hours, then daily; not while a rescue is at it: it asks nobody."""
    if not is_down(case) or (case.is_rescue and case.phase is Phase.RUNNING):
        return
    told = [n for n in case.message.notices if n.moment is Moment.STORE_DOWN and n.over_at is None]
    if not told:
        yield Notice(Moment.STORE_DOWN, now.isoformat(), now)
        return
    number = len(told)
    wait = REPEATS[number] if number < len(REPEATS) else DAY * (number - len(REPEATS) + 2)
    if now - told[0].at >= wait:
        yield Notice(Moment.STORE_DOWN, now.isoformat(), now)


def is_down(case: Case) -> bool:
    """Keys fail although nobody of this case switched their store off."""
    world = case.snapshot
    store = world.holder if world else None
    if world is None or store is None or case.is_over or not world.live_keys or world.unread:
        return False
    found = outage_of(store, world.cluster)
    return found is not None and found.is_silent


def keys_go(case: Case) -> bool:
    """Keys that this case scheduled or switched off are not back, nor gone for good."""
    world = case.snapshot
    if world is None:
        return bool(case.calls)
    return bool(our_keys(case, world)) or any(disabled_by_us(case, k.key_id) for k in world.keys)


def still_off(case: Case, key_id: str) -> bool:
    """This case made the key go or switched it off, and nobody has seen it back."""
    if key_id not in off_since(case):
        return False
    world = case.snapshot
    key = next((key for key in world.keys if key.key_id == key_id), None) if world else None
    if world is None or key is None or key.state is KeyState.UNKNOWN:
        return True
    return scheduled_by_us(case, key, world.at) or disabled_by_us(case, key_id)


def disabled_by_us(case: Case, key_id: str) -> bool:
    """This case disabled the key, and it waits for no deletion yet."""
    seen = {key.key_id: key.state for key in case.snapshot.keys} if case.snapshot else {}
    was_ours = case.tried(Operation.DISABLE_KEY, key_id)
    return was_ours and seen.get(key_id) is KeyState.DISABLED


def _ended(case: Case, notice: Notice, now: datetime) -> Notice:
    """Marked once what it tells is over. What was never said need not be said any more."""
    world = case.snapshot
    blind = world is None or bool(world.unread)
    over = notice.over_at is None and (
        (notice.moment in (Moment.KEY_USED, Moment.LAST_CALL) and not blind and not keys_go(case))
        or (notice.moment is Moment.STOPPED and case.outcome is not Outcome.STOPPED)
        or (notice.moment is Moment.STORE_DOWN and not blind and not is_down(case))
        or (notice.moment is Moment.KEEP_LAPSED and case.phase is not Phase.WAITING)
    )
    return replace(notice, over_at=now) if over else notice
