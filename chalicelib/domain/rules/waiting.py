"""The keys that wait for a deletion which a case scheduled. One rule for cancel, its button, the watch and expiry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.rules.polling import DAY, MINUTE, SETTLING, SOON, once, poll, until
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key, KeyState, Snapshot

TOGETHER = timedelta(hours=1)


def scheduled_by_us(case: Case, key: Key, at: datetime) -> bool:
    """A cancel brings this key back. `at` is when AWS showed the key so.

    A call whose answer was lost counts. A key that shows as live long after our call was brought
    back by somebody; one that waits long after our cancellation was scheduled anew by somebody.
    """
    call = case.call(Operation.SCHEDULE_KEY_DELETION, key.key_id)
    if call is None or call.status is CallStatus.REFUSED:
        return False
    cancel = case.call(Operation.CANCEL_KEY_DELETION, key.key_id)
    if cancel and _is_cancelled(case, call) and (key.is_live or at - cancel.at >= SETTLING):
        return False
    return not key.is_live or at - call.at < SETTLING


def our_keys(case: Case, snapshot: Snapshot) -> tuple[Key, ...]:
    """The keys in this look that a cancel brings back."""
    return tuple(key for key in snapshot.keys if scheduled_by_us(case, key, snapshot.at))


def may_wait(case: Case, snapshot: Snapshot) -> bool:
    """A key that we scheduled waits, or nobody can tell that it does not."""
    if our_keys(case, snapshot):
        return True
    blind = bool(snapshot.unread)
    seen = {key.key_id: key.state for key in snapshot.keys}
    return any(
        seen.get(key_id) is KeyState.UNKNOWN or (blind and key_id not in seen)
        for key_id in scheduled(case)
    )


def gone_keys(case: Case, snapshot: Snapshot) -> tuple[str, ...]:
    """Ids of keys that we scheduled and that a whole look does not show any more."""
    seen = {key.key_id for key in snapshot.keys}
    if snapshot.unread:
        return ()
    return tuple(key_id for key_id in scheduled(case) if key_id not in seen)


def until_next(keys: Iterable[Key], now: datetime) -> int:
    """Seconds until the next look at keys that wait: a day before the first goes, and once it is gone.

    Keys that go within an hour of each other count as one.
    """
    dates = sorted(key.deletion_date for key in keys if key.deletion_date)
    ahead = [date for date in dates if date > now]
    if not ahead:
        return poll(dates[-1], now) if dates else SOON
    if ahead[0] - now > timedelta(seconds=DAY + MINUTE):
        return until(ahead[0], now, keys=len(dates))
    return once(max(date for date in ahead if date - ahead[0] <= TOGETHER), now)


def scheduled(case: Case) -> Iterable[str]:
    """Keys whose deletion we scheduled, or may have, and have not cancelled since."""
    for call in case.calls:
        is_ours = call.operation is Operation.SCHEDULE_KEY_DELETION
        may_stand = call.status is not CallStatus.REFUSED and not _is_cancelled(case, call)
        if is_ours and may_stand:
            yield call.target


def _is_cancelled(case: Case, call: CallRecord) -> bool:
    """Our cancellation came later, and AWS accepted it."""
    cancel = case.call(Operation.CANCEL_KEY_DELETION, call.target)
    return cancel is not None and cancel.status is CallStatus.DONE and cancel.at >= call.at
