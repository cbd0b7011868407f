"""What is shown of a store with many keys may be some minutes old; what is done never is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.polling import MANY_KEYS, fresh_for
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state.case import Case, Phase
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.open_case import open_case
from tests.flows.cloud import Aws
from tests.flows.stand import BODY_SEAL, INBOX_SEAL, Stand, key, world

Make = Callable[..., Stand]
OLD = fresh_for(MANY_KEYS) + timedelta(seconds=1)


class Looks:
    """The inventory, counting."""

    def __init__(self, aws: Aws) -> None:
        self._aws, self.number = aws, 0
        self.unread: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._aws, name)

    def snapshot(self, case: Case, *, now: datetime) -> Snapshot:
        self.number += 1
        return replace(self._aws.snapshot(case, now=now), unread=self.unread)

    @contextmanager
    def more(self, expected: int) -> Iterator[None]:
        before = self.number
        yield
        assert self.number - before == expected


def asked(stand: Make, *, keys: int = MANY_KEYS, blind: bool = False) -> tuple[Stand, str, Looks]:
    """People are asked about a store of so many keys."""
    it = stand(world(*map(key, range(keys))))
    looks = Looks(it.aws)
    looks.unread = ("kms:ListKeys was refused",) if blind else ()
    inventory: Any = looks
    it.ports = replace(it.ports, inventory=inventory)
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    return it, opened.case_id, looks


def test_a_dialog_is_filled_and_a_yes_heard_on_the_last_look(stand: Make) -> None:
    it, case_id, looks = asked(stand)
    with looks.more(0):
        it.approve("alice", "retire", case_id)
        it.turn(case_id)
    assert it.slack.filled[-1][0] == "alice"


def test_the_last_yes_needs_a_fresh_look_before_anything_is_done(stand: Make) -> None:
    it, case_id, looks = asked(stand)
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    assert not it.aws.landed
    with looks.more(1):
        it.turn(case_id)
    assert len(it.aws.landed) == MANY_KEYS


def test_a_world_that_changed_under_an_old_look_is_asked_about_again(stand: Make) -> None:
    """Both approved what was on the last look; the key that came since voids it before any call."""
    it, case_id, _ = asked(stand)
    it.approve("alice", "retire", case_id)
    seen = it.aws.model.world
    it.aws.model.world = replace(seen, keys=(*seen.keys, key(MANY_KEYS)))
    it.approve("bob", "retire", case_id)
    it.turn(case_id)
    assert not it.aws.landed
    assert it.case(case_id).phase is Phase.WAITING
    assert it.case(case_id).differences


@pytest.mark.parametrize("button", ["refresh", "reject"])
def test_other_clicks_look_anew(stand: Make, button: str) -> None:
    it, case_id, looks = asked(stand)
    it.click("erin", button, case_id)
    with looks.more(1):
        it.turn(case_id)


def test_an_old_look_is_made_anew_and_so_is_one_at_few_keys(stand: Make) -> None:
    it, case_id, looks = asked(stand)
    it.clock.now += OLD
    it.click("alice", "retire", case_id)
    with looks.more(1):
        it.turn(case_id)
    it.click("bob", "retire", case_id)
    with looks.more(0):
        it.turn(case_id)


def test_few_keys_are_always_read_again(stand: Make) -> None:
    it, case_id, looks = asked(stand, keys=3)
    it.click("alice", "retire", case_id)
    with looks.more(1):
        it.turn(case_id)


def test_a_look_that_aws_kept_from_us_is_made_anew(stand: Make) -> None:
    it, case_id, looks = asked(stand, blind=True)
    looks.unread = ()
    it.click("alice", "keep", case_id)
    with looks.more(1):
        it.turn(case_id)


@pytest.mark.parametrize(
    "trouble", [TemporaryError("DynamoDB is busy"), PermanentError("too large")]
)
def test_without_the_table_it_looks_anew(stand: Make, trouble: Exception) -> None:
    it, case_id, looks = asked(stand)

    class Broken(TurnCases):
        def keep_look(self, *_: object) -> None:
            raise trouble

        def last_look(self, *_: object) -> None:
            raise trouble

    def for_turn(anchor: Anchor, generation: int) -> TurnCases:
        seals = {"inbox_seal": INBOX_SEAL, "body_seal": BODY_SEAL}
        return Broken(it.stored._table, anchor, generation=generation, **seals)

    it.ports = replace(it.ports, for_turn=for_turn)
    it.click("alice", "retire", case_id)
    with looks.more(1):
        it.turn(case_id)
    assert it.slack.filled[-1][0] == "alice"


@pytest.mark.parametrize(
    "change",
    [{"look": '{"schema":1,"at":7}'}, {"seal": "bm8="}, {"seal": None}],
    ids=["cannot be read", "forged", "of an earlier version"],
)
def test_a_kept_look_that_is_not_ours_is_none(stand: Make, change: dict[str, object]) -> None:
    it, case_id, _ = asked(stand)
    turn = it.for_turn(Anchor(""), 0)
    kept = turn.last_look(case_id)
    assert kept is not None
    assert len(kept.keys) == MANY_KEYS
    items = it.stored._table.items
    item = {**items[f"CASE#{case_id}", "LOOK"], **change}
    it.stored._table.put_item(Item={k: v for k, v in item.items() if v is not None})
    assert turn.last_look(case_id) is None
