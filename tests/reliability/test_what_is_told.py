"""Log lines and metrics of whole stories, and of each kind of trouble, as they were last looked at.

If a change is meant: `WRITE_CATALOGUE=1 pytest tests/reliability/test_what_is_told.py`, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.held import as_it_was
from tests.reliability.plots import STORIES
from tests.reliability.stories import played, untroubled
from tests.reliability.trouble import KINDS

FOLDER = Path(__file__).parent / "told"
EACH = 4
"""Of the calls of a story every fourth one is in trouble."""
IN_TROUBLE = "park"


def _is_as_it_was(name: str, lines: list[str]) -> None:
    as_it_was("".join(f"{line}\n" for line in lines), FOLDER / f"{name}.txt")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_tells_what_it_told(story: str) -> None:
    _is_as_it_was(story, list(untroubled(story).told))


@pytest.mark.parametrize("kind", KINDS)
def test_trouble_is_told_as_it_was(kind: str) -> None:
    """Every line once, wherever the trouble came."""
    calls = len(untroubled(IN_TROUBLE).calls)
    lines = {
        line for at in range(0, calls, EACH) for line in played(IN_TROUBLE, at=at, kind=kind).told
    }
    _is_as_it_was(f"{IN_TROUBLE}, {kind}", sorted(lines))
