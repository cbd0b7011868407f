"""What a click may ask for in each state of a case, and what it does once it is heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.case import Act, Before, CallRecord, CallStatus, Case, Click, Outcome, Phase
from chalicelib.domain.clicks import MOST_CLICKS, can_go_back, not_possible, reopens, take_in
from chalicelib.domain.log import Kind
from chalicelib.domain.plan import Operation, Remedy
from tests.domain.worlds import DAY, NOW, POLICY, Play, approved, case, key, world

BEFORE = Before(NOW, None, (), (), "cluster-1")
CANCEL = Click(Act.CANCEL, "bob", NOW)


def closed(outcome: Outcome, **values: object) -> Case:
    return case(phase=Phase.CLOSED, outcome=outcome, closed_at=NOW, reason="Because.", **values)


def offered() -> Case:
    play = Play(world(key()))
    play.turn()
    return play.case


WAITING, RUNNING = offered(), case(phase=Phase.RUNNING, before=BEFORE)
ASKED_AGAIN = replace(WAITING, before=BEFORE)
ENDING = replace(RUNNING, ending=CANCEL)
FULL = replace(WAITING, clicks=(CANCEL,) * MOST_CLICKS)
ROWS: list[tuple[str, Case, Act, Remedy | None, str]] = [
    ("approve what is offered", WAITING, Act.APPROVE, Remedy.RETIRE, ""),
    ("approve what is not", WAITING, Act.APPROVE, Remedy.REPOINT, "Repoint is not possible now"),
    ("approve nothing", WAITING, Act.APPROVE, None, "This is not possible now"),
    ("look", WAITING, Act.LOOK, Remedy.PARK, ""),
    ("keep", WAITING, Act.KEEP, Remedy.KEEP, ""),
    ("withdraw", WAITING, Act.WITHDRAW, None, ""),
    ("reject", WAITING, Act.REJECT, None, ""),
    ("cancel before it begins", WAITING, Act.CANCEL, None, ""),
    ("undo nothing", WAITING, Act.UNDO, None, "changed nothing"),
    ("refresh", WAITING, Act.REFRESH, None, ""),
    ("too many clicks", FULL, Act.APPROVE, Remedy.RETIRE, "too many clicks"),
    ("approve while it runs", RUNNING, Act.APPROVE, Remedy.RETIRE, "Somebody decided this"),
    ("look while it runs", replace(RUNNING, approved=(CANCEL,)), Act.LOOK, None, "<@bob> decided"),
    ("reject while it runs", RUNNING, Act.REJECT, None, "Press Cancel"),
    ("cancel while it runs", RUNNING, Act.CANCEL, None, ""),
    ("undo while it runs", RUNNING, Act.UNDO, None, ""),
    ("cancel twice", ENDING, Act.CANCEL, None, "<@bob> asked for this already"),
    ("reject when asked again", ASKED_AGAIN, Act.REJECT, None, "Press Cancel"),
    ("cancel when asked again", ASKED_AGAIN, Act.CANCEL, None, ""),
    ("approve a closed case", closed(Outcome.RETIRED), Act.APPROVE, Remedy.RETIRE, "is over"),
    ("undo retired", closed(Outcome.RETIRED, before=BEFORE), Act.UNDO, None, "is over"),
    ("undo parked", closed(Outcome.PARKED, before=BEFORE), Act.UNDO, None, ""),
    ("undo repointed", closed(Outcome.REPOINTED, before=BEFORE), Act.UNDO, None, ""),
    ("undo kept", closed(Outcome.KEPT), Act.UNDO, None, ""),
    ("cancel stopped", closed(Outcome.STOPPED), Act.CANCEL, None, ""),
    ("refresh stopped", closed(Outcome.STOPPED), Act.REFRESH, None, ""),
    ("refresh parked", closed(Outcome.PARKED), Act.REFRESH, None, "is over"),
    ("undo expired, nothing changed", closed(Outcome.EXPIRED), Act.UNDO, None, "start again"),
    ("undo expired, half done", closed(Outcome.EXPIRED, before=BEFORE), Act.UNDO, None, ""),
    ("undo cancelled", closed(Outcome.CANCELLED, ending=CANCEL), Act.UNDO, None, "<@bob> closed"),
    ("cancel rejected", closed(Outcome.REJECTED, ending=CANCEL), Act.CANCEL, None, "<@bob> closed"),
    ("closed at an unknown time", replace(closed(Outcome.RETIRED), closed_at=None), Act.UNDO, None, "before"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "it", "act", "remedy", "words"), ROWS, ids=[r[0] for r in ROWS])
def test_what_can_be_asked(why: str, it: Case, act: Act, remedy: Remedy | None, words: str) -> None:
    answer = not_possible(it, act, remedy)
    assert (words in answer) if words else (answer == ""), (why, answer)


def test_who_decided_is_not_told_that_somebody_did() -> None:
    running = replace(RUNNING, approved=(CANCEL,))
    assert "You decided this already" in not_possible(running, Act.APPROVE, None, by="bob")
    assert "<@bob> decided" in not_possible(running, Act.APPROVE, None, by="alice")


def test_only_what_takes_up_a_closed_case_needs_a_new_run() -> None:
    assert not reopens(WAITING, Act.CANCEL)
    assert not reopens(closed(Outcome.KEPT), Act.UNDO), "its run is alive"
    assert reopens(closed(Outcome.STOPPED), Act.REFRESH)
    assert not reopens(closed(Outcome.PARKED), Act.REFRESH)
    assert reopens(closed(Outcome.PARKED), Act.UNDO)
    assert not reopens(closed(Outcome.RETIRED), Act.UNDO)
    assert not reopens(closed(Outcome.STOPPED), Act.APPROVE)
    assert not can_go_back(closed(Outcome.RESOLVED))
    assert can_go_back(closed(Outcome.RESOLVED, before=BEFORE))


def heard(it: Case, *clicks: Click) -> tuple[Case, list[Kind]]:
    after, entries = take_in(replace(it, clicks=(*it.clicks, *clicks)), NOW)
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
    assert take_in(it, NOW) == (it, ())


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


def test_undo_takes_up_a_parked_case_and_ends_a_keep() -> None:
    play = approved(world(), Remedy.PARK, policy=POLICY)
    play.to_close()
    it, kinds = heard(play.case, Click(Act.UNDO, "carol", NOW))
    assert it.phase is Phase.RUNNING
    assert it.ending
    assert kinds == [Kind.ASKED_BACK]
