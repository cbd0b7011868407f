"""Failed uses of keys that are off: told once, however and however often they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.key_uses import MANY
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import CallRecord, CallStatus, KeyUse
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows import record_use as recording
from chalicelib.flows import watch_keys as watching
from chalicelib.flows.open_case import open_case
from chalicelib.flows.record_use import REMEMBERED, record_use
from chalicelib.flows.sweep import sweep
from tests.flows.stand import HUB, REGION, Stand, key, world

Make = Callable[..., Stand]
HOUR = timedelta(hours=1)


def waiting(stand: Make, *keys: Key) -> tuple[Stand, str]:
    """A case that waits for its keys to be deleted."""
    it = stand(world(*keys))
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    for person in ("alice", "bob"):
        it.approve(person, "retire", opened.case_id)
    it.run(opened.case_id, until=lambda c: "KMS deletes" in c.waiting_for)
    return it, opened.case_id


def used(it: Stand, key_id: str = "key-1", event_id: str = "use-1") -> KeyUse:
    return KeyUse(event_id, it.clock.now, key_id, "role billing", "Decrypt")


def lines(it: Stand, case_id: str) -> list[str]:
    """The events of the failed uses that the log tells of."""
    entries = it.stored.entries(case_id)
    return [entry["event_id"] for entry in entries if entry.kind is Kind.KEY_USED]


def test_a_use_whose_event_was_lost_is_found_and_wakes_the_case(stand: Make) -> None:
    it, case_id = waiting(stand, key(1), key(2))
    it.clock.now += HOUR
    it.trail.used = [used(it)]
    woken = len(it.runs.woken)
    assert sweep(it.ports).used == 1
    assert len(it.runs.woken) == woken + 1
    it.turn(case_id)
    assert lines(it, case_id) == ["use-1"]
    assert it.counted.count("KeysUsedWhileOff") == 1


def test_only_a_use_that_a_cancel_would_help_rings(stand: Make) -> None:
    it, case_id = waiting(stand, key(1))
    counted: Counter[str] = Counter()
    it.ports = replace(it.ports, count=lambda name, number: counted.update({name: number}))
    record_use(it.ports, used(it), account=HUB, region=REGION)
    it.turn(case_id)
    assert counted["KeysUsedWhileGoing"] == 1
    it.clock.now += HOUR
    it.aws.model.world = replace(it.aws.model.world, keys=(key(1),))
    record_use(it.ports, used(it, event_id="use-2"), account=HUB, region=REGION)
    it.turn(case_id)
    assert lines(it, case_id) == ["use-1", "use-2"]
    assert counted["KeysUsedWhileGoing"] == 1, "the key is back"


def test_found_again_it_is_told_once_and_wakes_nobody(stand: Make) -> None:
    it, case_id = waiting(stand, key(1))
    it.trail.used = [used(it)]
    record_use(it.ports, used(it), account=HUB, region=REGION)
    it.turn(case_id)
    woken, counted = len(it.runs.woken), it.counted.count("KeysUsedWhileOff")
    assert [sweep(it.ports).used for _ in range(3)] == [0, 0, 0]
    it.turn(case_id)
    assert lines(it, case_id) == ["use-1"]
    assert (len(it.runs.woken), it.counted.count("KeysUsedWhileOff")) == (woken, counted)


def test_recorded_but_never_heard_it_wakes_once_more(stand: Make) -> None:
    """Whoever recorded it may have died before the wake."""
    it, case_id = waiting(stand, key(1))
    it.stored.record_use(case_id, used(it))
    it.trail.used = [used(it)]
    woken = len(it.runs.woken)
    sweep(it.ports)
    assert len(it.runs.woken) == woken + 1
    it.turn(case_id)
    assert lines(it, case_id) == ["use-1"]


@pytest.mark.parametrize(("keys", "sweeps"), [(10, 1), (25, 3), (150, 12), (260, 13)], ids=str)
def test_many_keys_all_get_their_turn_since_the_last_whole_round(
    stand: Make, keys: int, sweeps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_KEYS", 20)
    it, _ = waiting(stand, *(key(1_000 + number) for number in range(keys)))
    began = it.clock.now
    for _ in range(sweeps):
        sweep(it.ports)
        it.clock.now += HOUR
    all_of_them = [f"key-{1_000 + number}" for number in range(keys)]
    assert [key_id for key_id, _ in it.trail.looked] == all_of_them
    it.trail.looked.clear()
    sweep(it.ports)
    looked = [key_id for key_id, _ in it.trail.looked]
    assert looked == all_of_them[: len(looked)]
    assert len(looked) <= watching.MOST_KEYS
    assert all(began - watching.LATE <= since <= began for _, since in it.trail.looked)


def test_the_first_look_goes_back_to_when_the_key_was_switched_off(stand: Make) -> None:
    it, case_id = waiting(stand, key(1))
    off = it.case(case_id).calls[0].at
    it.clock.now += 10 * HOUR
    sweep(it.ports)
    assert it.trail.looked == [("key-1", off)]


def test_keys_that_cant_be_read_are_looked_at_from_the_same_time_later(stand: Make) -> None:
    it, case_id = waiting(stand, key(1), key(2))
    off = it.case(case_id).calls[0].at
    for trouble in (TemporaryError("AWS is busy"), PermanentError("access denied")):

        def refuse(key_id: str, trouble: Exception = trouble) -> None:
            raise trouble

        it.trail.before = refuse
        assert sweep(it.ports).used == 0
        it.clock.now += 5 * HOUR
    it.trail.before = lambda key_id: None
    it.trail.used = [KeyUse("use-1", off + HOUR, "key-2", "role billing", "Decrypt")]
    assert sweep(it.ports).used == 1


def test_a_long_look_ends_in_time_and_goes_on_with_the_next_key(stand: Make) -> None:
    it, _ = waiting(stand, *(key(number) for number in range(10, 20)))

    def slow(key_id: str) -> None:
        it.clock.now += timedelta(seconds=60)

    it.trail.before = slow
    sweep(it.ports)
    assert [key_id for key_id, _ in it.trail.looked] == ["key-10", "key-11", "key-12"]
    sweep(it.ports)
    assert it.trail.looked[3][0] == "key-13"


def test_nobody_asks_about_keys_that_nobody_switched_off(stand: Make) -> None:
    it = stand(world(key(1)))
    open_case(it.ports, it.failed())
    sweep(it.ports)
    assert it.trail.looked == []


def test_keys_that_are_back_are_not_asked_about(stand: Make) -> None:
    it, case_id = waiting(stand, key(1), key(2))
    it.clock.now += HOUR
    back = CallRecord(Operation.CANCEL_KEY_DELETION, "key-1", it.clock.now, CallStatus.DONE, "hash")
    it.edit(case_id, lambda case: case.with_call(back))
    sweep(it.ports)
    assert [key_id for key_id, _ in it.trail.looked] == ["key-2"]


def test_one_case_that_cant_be_read_hides_no_other(stand: Make) -> None:
    it, case_id = waiting(stand, key(1))
    it.stored._table.put_item(
        Item={"pk": "OPEN", "sk": f"{HUB}#{REGION}#cluster-other", "case_id": "unlatch-lost"}
    )
    it.trail.used = [used(it)]
    assert sweep(it.ports).used == 1
    assert record_use(it.ports, used(it), account=HUB, region=REGION) == (case_id,)


def test_of_many_uses_a_further_one_by_a_known_caller_is_not_read_for(stand: Make) -> None:
    it, case_id = waiting(stand, key(1))
    one = used(it)
    for number in range(MANY):
        record_use(it.ports, replace(one, event_id=f"use-{number}"), account=HUB, region=REGION)
    it.turn(case_id)
    woken = len(it.runs.woken)
    again = replace(one, event_id="again")
    assert record_use(it.ports, again, account=HUB, region=REGION) == (case_id,)
    assert len(it.runs.woken) == woken, "it tells nothing new"
    quiet = replace(it.ports, cases=None)  # type: ignore[arg-type]  # not asked
    assert record_use(quiet, again, account=HUB, region=REGION) == (case_id,)
    other = replace(again, who="somebody else")
    assert record_use(it.ports, other, account=HUB, region=REGION) == (case_id,)
    assert it.case(case_id).key_uses[-1].who == "somebody else"
    it.clock.now += REMEMBERED
    with pytest.raises(AttributeError):
        record_use(quiet, again, account=HUB, region=REGION)


def test_very_many_are_not_remembered_for_good(
    stand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_REMEMBERED", 1)
    monkeypatch.setattr(recording, "is_repeat", lambda *_: True)
    it, _ = waiting(stand, key(1))
    for who in ("one", "two"):
        record_use(it.ports, replace(used(it), who=who), account=HUB, region=REGION)
    assert [spot[2] for spot in it.ports.repeats] == ["two"]
