"""The owners of keys are asked for once a case, and trouble with it is not “nobody”."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.open_case import open_case
from tests.domain.worlds import key, world
from tests.flows.stand import Stand

FOUND = KeyOwners(("dave@example.com",), 1)


def stand(store: DynamoCases, ask: Callable[[Case], KeyOwners], *, keys: int = 1) -> Stand:
    made = Stand(world(*(key(number) for number in range(keys))), store=store)
    made.ports = replace(made.ports, key_owners=ask)
    return made


def opened(made: Stand) -> str:
    found = open_case(made.ports, made.failed())
    assert found
    return found.case_id


def test_they_are_asked_for_once(store: DynamoCases) -> None:
    asked: list[str] = []

    def ask(case: Case) -> KeyOwners:
        asked.append(case.case_id)
        return FOUND

    made = stand(store, ask)
    case_id = opened(made)
    for _ in range(3):
        made.turn(case_id)
    assert made.case(case_id).key_owners == FOUND
    assert asked == [case_id]


@pytest.mark.parametrize("trouble", [TemporaryError("torn"), PermanentError("no role")])
def test_trouble_is_not_nobody_and_holds_up_nothing(store: DynamoCases, trouble: Exception) -> None:
    answers: list[Exception | KeyOwners] = [trouble, FOUND]

    def ask(_: Case) -> KeyOwners:
        told = answers.pop(0)
        if isinstance(told, KeyOwners):
            return told
        raise told

    made = stand(store, ask)
    case_id = opened(made)
    made.turn(case_id)
    assert made.case(case_id).offers
    assert made.case(case_id).key_owners is None
    made.turn(case_id)
    assert made.case(case_id).key_owners == FOUND


def test_a_store_without_keys_asks_nothing(store: DynamoCases) -> None:
    made = stand(store, lambda _: FOUND, keys=0)
    case_id = opened(made)
    made.turn(case_id)
    assert made.case(case_id).key_owners is None
