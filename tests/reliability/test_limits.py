"""AWS's limits: tries spread out, and thousands of keys are scheduled without losing or repeating one."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key, KeyState
from chalicelib.failures import TemporaryError
from chalicelib.flows.perform import wait_after
from tests.flows.engine import approved
from tests.flows.stand import NOW, Stand, key, world
from tests.reliability.figures import TRIED
from tests.reliability.plots import repointable
from tests.reliability.profiles import THOROUGH

Make = Callable[..., Stand]


def test_waits_grow_to_five_minutes_and_differ_between_cases() -> None:
    waits = [wait_after("case-a", tries=n) for n in range(1, 12)]
    assert all(
        0.8 * full <= wait <= full
        for wait, full in zip(waits[:5], (15, 30, 60, 120, 240), strict=True)
    )
    assert all(240 <= wait <= 300 for wait in waits[5:])
    assert waits[:5] == sorted(waits[:5])
    assert waits == [wait_after("case-a", tries=n) for n in range(1, 12)], "no chance in it"
    assert len({wait_after(f"case-{n}", tries=6) for n in range(40)}) > 20


def test_a_throttled_call_is_tried_at_growing_distances_even_if_people_click(stand: Make) -> None:
    it, tried = stand(world()), []

    def throttled(step: Call, target: str) -> None:
        tried.append(it.clock.now)
        if len(tried) < 7:
            raise TemporaryError("AWS is busy (ThrottlingException)")

    it.aws.before = throttled
    engine, case_id = approved(it)
    while len(tried) < 7:
        for _ in range(3):
            it.click("erin", "refresh", case_id)
            engine.step()
        engine.step()
    gaps = [after - before for before, after in pairwise(tried)]
    for tries, gap in enumerate(gaps, start=1):
        wanted = timedelta(seconds=wait_after(case_id, tries=tries))
        assert wanted <= gap < wanted + timedelta(seconds=5)
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.RETIRED


def test_a_call_that_never_gets_through_stops_with_a_sentence(stand: Make) -> None:
    it = stand(world())

    def throttled(step: Call, target: str) -> None:
        raise TemporaryError("AWS is busy (ThrottlingException)")

    it.aws.before = throttled
    engine, case_id = approved(it)
    began = it.clock.now
    engine.go(until=lambda: it.case(case_id).is_closed)
    case = it.case(case_id)
    assert case.outcome is Outcome.STOPPED
    assert case.reason == "AWS is busy (ThrottlingException). Tried 8 times."
    assert case.advice
    assert timedelta(minutes=12) < it.clock.now - began < timedelta(minutes=25)


def many_keys(count: int) -> list[Key]:
    chance = Random(7)
    ids = (str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count))
    return [
        Key(i, KeyState.ENABLED, NOW - timedelta(days=365), last_use=key(1).last_use) for i in ids
    ]


def test_thousands_of_keys_are_scheduled_once_each(stand: Make) -> None:
    """Batch by batch, throttled now and then; the case stays below 400 kB, which the table enforces."""
    keys = many_keys(2_000 if THOROUGH else 200)
    it = stand(world(*keys))
    calls = Counter[str]()

    def slow(step: Call, target: str) -> None:
        it.clock.now += timedelta(milliseconds=300)
        calls[step.operation] += 1
        if calls[step.operation] % 190 == 0:
            raise TemporaryError("AWS is busy (ThrottlingException)")

    it.aws.before = slow
    engine, case_id = approved(it)
    engine.go(until=lambda: not it.aws.model.world.live_keys)
    scheduled = Counter(target for name, target in it.aws.landed if name == "ScheduleKeyDeletion")
    assert set(scheduled) == {k.key_id for k in keys}
    assert set(scheduled.values()) == {1}
    results = [e for e in it.stored.entries(case_id) if e.kind is Kind.RESULT]
    made = [result for result in results if result["status"] != "not made"]
    assert len(made) == calls.total(), "an entry after each call, also after those refused"
    assert it.aws.illegal == []
    TRIED["keys of one store, each scheduled once"] += len(keys)


@pytest.mark.parametrize(("failures", "outcome"), [(3, Outcome.REPOINTED), (4, Outcome.STOPPED)])
def test_a_key_that_is_busy_is_not_lost_and_one_that_fails_goes_back(
    stand: Make, failures: int, outcome: Outcome
) -> None:
    it = stand(repointable(), repoint_soak_days=0)
    left = [failures]

    def busy(step: Call, target: str) -> None:
        if step.operation is Operation.PROVE_KEY and left[0]:
            left[0] -= 1
            raise TemporaryError("AWS is busy (ThrottlingException)")

    it.aws.before = busy
    engine, case_id = approved(it, "repoint")
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is outcome
    at_home = it.aws.model.world.key_stores[0].cluster_id == it.case(case_id).cluster_id
    assert at_home is (outcome is Outcome.STOPPED), "the store is where its keys work"
