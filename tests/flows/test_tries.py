"""Several tries of one turn, of which the run believes that all but the last have died: none that saved nothing ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.failures import ConflictError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.take_turn import take_turn
from tests.flows.stand import BODY_SEAL, INBOX_SEAL, Stand, world

Make = Callable[..., Stand]


class Crowded(TurnCases):
    """Somebody writes to the inbox each time that this try is about to save."""

    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case:
        self.touch(case.case_id)
        return super().save(case, entries)


def asked(stand: Make) -> tuple[Stand, str, str]:
    """A case that waits for people; what its run remembers."""
    it = stand(world())
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    return it, opened.case_id, it.runs.bodies[opened.case_id, 0] or ""


def crowd(it: Stand, attempt: int) -> None:
    """This try never finds a moment to save."""

    def for_turn(anchor: Anchor, generation: int) -> TurnCases:
        kind = Crowded if anchor.attempt == attempt else TurnCases
        return kind(
            it.stored._table,
            anchor,
            generation=generation,
            inbox_seal=INBOX_SEAL,
            body_seal=BODY_SEAL,
        )

    it.ports = replace(it.ports, for_turn=for_turn)


@pytest.mark.parametrize("saves", [0, 1])
def test_a_try_that_saved_nothing_is_tried_again_as_it_fences_nobody_out(
    stand: Make, saves: int
) -> None:
    """An older try that still lives, and has saved before it or not, saves after it."""
    it, case_id, given = asked(stand)
    older = it.for_turn(Anchor(given, 1), 0)
    case = older.load(case_id)
    for _ in range(saves):
        case = older.save(case)
    crowd(it, attempt=2)
    with pytest.raises(ConflictError):
        take_turn(it.ports, case_id, 0, given=given, attempt=2)
    older.save(replace(older.load(case_id), turns=99))
    it.turn(case_id, attempt=3)
    assert it.case(case_id).turns == 100, "what the older try saved is believed"
    assert "BodyRefused" not in it.counted
    for name in ("alice", "bob"):
        it.approve(name, "retire", case_id)
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED
