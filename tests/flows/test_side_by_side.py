"""Many places at once: one that hangs or can't be read delays and hides no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.failures import PermanentError
from chalicelib.flows import sweep as sweeping
from chalicelib.flows.side_by_side import AT_A_TIME, side_by_side
from chalicelib.flows.sweep import NO_ANSWER, sweep
from tests.flows.stand import HUB, Stand, world

PLACES = [(f"{number:012}", "us-east-1") for number in range(100)]


def test_they_are_asked_at_the_same_time_and_answer_in_order() -> None:
    together = threading.Barrier(AT_A_TIME, timeout=20)

    def ask(place: tuple[str, str]) -> str:
        if int(place[0]) < AT_A_TIME:
            together.wait()
        return place[0]

    said = side_by_side(PLACES, ask, within_seconds=60)
    assert list(said.items()) == [(place, place[0]) for place in PLACES]


def test_what_hangs_is_left_behind() -> None:
    let_go = threading.Event()

    def ask(place: tuple[str, str]) -> bool:
        return let_go.wait(30) if place == PLACES[1] else True

    began = time.monotonic()
    said = side_by_side(PLACES, ask, within_seconds=1)
    assert time.monotonic() - began < 10
    assert [place for place, answer in said.items() if answer is None] == [PLACES[1]]
    let_go.set()


def test_what_nobody_expects_is_raised() -> None:
    def ask(place: tuple[str, str]) -> None:
        if place == PLACES[7]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side(PLACES, ask, within_seconds=60)


def test_a_place_that_hangs_hides_no_failed_delete(
    stand: Callable[..., Stand], monkeypatch: pytest.MonkeyPatch
) -> None:
    it, let_go = stand(world()), threading.Event()
    it.trail.found = [it.failed()]
    really: Any = it.trail.calls

    def slow(account: str, region: str, **asked: Any) -> Sequence[Any]:
        if account == "222233334444":
            let_go.wait(30)
        if account == "333344445555":
            raise PermanentError("AWS refused it.")
        found: Sequence[Any] = really(account, region, **asked)
        return found

    monkeypatch.setattr(it.trail, "calls", slow)
    monkeypatch.setattr(sweeping, "LONGEST_LOOK", 1)
    others = [("222233334444", "us-east-1"), ("333344445555", "us-east-1")]
    swept = sweep(replace(it.ports, places=(*others, (HUB, "us-east-1"))))
    let_go.set()
    assert swept.found == 1
    assert swept.unread == (
        f"222233334444 us-east-1: {NO_ANSWER}",
        "333344445555 us-east-1: AWS refused it.",
    )
