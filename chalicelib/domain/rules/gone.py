"""What counts as gone: two whole looks a minute apart. Half a look tells nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.rules.step import Wait
from chalicelib.domain.state.caller import SLACK_USER
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.hsm_states import GOING
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.domain.state.trigger import Trigger

CONFIRM = timedelta(minutes=1)
"""Gone means: two whole looks this far apart."""


def is_gone(case: Case, snapshot: Snapshot) -> bool:
    """This look lacks the cluster; before our first mutation also: nothing holds it any more."""
    if snapshot.unread:
        return False
    if snapshot.cluster is None:
        return True
    going = snapshot.cluster.state in GOING
    about_the_store = case.trigger in (Trigger.STORE_DELETE_BLOCKED, Trigger.CLUSTER_TAKEN)
    free = snapshot.holder is None and (about_the_store or not snapshot.cluster.hsms) and not going
    return free and not case.has_begun


def never_was(case: Case, snapshot: Snapshot) -> bool:
    """Somebody asked by hand, and a whole look shows no such cluster, nor a key store or backup of it.

    Nothing comes of it but a private answer, so one look is enough.
    """
    nothing = not (snapshot.cluster or snapshot.key_stores or snapshot.backups or snapshot.unread)
    return nothing and _is_unseen(case)


def was_never_read(case: Case, now: datetime, *, hours: int) -> bool:
    """Somebody asked by hand for a place that AWS has not answered for since: perhaps there is none."""
    return (
        not case.is_closed and _is_unseen(case) and now - case.opened_at >= timedelta(hours=hours)
    )


def is_about_nothing(case: Case) -> bool:
    """It ended by that: only who asked is told, and there is no message."""
    return case.outcome is Outcome.EXPLAINED and _is_unseen(case)


def asked_by_hand(case: Case) -> bool:
    """In Slack; no call has failed."""
    kinds = {attempt.caller.kind for attempt in case.attempts}
    return kinds == {SLACK_USER}


def _is_unseen(case: Case) -> bool:
    return case.last_cluster is None and not case.message.ts and asked_by_hand(case)


def until_sure(case: Case, now: datetime) -> Wait | None:
    """Until what the last look did not show counts as gone. None: all is there, or gone for sure."""
    if case.missing_since is None or now - case.missing_since >= CONFIRM:
        return None
    left = int((case.missing_since + CONFIRM - now).total_seconds())
    return Wait(left + 1, "reading AWS once more to make sure")
