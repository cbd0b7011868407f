"""A function that starts has no full collections; a started one has them, over what came since."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from chalicelib import garbage, observability


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    garbage.started.cache_clear()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_modules_are_left_alone_until_the_first_invocation_is_over() -> None:
    garbage.leave_modules_alone()
    assert gc.get_threshold() == (*garbage.USUAL[:2], garbage.NEVER)
    with observability.invocation(None, trace=""):
        assert gc.get_threshold()[2] == garbage.NEVER
    assert gc.get_threshold() == garbage.USUAL
    assert gc.get_freeze_count() > 1_000


def test_later_invocations_freeze_nothing_more() -> None:
    with observability.invocation(None, trace=""):
        pass
    gc.unfreeze()
    with observability.invocation(None, trace=""):
        pass
    assert gc.get_freeze_count() == 0
