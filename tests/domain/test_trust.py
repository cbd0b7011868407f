"""Which body is believed: every interleaving of tries, saves, crashes and a writer of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chalicelib.domain.rules.trust import NO_BODY, Anchor, Mark, Verdict, verdict

TURNS = 2


@dataclass(frozen=True)
class Stored:
    """A body: its number stands for its digest, `turn` is the one that saved it."""

    mark: Mark
    turn: int = -1


@dataclass(frozen=True)
class Try:
    """One invocation of a turn. `loaded` is what it believes; None before it has looked."""

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


def believes(state: State, attempt: int) -> Verdict:
    """A seal holds on whatever was ever saved; only a body that nobody saved has none."""
    return verdict(state.body.mark, Anchor(state.run, attempt))


def explore(*, saves: int, crashes: int, zombies: bool, attacker: bool) -> Found:
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
        if not state.tries:
            todo.append(replace(state, tries=(Try(0),)))
            continue
        for place in range(len(state.tries)):
            todo += steps(state, place, found, saves=saves, zombies=zombies)
    found.states = len(seen)
    return found


def may_save(stored: Mark, anchor: Anchor) -> bool:
    """The condition of a save in the table: among saves of one `since` the attempt never falls."""
    return stored.since != anchor.digest or stored.attempt <= anchor.attempt


def steps(state: State, place: int, found: Found, *, saves: int, zombies: bool) -> Iterator[State]:
    """What this invocation may do next."""
    mine, others = state.tries[place], (*state.tries[:place], *state.tries[place + 1 :])
    is_newest = place == len(state.tries) - 1
    anchor = Anchor(state.run, mine.attempt)

    def become(new: Try) -> tuple[Try, ...]:
        return (*state.tries[:place], new, *state.tries[place + 1 :])

    if mine.loaded is None:
        yield from loads(state, place, found)
        return
    if mine.saves < saves:
        if state.body != mine.loaded:
            yield replace(state, tries=become(replace(mine, loaded=None)))
        elif may_save(state.body.mark, anchor):
            mark = Mark(f"d{state.written + 1}", state.run, mine.attempt)
            body = Stored(mark, state.turn)
            yield replace(
                state,
                body=body,
                history=(*state.history, body),
                written=state.written + 1,
                tries=become(replace(mine, saves=mine.saves + 1, loaded=body)),
            )
        else:
            yield replace(state, tries=others)
    elif is_newest:
        yield replace(state, run=mine.loaded.mark.digest, turn=state.turn + 1, tries=())
    else:
        yield replace(state, tries=others)
    if is_newest and state.crashes:
        again = Try(mine.attempt + 1)
        yield replace(state, crashes=state.crashes - 1, tries=(*others, again))
        if zombies and not others:
            yield replace(state, crashes=state.crashes - 1, tries=(*state.tries, again))


def loads(state: State, place: int, found: Found) -> Iterator[State]:
    mine, others = state.tries[place], (*state.tries[:place], *state.tries[place + 1 :])
    match believes(state, mine.attempt):
        case Verdict.BELIEVED | Verdict.IF_SEALED:
            if state.body.turn not in (state.turn, state.turn - 1):
                found.old_believed += 1
            looked = replace(mine, loaded=state.body)
            yield replace(state, tries=(*state.tries[:place], looked, *state.tries[place + 1 :]))
        case Verdict.SUPERSEDED:
            yield replace(state, tries=others)
        case Verdict.REFUSED:
            if state.was_put_back:
                found.put_back_refused += 1
            else:
                found.genuine_refused += 1


@pytest.mark.parametrize("zombies", [False, True])
@pytest.mark.parametrize(("saves", "crashes"), [(1, 2), (2, 1), (3, 1)])
def test_no_genuine_body_is_ever_refused(
    saves: int, crashes: int, zombies: bool
) -> None:  # a parameter of the table
    found = explore(saves=saves, crashes=crashes, zombies=zombies, attacker=False)
    assert found.states > 30
    assert found.genuine_refused == 0


def test_a_body_that_is_put_back_is_believed_only_within_the_turn_that_saved_it() -> None:
    found = explore(saves=2, crashes=1, zombies=False, attacker=True)
    assert found.put_back_refused > 0
    assert found.genuine_refused == 0
    assert found.old_believed == 0


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
