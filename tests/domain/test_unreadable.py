"""What of a world counts as hidden from a plan, and from which plans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.rules.unreadable import first_unreadable, remembered
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Key, KeyState, LastUse, Seen, Snapshot
from tests.domain.worlds import NOW, Play, approved, key, world

REFUSED = "kms:DescribeKey was refused"


def begun() -> Play:
    play = approved(world(key("a"), key("b")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    return play


def unreadable(shown: Key) -> Key:
    return Key(shown.key_id, KeyState.UNKNOWN, None, unread=REFUSED)


def seen_by(play: Play) -> Snapshot:
    return play.model.at(play.now)


def told(play: Play, world: Snapshot) -> str:
    return first_unreadable(play.case, world)


def test_nothing_is_hidden_of_a_world_that_can_be_read() -> None:
    play = begun()
    assert told(play, seen_by(play)) == ""


def test_a_refused_list_comes_first() -> None:
    play = begun()
    keys = tuple(map(unreadable, seen_by(play).keys))
    assert told(play, replace(seen_by(play), keys=keys, unread=("x", "y"))) == "x"


def test_a_key_that_the_approvers_saw() -> None:
    play = begun()
    first, second = seen_by(play).keys
    seen = replace(seen_by(play), keys=(first, unreadable(second)))
    assert told(play, seen) == f"{unreadable(second).name}: {REFUSED}"


def test_a_key_that_nobody_saw_is_another_matter() -> None:
    """A key that came since is a change of the world, on which people are asked again."""
    play = begun()
    stranger = unreadable(key("0"))
    first, second = seen_by(play).keys
    assert told(play, replace(seen_by(play), keys=(stranger, first, second))) == ""
    keys = (stranger, first, unreadable(second))
    assert told(play, replace(seen_by(play), keys=keys)) != "", (
        "the others are looked at all the same"
    )


def test_a_key_that_could_not_be_read_when_it_was_approved_is_not_news() -> None:
    play = begun()
    assert play.case.plan
    basis = play.case.plan.basis
    blind = replace(basis, keys=tuple(replace(k, state=KeyState.UNKNOWN) for k in basis.keys))
    play.case = replace(play.case, plan=replace(play.case.plan, basis=blind))
    assert told(play, replace(seen_by(play), keys=tuple(map(unreadable, seen_by(play).keys)))) == ""


def live(*, use: LastUse, in_use: bool) -> tuple[Play, Snapshot]:
    """A plan whose first of two keys is scheduled; of the second, the approvers knew this use."""
    play = begun()
    assert play.case.plan
    first, second = play.case.plan.basis.keys
    basis = replace(play.case.plan.basis, keys=(first, replace(second, in_use=in_use)))
    play.case = replace(play.case, plan=replace(play.case.plan, basis=basis))
    keys = (key("a", KeyState.PENDING_DELETION), replace(key("b"), last_use=use))
    return play, replace(seen_by(play), keys=keys)


def test_the_use_of_a_live_key() -> None:
    assert "GetKeyLastUsage was refused" in told(*live(use=LastUse(), in_use=False))
    assert told(*live(use=LastUse(), in_use=False)).startswith(key("b").name)


@pytest.mark.parametrize(
    ("use", "in_use"),
    [
        (LastUse(NOW, "Decrypt"), False),
        (LastUse(tracked_since=NOW), False),
        (LastUse(), True),
    ],
)
def test_a_use_that_is_known_or_was_approved_hides_nothing(use: LastUse, in_use: bool) -> None:
    assert told(*live(use=use, in_use=in_use)) == ""


def test_only_a_plan_that_has_begun_and_goes_forward_waits() -> None:
    play = begun()
    blind = replace(seen_by(play), unread=("x",))
    case = play.case
    refused = tuple(replace(c, status=CallStatus.REFUSED) for c in case.calls)
    assert first_unreadable(case, blind) == "x"
    assert first_unreadable(replace(case, calls=refused), blind) == ""
    assert first_unreadable(replace(case, calls=()), blind) == ""
    assert first_unreadable(replace(case, plan=None), blind) == ""
    assert first_unreadable(replace(case, ending=Click(Act.CANCEL, "erin", NOW)), blind) == ""


BLIND = ("kms:ListKeys was refused",)


def test_what_is_hidden_stays_as_it_was_last_known() -> None:
    """For messages: keys that wait go on waiting, the store stands where it stood."""
    play = begun()
    play.turn()
    whole = seen_by(play)
    (going,) = {k.deletion_date for k in whole.keys}
    nothing = replace(whole, unread=BLIND, cluster=None, key_stores=(), keys=())
    known = remembered(play.case, nothing)
    assert known.unread == BLIND
    assert known.cluster == whole.cluster
    assert known.key_stores == whole.key_stores
    told = {k.name: (k.state, k.deletion_date) for k in known.keys}
    assert told == {f"alias/{a}": (KeyState.PENDING_DELETION, going) for a in "ab"}


def test_what_nobody_can_know_is_said_to_be_unknown() -> None:
    """A key that was not scheduled, and one that was brought back."""
    play = begun()
    first, second = seen_by(play).keys
    cancelled = CallRecord(
        Operation.CANCEL_KEY_DELETION, first.key_id, play.now, CallStatus.DONE, "x"
    )
    unscheduled = tuple(c for c in play.case.calls if c.target != second.key_id)
    it = replace(play.case, calls=(*unscheduled, cancelled))
    nothing = replace(seen_by(play), unread=BLIND, keys=())
    known = remembered(it, nothing)
    assert {k.key_id: k.state for k in known.keys} == {
        first.key_id: KeyState.UNKNOWN,
        second.key_id: KeyState.UNKNOWN,
    }
    assert known.key_stores == nothing.key_stores, "what shows is as it shows"
    never = replace(it, seen=None, before=None)
    assert remembered(never, replace(nothing, key_stores=())).key_stores == ()
    gone = replace(it, seen=Seen(), before=None)
    assert remembered(gone, replace(nothing, key_stores=())).key_stores == ()
    assert it.seen
    nameless = remembered(replace(it, before=None), replace(nothing, key_stores=()))
    assert [s.name for s in nameless.key_stores] == [""]


def test_a_key_that_shows_without_its_name_keeps_it() -> None:
    play = begun()
    first, second = seen_by(play).keys
    plain = replace(first, aliases=())
    known = remembered(play.case, replace(seen_by(play), unread=BLIND, keys=(plain, second)))
    assert [k.name for k in known.keys] == [first.name, second.name]
    one = remembered(play.case, replace(seen_by(play), keys=(unreadable(first), second)))
    assert one.unread == (REFUSED,)
    assert {k.state for k in one.keys} == {KeyState.PENDING_DELETION}


def test_a_look_that_hides_nothing_and_a_case_without_a_plan_are_left_as_they_are() -> None:
    play = begun()
    blind = replace(seen_by(play), unread=BLIND, keys=())
    assert remembered(replace(play.case, plan=None, last_plan=None), blind) is blind
    whole = seen_by(play)
    assert remembered(play.case, whole) is whole


def test_a_blind_turn_shows_what_is_known() -> None:
    play = begun()
    play.change(lambda s: replace(s, unread=BLIND, keys=()))
    play.turn()
    assert play.case.snapshot
    assert {k.state for k in play.case.snapshot.keys} == {KeyState.PENDING_DELETION}
    assert play.case.watches
