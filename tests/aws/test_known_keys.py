"""Keys in no key store: remembered only as a turn wrote them, as who hides a key leaves it out of every plan."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chalicelib.aws.keys import digest_of
from chalicelib.aws.store.known_keys import DynamoKnownKeys
from sandbox.reliability.stand import HUB, REGION, SEALS
from sandbox.reliability.table import MemoryTable

MINE, HIDDEN = digest_of("key-1"), digest_of("key-2")


class Counted:
    """The body's seal, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def make(self, text: str) -> str:
        return SEALS[1].make(text)

    def holds(self, text: str, seal: str) -> bool:
        self.asked += 1
        return SEALS[1].holds(text, seal)


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def known(table: MemoryTable) -> DynamoKnownKeys:
    found = DynamoKnownKeys(table, SEALS[1])
    found.add(HUB, REGION, {MINE})
    return found


def only(table: MemoryTable) -> dict[str, Any]:
    (item,) = table.items.values()
    return copy.deepcopy(item)


def test_what_a_turn_learnt_is_known_to_the_next(known: DynamoKnownKeys) -> None:
    known.add(HUB, REGION, {HIDDEN})
    assert known.load(HUB, REGION) == {MINE, HIDDEN}
    assert known.load(HUB, "eu-west-1") == set()


FORGED = [
    ("a key more", {"digests": MINE + HIDDEN}),
    ("no seal", {"seal": ""}),
    ("no digests", {"digests": None}),
    ("another place", {"sk": "copy"}),
    ("another account", {"pk": f"KEYS_IN_NO_STORE#444455556666#{REGION}"}),
]


@pytest.mark.parametrize(("what", "values"), FORGED, ids=[f[0] for f in FORGED])
def test_a_list_that_no_turn_wrote_hides_nothing(
    known: DynamoKnownKeys, table: MemoryTable, what: str, values: dict[str, Any]
) -> None:
    item = only(table) | values
    table.items.clear()
    table.put_item(Item=item)
    assert known.load(HUB, REGION) == set(), what
    assert known.load("444455556666", REGION) == set(), what


def test_a_list_is_asked_about_once_while_it_stays_as_it_is(table: MemoryTable) -> None:
    seal = Counted()
    known = DynamoKnownKeys(table, seal)
    known.add(HUB, REGION, {MINE})
    for _ in range(3):
        assert known.load(HUB, REGION) == {MINE}
    assert seal.asked == 1
