"""Trouble at every call that the flows make: the same end, nothing final twice, the log whole."""

from __future__ import annotations

import pytest

from tests.reliability.figures import TRIED
from tests.reliability.plots import ALL, BY_TRIGGER, STORIES, TRIGGERS
from tests.reliability.profiles import EVERY, EVERY_ACT, EVERY_BY_TRIGGER, SLOWLY
from tests.reliability.stories import End, offered, played, untroubled
from tests.reliability.trouble import KINDS

each_story = pytest.mark.parametrize("story", [pytest.param(name, marks=SLOWLY) for name in ALL])


@pytest.mark.parametrize(
    "story", [*STORIES, *(pytest.param(name, marks=SLOWLY) for name in BY_TRIGGER)]
)
def test_the_story_ends_as_told(story: str) -> None:
    end = untroubled(story)
    assert end.case.outcome is ALL[story].outcome
    assert (end.twice, end.illegal, end.flaws, end.stops) == ([], (), (), ())


@pytest.mark.parametrize("name", TRIGGERS)
def test_no_remedy_that_is_offered_is_left_out(name: str) -> None:
    _, _, remedies = TRIGGERS[name]
    assert offered(f"{remedies[0]} of {name}") == {*remedies}


@pytest.mark.parametrize("kind", KINDS)
@each_story
@pytest.mark.timeout(600)
def test_trouble_at_any_call_changes_nothing(story: str, kind: str) -> None:
    expected = untroubled(story)
    every = EVERY if story in STORIES else EVERY_BY_TRIGGER
    for at in range(KINDS.index(kind), len(expected.calls), every):
        _hold(played(story, at=at, kind=kind), expected, f"{kind} at {at}: {expected.calls[at]}")


@pytest.mark.parametrize("kind", KINDS)
@each_story
def test_trouble_at_any_call_to_aws_changes_nothing(story: str, kind: str) -> None:
    expected = untroubled(story)
    acts = [at for at, call in enumerate(expected.calls) if call.startswith("actions.")]
    for at in acts[KINDS.index(kind) % EVERY_ACT :: EVERY_ACT]:
        _hold(played(story, at=at, kind=kind), expected, f"{kind} at {expected.calls[at]}")


def _hold(end: End, expected: End, where: str) -> None:
    assert end.state == expected.state, where
    assert not end.twice, where
    assert not end.illegal, where
    assert not end.flaws, where
    for reason, advice in end.stops:
        assert reason.endswith("."), where
        assert advice, where
    TRIED["faults at a call of the flows (crash matrix)"] += 1
