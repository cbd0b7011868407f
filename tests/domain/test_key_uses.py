"""Of many failed uses the first of each caller is always told."""

from __future__ import annotations

from chalicelib.domain.rules.key_uses import MANY, MOST, MOST_CALLERS, is_repeat, is_worth_keeping
from chalicelib.domain.state.case import KeyUse
from tests.domain.worlds import NOW


def use(event: int, key: int = 0, who: int = 0) -> KeyUse:
    return KeyUse(f"event-{event}", NOW, f"key-{key}", f"caller-{who}", "Decrypt")


FEW = [use(n) for n in range(MANY - 1)]
MANY_USES = [use(n) for n in range(MANY)]
PAIRS = [use(n, key=n) for n in range(MOST)]
CALLERS = [use(n, key=n, who=n) for n in range(MOST_CALLERS)]


def test_an_event_counts_once_for_each_key() -> None:
    assert not is_worth_keeping(use(1), [use(1)])
    assert is_worth_keeping(use(1, key=2), [use(1)])
    assert not is_repeat(use(1), MANY_USES), "the same event is no further use"


def test_few_are_all_kept_and_of_many_only_what_is_new() -> None:
    assert is_worth_keeping(use(9_999), FEW)
    assert not is_worth_keeping(use(9_999), MANY_USES)
    assert is_repeat(use(9_999), MANY_USES)
    assert is_worth_keeping(use(9_999, key=1), MANY_USES)
    assert not is_repeat(use(9_999, key=1), MANY_USES)


def test_the_first_use_of_a_caller_finds_room_when_others_find_none() -> None:
    assert not is_worth_keeping(use(9_999, key=9_999), PAIRS)
    assert is_worth_keeping(use(9_999, who=1), PAIRS)
    assert not is_worth_keeping(use(9_999, who=9_999), CALLERS), "an item holds 400 kB"
