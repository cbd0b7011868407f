"""Which body is believed: every interleaving of tries, saves, crashes and a writer of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chalicelib.domain.rules.trust import NO_BODY, UNKNOWN, UNSEALED, Anchor, Mark, Verdict, verdict

TURNS = 2


@dataclass(frozen=True)
class Stored:
    """A body: its number stands for its digest, `turn` is the one that saved it."""

    mark: Mark
    turn: int = -1


@dataclass(frozen=True)
class Try:
    """One invocation of a turn, to which the run gave this digest.

    `loaded` is what it believes; None before it has looked.
    """

    given: str
    turn: int
    attempt: int
    saves: int = 0
    loaded: Stored | None = None


@dataclass(frozen=True)
class State:
    run: str = ""
    turn: int = 0
    body: Stored = Stored(NO_BODY)  # immutable
    history: tuple[Stored, ...] = (Stored(NO_BODY),)
    tries: tuple[Try, ...] = ()
    crashes: int = 0
    written: int = 0
    was_put_back: bool = False


@dataclass
class Found:
    """What must never happen, and what should be seen."""

    states: int = 0
    genuine_refused: int = 0
    old_believed: int = 0
    put_back_refused: int = 0
    newest_left_over: int = 0


def explore(
    *, saves: int, crashes: int, zombies: bool, attacker: bool, ends_unsaved: bool = False
) -> Found:
    found, seen, todo = Found(), set[State](), [State(crashes=crashes)]
    while todo:
        state = todo.pop()
        if state in seen or state.turn == TURNS:
            continue
        seen.add(state)
        if attacker and not state.was_put_back:
            todo += [
                replace(state, body=old, was_put_back=True)
                for old in state.history
                if old != state.body
            ]
        if not any(is_newest(state, one) for one in state.tries):
            begun = Try(state.run, state.turn, 0)
            todo.append(replace(state, tries=(*state.tries, begun)))
        for place in range(len(state.tries)):
            todo += steps(state, place, found, saves=saves, zombies=zombies)
            if ends_unsaved:
                todo += gives_up(state, place)
    found.states = len(seen)
    return found


def may_save(stored: Mark, anchor: Anchor) -> bool:
    """The condition of a save in the table: among saves of one `since` the attempt never falls."""
    return stored.since != anchor.digest or stored.attempt <= anchor.attempt


def is_newest(state: State, one: Try) -> bool:
    """The run waits for this one; all others it believes dead."""
    newest = max(other.attempt for other in state.tries if other.turn == one.turn)
    return one.turn == state.turn and one.attempt == newest


def gives_up(state: State, place: int) -> Iterator[State]:
    """What the newest try must never do: end, and be remembered, before it has saved anything."""
    mine, others = state.tries[place], (*state.tries[:place], *state.tries[place + 1 :])
    if is_newest(state, mine) and mine.loaded is not None and not mine.saves:
        yield replace(state, run=mine.loaded.mark.digest, turn=state.turn + 1, tries=others)


def steps(state: State, place: int, found: Found, *, saves: int, zombies: bool) -> Iterator[State]:
    """What this invocation may do next."""
    mine, others = state.tries[place], (*state.tries[:place], *state.tries[place + 1 :])
    newest = is_newest(state, mine)
    anchor = Anchor(mine.given, mine.attempt)

    def become(new: Try) -> tuple[Try, ...]:
        return (*state.tries[:place], new, *state.tries[place + 1 :])

    if mine.loaded is None:
        yield from loads(state, place, found)
        return
    if mine.saves < saves:
        if state.body != mine.loaded:
            yield replace(state, tries=become(replace(mine, loaded=None)))
        elif may_save(state.body.mark, anchor):
            mark = Mark(f"d{state.written + 1}", mine.given, mine.attempt)
            body = Stored(mark, mine.turn)
            yield replace(
                state,
                body=body,
                history=(*state.history, body),
                written=state.written + 1,
                tries=become(replace(mine, saves=mine.saves + 1, loaded=body)),
            )
        else:
            yield replace(state, tries=others)
    elif newest:
        yield replace(state, run=mine.loaded.mark.digest, turn=state.turn + 1, tries=others)
    else:
        yield replace(state, tries=others)
    if newest and state.crashes:
        again = replace(mine, attempt=mine.attempt + 1, saves=0, loaded=None)
        yield replace(state, crashes=state.crashes - 1, tries=(*others, again))
        if zombies:
            yield replace(state, crashes=state.crashes - 1, tries=(*state.tries, again))


def loads(state: State, place: int, found: Found) -> Iterator[State]:
    mine, others = state.tries[place], (*state.tries[:place], *state.tries[place + 1 :])
    # A seal holds on whatever was ever saved; only a body that nobody saved has none.
    match verdict(state.body.mark, Anchor(mine.given, mine.attempt)):
        case Verdict.BELIEVED | Verdict.IF_SEALED:
            if state.body.turn not in (mine.turn, mine.turn - 1):
                found.old_believed += 1
            looked = replace(mine, loaded=state.body)
            yield replace(state, tries=(*state.tries[:place], looked, *state.tries[place + 1 :]))
        case Verdict.SUPERSEDED:
            found.newest_left_over += is_newest(state, mine)
            yield replace(state, tries=others)
        case Verdict.REFUSED:
            if state.was_put_back:
                found.put_back_refused += 1
            elif is_newest(state, mine):
                found.genuine_refused += 1
            else:
                yield replace(state, tries=others)


@pytest.mark.parametrize("zombies", [False, True])
@pytest.mark.parametrize(("saves", "crashes"), [(1, 2), (2, 2), (3, 1)])
def test_no_genuine_body_is_ever_refused(saves: int, crashes: int, zombies: bool) -> None:
    """Tries that only seem dead go on beside the next one, and beside the next turn."""
    found = explore(saves=saves, crashes=crashes, zombies=zombies, attacker=False)
    assert found.states > 30
    assert found.genuine_refused == 0
    assert found.newest_left_over == 0


def test_a_body_that_is_put_back_is_believed_only_within_the_turn_that_saved_it() -> None:
    found = explore(saves=2, crashes=1, zombies=False, attacker=True)
    assert found.put_back_refused > 0
    assert found.genuine_refused == 0
    assert found.old_believed == 0


def test_a_try_that_saved_nothing_must_not_end() -> None:
    """It has fenced nobody out: an older one writes what the run will never remember."""
    found = explore(saves=2, crashes=2, zombies=True, attacker=False, ends_unsaved=True)
    assert found.genuine_refused > 0
    assert found.newest_left_over > 0


def test_the_rule_by_itself() -> None:
    anchor = Anchor("d1", attempt=1)
    assert verdict(Mark("d1", "d0", 0), anchor) is Verdict.BELIEVED
    assert verdict(Mark("d2", "d1", 1), anchor) is Verdict.IF_SEALED
    assert verdict(Mark("d2", "d1", 0), anchor) is Verdict.IF_SEALED
    assert verdict(Mark("d2", "d1", 2), anchor) is Verdict.SUPERSEDED
    assert verdict(Mark("d0", "", 0), anchor) is Verdict.REFUSED
    assert verdict(NO_BODY, anchor) is Verdict.REFUSED, "removed"
    assert verdict(NO_BODY, Anchor("")) is Verdict.BELIEVED, "a case begins without one"
    assert verdict(Mark("d1", "", 0), Anchor("")) is Verdict.IF_SEALED


def test_where_nobody_can_tell_no_body_is_believed() -> None:
    lost = Anchor(UNKNOWN)
    for mark in (NO_BODY, Mark("d1", "", 0), Mark("d1", UNKNOWN, 0)):
        assert verdict(mark, lost) is Verdict.REFUSED
    assert [Anchor(d).remembered for d in (UNKNOWN, UNSEALED, "d1")] == ["", "", "d1"]
