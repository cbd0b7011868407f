"""What a click may ask for in each state of a case, and what it does once it is heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.rules.clicks import (
    A_CLICK,
    MOST_BYTES,
    NotPossible,
    Obstacle,
    apply_clicks,
    can_go_back,
    is_asked_already,
    not_possible,
    record_ends,
    reopened,
    reopens,
)
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import Before, CallRecord, CallStatus, Case, Keep, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Cluster, Seen
from chalicelib.domain.state.snapshot import StoreState as S
from tests.domain.worlds import (
    DAY,
    NOW,
    POLICY,
    Play,
    approved,
    case,
    cluster,
    hsms,
    key,
    world,
)

BEFORE = Before(NOW, None, (), (), "cluster-1")
CANCEL = Click(Act.CANCEL, "bob", NOW)


def closed(outcome: Outcome, **values: Any) -> Case:
    return case(phase=Phase.CLOSED, outcome=outcome, closed_at=NOW, reason="Because.", **values)


def offered() -> Case:
    play = Play(world(key()))
    play.turn()
    return play.case


WAITING, RUNNING = offered(), case(phase=Phase.RUNNING, before=BEFORE)
ASKED_AGAIN = replace(WAITING, before=BEFORE)
ENDING = replace(RUNNING, ending=CANCEL)
PLAIN = replace(CANCEL, reason="")
MOST_CLICKS = MOST_BYTES // A_CLICK
FULL = replace(WAITING, clicks=(PLAIN,) * MOST_CLICKS)
ALMOST = replace(WAITING, clicks=(PLAIN,) * (MOST_CLICKS - 1))
ALMOST_TWICE = replace(WAITING, clicks=(PLAIN,) * (2 * MOST_CLICKS - 1))
TWICE = replace(WAITING, clicks=(PLAIN,) * 2 * MOST_CLICKS)
LONG = replace(WAITING, clicks=(replace(PLAIN, reason="é" * ((MOST_BYTES - A_CLICK) // 2 - 1)),))
PLAN = next(plan for plan in WAITING.offers if plan.remedy is Remedy.RETIRE)
CALL = CallRecord(Operation.SCHEDULE_KEY_DELETION, "key-a", NOW, CallStatus.DONE, PLAN.plan_hash)
BEGUN = replace(RUNNING, plan=PLAN, calls=(CALL,))
FULL_UP = NotPossible(Obstacle.TOO_MANY_CLICKS)
NO_REPOINT = NotPossible(Obstacle.NOT_OFFERED, remedy=Remedy.REPOINT)
NOTHING = NotPossible(Obstacle.NOTHING_TO_UNDO)
HALF = NotPossible(Obstacle.BEGUN_NO_REJECT)
TOO_LATE = NotPossible(Obstacle.BEGUN_NO_WITHDRAWAL)
DECIDED = NotPossible(Obstacle.DECIDED)
TWICE_ASKED = NotPossible(Obstacle.ASKED_ALREADY, "bob")
BY_BOB = NotPossible(Obstacle.CLOSED_BY, "bob")
AGAIN = NotPossible(Obstacle.EXPIRED)
OVER = NotPossible(Obstacle.OVER)


ROWS: list[tuple[str, Case, Act, Remedy | None, NotPossible | None]] = [
    ("approve what is offered", WAITING, Act.APPROVE, Remedy.RETIRE, None),
    ("approve what is not", WAITING, Act.APPROVE, Remedy.REPOINT, NO_REPOINT),
    ("approve nothing", WAITING, Act.APPROVE, None, NotPossible(Obstacle.NOT_OFFERED)),
    ("confirm what is not offered", WAITING, Act.CONFIRM, Remedy.REPOINT, NO_REPOINT),
    ("look", WAITING, Act.LOOK, Remedy.PARK, None),
    ("look at what is not offered", WAITING, Act.LOOK, Remedy.REPOINT, None),
    ("keep", WAITING, Act.KEEP, Remedy.KEEP, None),
    ("withdraw", WAITING, Act.WITHDRAW, None, None),
    ("reject", WAITING, Act.REJECT, None, None),
    ("cancel before it begins", WAITING, Act.CANCEL, None, None),
    ("undo nothing", WAITING, Act.UNDO, None, NOTHING),
    ("refresh", WAITING, Act.REFRESH, None, None),
    ("almost too many clicks", ALMOST, Act.APPROVE, Remedy.RETIRE, None),
    ("too many clicks, approve", FULL, Act.APPROVE, Remedy.RETIRE, FULL_UP),
    ("too many clicks, look", FULL, Act.LOOK, None, FULL_UP),
    ("too many clicks, keep", FULL, Act.KEEP, None, FULL_UP),
    ("too long reasons", LONG, Act.APPROVE, Remedy.RETIRE, None),
    ("by one more", replace(LONG, clicks=(*LONG.clicks, PLAIN)), Act.APPROVE, Remedy.RETIRE, FULL_UP),
    ("too many clicks, take back", ALMOST_TWICE, Act.WITHDRAW, None, None),
    ("far too many clicks, take back", TWICE, Act.WITHDRAW, None, FULL_UP),
    ("far too many clicks, look again", TWICE, Act.REFRESH, None, FULL_UP),
    ("never too many to cancel", TWICE, Act.CANCEL, None, None),
    ("never too many to close", TWICE, Act.REJECT, None, None),
    ("never too many to undo", replace(TWICE, before=BEFORE), Act.UNDO, None, None),
    ("approve while it runs", RUNNING, Act.APPROVE, Remedy.RETIRE, DECIDED),
    ("look while it runs", replace(RUNNING, approved=(CANCEL,)), Act.LOOK, None, replace(DECIDED, by="bob")),
    ("keep while it runs", RUNNING, Act.KEEP, None, DECIDED),
    ("confirm while it runs", RUNNING, Act.CONFIRM, Remedy.RETIRE, DECIDED),
    ("withdraw before the first call", RUNNING, Act.WITHDRAW, None, None),
    ("withdraw after the first call", BEGUN, Act.WITHDRAW, None, TOO_LATE),
    ("approve after the first call", BEGUN, Act.APPROVE, None, DECIDED),
    ("reject while it runs", RUNNING, Act.REJECT, None, HALF),
    ("cancel while it runs", RUNNING, Act.CANCEL, None, None),
    ("undo while it runs", RUNNING, Act.UNDO, None, None),
    ("cancel twice", ENDING, Act.CANCEL, None, TWICE_ASKED),
    ("undo what is being cancelled", ENDING, Act.UNDO, None, TWICE_ASKED),
    ("reject when asked again", ASKED_AGAIN, Act.REJECT, None, HALF),
    ("cancel when asked again", ASKED_AGAIN, Act.CANCEL, None, None),
    ("approve a closed case", closed(Outcome.RETIRED), Act.APPROVE, Remedy.RETIRE, OVER),
    ("undo retired", closed(Outcome.RETIRED, before=BEFORE), Act.UNDO, None, OVER),
    ("undo parked", closed(Outcome.PARKED, before=BEFORE), Act.UNDO, None, None),
    ("undo repointed", closed(Outcome.REPOINTED, before=BEFORE), Act.UNDO, None, None),
    ("undo kept", closed(Outcome.KEPT), Act.UNDO, None, None),
    ("cancel stopped", closed(Outcome.STOPPED), Act.CANCEL, None, None),
    ("refresh stopped", closed(Outcome.STOPPED), Act.REFRESH, None, None),
    ("refresh parked", closed(Outcome.PARKED), Act.REFRESH, None, OVER),
    ("undo expired, nothing changed", closed(Outcome.EXPIRED), Act.UNDO, None, AGAIN),
    ("undo expired, half done", closed(Outcome.EXPIRED, before=BEFORE), Act.UNDO, None, None),
    ("undo cancelled", closed(Outcome.CANCELLED, ending=CANCEL), Act.UNDO, None, BY_BOB),
    ("cancel rejected", closed(Outcome.REJECTED, ending=CANCEL), Act.CANCEL, None, BY_BOB),
    ("cancelled by nobody known", closed(Outcome.CANCELLED), Act.UNDO, None, OVER),
    ("retired, though an end was asked for", closed(Outcome.RETIRED, ending=CANCEL), Act.UNDO, None, OVER),
    ("closed at an unknown time", replace(closed(Outcome.RETIRED), closed_at=None), Act.UNDO, None, OVER),
]  # fmt: skip


@pytest.mark.parametrize(("why", "it", "act", "remedy", "words"), ROWS, ids=[r[0] for r in ROWS])
def test_what_can_be_asked(
    why: str, it: Case, act: Act, remedy: Remedy | None, words: NotPossible | None
) -> None:
    assert not_possible(it, act, remedy) == words, why


def test_who_decided_is_not_told_that_somebody_did() -> None:
    running = replace(RUNNING, approved=(CANCEL,))
    already = NotPossible(Obstacle.DECIDED_BY_YOU, "bob")
    assert not_possible(running, Act.APPROVE, None, by="bob") == already
    assert not_possible(running, Act.APPROVE, None, by="alice") == replace(DECIDED, by="bob")


def test_only_what_takes_up_a_closed_case_needs_a_new_run() -> None:
    assert not reopens(WAITING, Act.CANCEL)
    assert not reopens(closed(Outcome.KEPT), Act.UNDO), "its run is alive"
    assert reopens(closed(Outcome.STOPPED), Act.REFRESH)
    assert not reopens(closed(Outcome.PARKED), Act.REFRESH)
    assert reopens(closed(Outcome.PARKED), Act.UNDO)
    assert not reopens(closed(Outcome.RETIRED), Act.UNDO)
    assert not reopens(closed(Outcome.STOPPED), Act.APPROVE)
    assert reopens(closed(Outcome.STOPPED), Act.CANCEL)
    assert not reopens(closed(Outcome.PARKED), Act.LOOK)
    assert not reopens(closed(Outcome.RESOLVED), Act.CANCEL)
    assert not can_go_back(closed(Outcome.RESOLVED))
    assert can_go_back(closed(Outcome.RESOLVED, before=BEFORE))


def test_a_record_ends_only_where_nothing_can_go_on() -> None:
    keeping = Policy(keep_closed_days=90)
    rejected = replace(closed(Outcome.REJECTED), closed_at=NOW)
    assert record_ends(rejected, keeping) == NOW + timedelta(days=90)
    assert record_ends(rejected, Policy()) is None, "records are kept for ever by default"
    assert record_ends(WAITING, keeping) is None
    for outcome in (Outcome.PARKED, Outcome.REPOINTED, Outcome.STOPPED, Outcome.KEPT):
        assert record_ends(replace(rejected, outcome=outcome), keeping) is None
    assert record_ends(replace(rejected, watches=True), keeping) is None
    assert record_ends(replace(rejected, clicks=(CANCEL,)), keeping) is None, "it is unheard"
    assert record_ends(replace(rejected, closed_at=None), keeping) is None


def heard(it: Case, *clicks: Click) -> tuple[Case, list[Kind]]:
    after, entries = apply_clicks(replace(it, clicks=(*it.clicks, *clicks)), NOW)
    assert after.new_clicks == ()
    return after, [entry.kind for entry in entries]


def test_each_click_is_heard_once() -> None:
    it, kinds = heard(
        WAITING,
        Click(Act.APPROVE, "alice", NOW, remedy=Remedy.RETIRE, reason="old", override=True),
        Click(Act.WITHDRAW, "alice", NOW),
        Click(Act.KEEP, "bob", NOW, owner="carol", keep_until=NOW + DAY, reason="audit"),
        Click(Act.LOOK, "bob", NOW),
        Click(Act.REFRESH, "bob", NOW),
    )
    assert kinds == [Kind.APPROVED, Kind.WITHDRAWN, Kind.KEPT]
    assert apply_clicks(it, NOW) == (it, ())


def test_refusals_by_aws_are_forgotten_when_a_stopped_case_is_tried_again() -> None:
    calls = tuple(
        CallRecord(Operation.DELETE_HSM, zone, NOW, status, "hash")
        for zone, status in (("1a", CallStatus.DONE), ("1b", CallStatus.REFUSED))
    )
    stopped = closed(Outcome.STOPPED, calls=calls, before=BEFORE, advice=("Do.",))
    it, kinds = heard(stopped, Click(Act.REFRESH, "alice", NOW))
    assert kinds == [Kind.REOPENED]
    assert (it.phase, it.outcome, it.reason, it.advice) == (Phase.RUNNING, None, "", ())
    assert it.calls == calls[:1]
    assert it.closed_at is None


def test_a_stopped_case_that_never_began_waits_again_with_a_new_deadline() -> None:
    stopped = closed(Outcome.STOPPED, expires_at=NOW)
    it, _ = heard(stopped, Click(Act.REFRESH, "alice", NOW))
    assert (it.phase, it.expires_at) == (Phase.WAITING, None)


def test_clicks_that_come_too_late_change_nothing() -> None:
    for outcome in (Outcome.RETIRED, Outcome.EXPIRED, Outcome.CANCELLED):
        it, kinds = heard(closed(outcome), CANCEL)
        assert it.is_closed
        assert kinds == []
    it, kinds = heard(closed(Outcome.PARKED, before=BEFORE), Click(Act.REJECT, "a", NOW))
    assert it.is_closed
    assert kinds == []


LATER = NOW + DAY


def logged(click: Click, it: Case = WAITING) -> tuple[Entry, ...]:
    return apply_clicks(replace(it, clicks=(*it.clicks, click)), LATER)[1]


def test_the_log_tells_what_each_click_said() -> None:
    yes = Click(
        Act.APPROVE, "alice", NOW, remedy=Remedy.RETIRE, plan_hash="hash", reason="old", override=True
    )  # fmt: skip
    words = {
        "by": "alice",
        "remedy": "retire",
        "plan_hash": "hash",
        "reason": "old",
        "clicked_at": NOW.isoformat(),
        "round": "1",
    }
    assert logged(yes) == (entry(Kind.APPROVED, LATER, **_with_override(words)),)
    assert logged(replace(yes, override=False)) == (entry(Kind.APPROVED, LATER, **words),)
    assert logged(replace(yes, act=Act.CONFIRM, override=False)) == (
        entry(Kind.CONFIRMED, LATER, **words),
    )
    kept = Click(Act.KEEP, "bob", NOW, owner="carol", keep_until=NOW + DAY, reason="audit")
    until = (NOW + DAY).isoformat()
    assert logged(kept) == (
        entry(Kind.KEPT, LATER, by="bob", owner="carol", until=until, reason="audit"),
    )
    assert logged(replace(kept, keep_until=None))[0]["until"] == ""
    assert logged(replace(CANCEL, reason="wrong one")) == (
        entry(Kind.ASKED_BACK, LATER, by="bob", act="cancel", reason="wrong one"),
    )
    again = Click(Act.REFRESH, "bob", NOW)
    assert logged(again, closed(Outcome.STOPPED)) == (entry(Kind.REOPENED, LATER, by="bob"),)


def _with_override(words: dict[str, str]) -> dict[str, str]:
    """The same, with the override if the log has it."""
    said = dict(words)
    late = {name: said.pop(name) for name in ("clicked_at", "round")}
    return {**said, "override": "yes", **late}


KEEP = Keep("alice", "alice", NOW + DAY, "")


def test_turning_back_is_taken_up_once_and_only_where_it_leads_back() -> None:
    for act in (Act.REJECT, Act.CANCEL, Act.UNDO):
        it, kinds = heard(replace(WAITING, keep=KEEP), Click(act, "bob", NOW))
        assert (it.ending, it.keep, kinds) == (Click(act, "bob", NOW), None, [Kind.ASKED_BACK])
        assert it.expires_at == WAITING.expires_at, "an open case is not taken up anew"
    first, kinds = heard(ENDING, Click(Act.UNDO, "carol", NOW))
    assert (first.ending, kinds) == (CANCEL, [])
    for it in (RUNNING, ASKED_AGAIN, closed(Outcome.PARKED), closed(Outcome.EXPIRED)):
        same, kinds = heard(it, Click(Act.REJECT, "bob", NOW))
        assert (same.ending, same.phase, kinds) == (None, it.phase, [])


def test_a_cancelled_case_that_stopped_can_be_turned_back_again() -> None:
    stopped = closed(Outcome.STOPPED, before=BEFORE, ending=CANCEL)
    it, kinds = heard(stopped, Click(Act.UNDO, "carol", NOW))
    assert (it.ending, it.phase) == (Click(Act.UNDO, "carol", NOW), Phase.RUNNING)
    assert kinds == [Kind.ASKED_BACK]


def test_a_case_taken_up_again_is_open_in_every_way() -> None:
    """Its deadline stays only where a plan is in force."""
    it = closed(
        Outcome.STOPPED,
        before=BEFORE,
        advice=("Do.",),
        missing="x",
        missing_since=NOW,
        plan=PLAN,
        expires_at=NOW,
    )
    again = reopened(it)
    assert (again.phase, again.outcome, again.reason, again.advice) == (Phase.RUNNING, None, "", ())
    assert (again.closed_at, again.missing_since, again.expires_at) == (None, None, NOW)
    assert reopened(replace(it, plan=None)).expires_at is None


HOME, AWAY = "cluster-1", "cluster-2"
FIT = cluster(hsms=hsms("1a", "1b"))


@pytest.mark.parametrize(
    ("why", "was", "seen", "own", "stays"),
    [
        ("home, and connected as it was", S.CONNECTED, Seen(S.CONNECTED, HOME), FIT, False),
        ("home, and off", S.CONNECTED, Seen(S.DISCONNECTED, HOME), FIT, True),
        ("home, as failed", S.CONNECTING, Seen(S.FAILED, HOME), FIT, True),
        ("home, and off as it was", S.DISCONNECTED, Seen(S.DISCONNECTED, HOME), FIT, False),
        ("away", S.CONNECTED, Seen(S.CONNECTED, AWAY), FIT, True),
        ("away, and can’t come home", S.CONNECTED, Seen(S.CONNECTED, AWAY), cluster(hsms=()), False),
        ("away, and home was never seen", S.CONNECTED, Seen(S.CONNECTED, AWAY), None, False),
        ("never seen", S.CONNECTED, None, FIT, False),
    ],
)  # fmt: skip
def test_a_store_on_its_way_back_goes_on_with_that(
    why: str, was: S, seen: Seen | None, own: Cluster | None, stays: bool
) -> None:
    """A key failed elsewhere. What AWS refused is forgotten, but not why the store comes back."""
    failed = CallRecord(
        Operation.PROVE_KEY, "key-a", NOW, CallStatus.REFUSED, PLAN.plan_hash, error="no"
    )
    denied = replace(failed, target="key-b", denied=True)
    before = replace(BEFORE, store_state=was)
    values = {"before": before, "plan": PLAN, "seen": seen, "last_cluster": own}
    it = closed(Outcome.STOPPED, calls=(denied, failed), **values)
    assert reopened(it).calls == ((failed,) if stays else ()), why
    assert reopened(replace(it, plan=None)).calls == ()
    assert reopened(replace(it, before=None)).calls == ()
    assert reopened(replace(it, calls=(denied,))).calls == ()


def test_undo_takes_up_a_parked_case_and_ends_a_keep() -> None:
    play = approved(world(), Remedy.PARK, policy=POLICY)
    play.to_close()
    it, kinds = heard(play.case, Click(Act.UNDO, "carol", NOW))
    assert it.phase is Phase.RUNNING
    assert it.ending
    assert kinds == [Kind.ASKED_BACK]


STOPPED = closed(Outcome.STOPPED)


@pytest.mark.parametrize(
    ("why", "it", "click", "known"),
    [
        ("looking again needs no record", WAITING, Click(Act.REFRESH, "bob", NOW), True),
        ("a stopped case is taken up by it", STOPPED, Click(Act.REFRESH, "bob", NOW), False),
        (
            "once",
            replace(STOPPED, clicks=(Click(Act.REFRESH, "carol", NOW),)),
            Click(Act.REFRESH, "bob", NOW),
            True,
        ),
        ("the first cancel", WAITING, CANCEL, False),
        ("the same again, unheard", replace(WAITING, clicks=(CANCEL,)), CANCEL, True),
        ("the same again, heard", replace(WAITING, clicks=(CANCEL,), clicks_seen=1), CANCEL, False),
        ("somebody else’s", replace(WAITING, clicks=(CANCEL,)), replace(CANCEL, by="eve"), False),
        ("an approval", WAITING, Click(Act.APPROVE, "bob", NOW), False),
    ],
)
def test_what_was_asked_already_is_not_kept_again(
    why: str, it: Case, click: Click, known: bool
) -> None:
    assert is_asked_already(it, click) is known, why
