"""Many pages of keys: what a search keeps, when it stops, and how much it holds at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws import key_search
from chalicelib.aws.key_search import AHEAD, LONGEST_SECONDS, Found, KeySearch
from chalicelib.aws.keys import KeyReader, digest_of
from chalicelib.failures import TemporaryError
from tests.flows.stand import NOW, STORE

PER_PAGE = 10


class Kms:
    """`count` keys, the first two in the store; asking for the key `broken` is throttled."""

    def __init__(self, count: int, *, mine: int = 2, broken: str = "") -> None:
        self.ids = [f"key-{number:03}" for number in range(count)]
        self.mine, self.broken = set(self.ids[:mine]), broken
        self.described: list[str] = []
        self.open_pages: list[int] = []
        self.alias_lists = 0

    def get_paginator(self, name: str) -> Any:
        self.asked = name
        return self

    def paginate(self, **_: object) -> Iterable[dict[str, Any]]:
        return self._aliases() if self.asked == "list_aliases" else self._pages()

    def _aliases(self) -> Iterator[dict[str, Any]]:
        self.alias_lists += 1
        yield {"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "key-000"}]}

    def _pages(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self.ids), PER_PAGE):
            self.open_pages.append((start - len(self.described)) // PER_PAGE)
            yield {"Keys": [{"KeyId": one} for one in self.ids[start : start + PER_PAGE]]}

    def describe_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        self.described.append(KeyId)
        if KeyId == self.broken:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeKey")
        found = {"KeyId": KeyId, "KeyState": "Enabled", "CreationDate": NOW}
        mine = {"CustomKeyStoreId": STORE} if KeyId in self.mine else {}
        return {"KeyMetadata": found | mine}

    def get_key_last_usage(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        return {"KeyLastUsage": {"Timestamp": NOW}, "TrackingStartDate": NOW}


class Lazy(Executor):
    """A pool whose threads are always busy: a task runs when its result is asked for."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        return Waiting(lambda: task(*args, **more))


class Waiting(Future[Any]):
    def __init__(self, task: Callable[[], Any]) -> None:
        super().__init__()
        self._task = task

    def result(self, timeout: float | None = None) -> Any:
        return self._task()


def searched(
    kms: Any, known: set[bytes], *, pool: Executor, clock: Callable[[], float] = lambda: 0.0
) -> Found:
    reader = KeyReader(kms, lambda call: lambda: None, "unlatch-reader", "1", PER_PAGE)
    return KeySearch(reader, pool, 2, set(known), known.update, clock).found({STORE}, [])


def test_few_pages_are_open_at_once() -> None:
    """A hundred pages of descriptions would fill the memory."""
    kms = Kms(300)
    found = searched(kms, set(), pool=Lazy())
    assert [key.key_id for key in found.keys] == ["key-000", "key-001"]
    assert found.seen == 300
    assert max(kms.open_pages) == AHEAD
    assert kms.described == kms.ids


def test_names_come_from_one_list_and_only_where_a_key_is_found() -> None:
    kms, none = Kms(30), Kms(30, mine=0)
    found = searched(kms, set(), pool=Lazy())
    assert [key.aliases for key in found.keys] == [("alias/a",), ()]
    assert kms.alias_lists == 1
    assert searched(none, set(), pool=Lazy()).keys == ()
    assert none.alias_lists == 0


class SlowNames(Kms):
    """Its aliases take a while."""

    names_came = False

    def _aliases(self) -> Iterator[dict[str, Any]]:
        time.sleep(0.1)
        yield from super()._aliases()
        self.names_came = True


def test_nothing_is_asked_any_more_once_a_search_has_failed() -> None:
    """A call that is left over would meet those of the next search."""
    kms = SlowNames(30, broken="key-025")
    with pytest.raises(TemporaryError):
        searched(kms, set(), pool=Lazy())
    assert kms.names_came


def test_a_search_carries_on_behind_what_was_learnt() -> None:
    kms, known = Kms(25), set[bytes]()
    seconds = iter(range(0, 10_000, LONGEST_SECONDS // 2 + 1))
    with (
        ThreadPoolExecutor(2) as pool,
        pytest.raises(TemporaryError, match="15 of 25 keys of the account are still to be read"),
    ):
        searched(kms, known, pool=pool, clock=lambda: next(seconds))
    assert known == {digest_of(key_id) for key_id in kms.ids[2:10]}
    kms.described.clear()
    found = searched(kms, known, pool=Lazy())
    assert (len(found.keys), found.seen) == (2, 25)
    assert kms.described == [*kms.ids[:2], *kms.ids[10:]]


def test_what_was_learnt_before_a_trouble_is_kept_and_no_more_is_asked() -> None:
    kms, known = Kms(100, broken="key-015"), set[bytes]()
    with pytest.raises(TemporaryError):
        searched(kms, known, pool=Lazy())
    assert known == {digest_of(key_id) for key_id in kms.ids[2:15]}
    assert kms.described == kms.ids[:16]


def test_it_is_kept_slice_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_search, "SLICE", 20)
    kms: Any = Kms(100)
    slices = list[int]()
    reader = KeyReader(kms, lambda call: lambda: None, "unlatch-reader", "1", PER_PAGE)
    search = KeySearch(reader, Lazy(), 2, set(), lambda more: slices.append(len(more)))
    search.found({STORE}, [])
    assert sum(slices) == 98
    assert max(slices) < 20 + PER_PAGE
    assert min(slices[:-1]) >= 20


@pytest.mark.parametrize(("keys", "threads", "tasks"), [(1, 32, 1), (31, 32, 31), (100, 4, 5)])
def test_few_keys_are_spread_over_the_threads_and_many_asked_in_a_row(
    keys: int, threads: int, tasks: int
) -> None:
    kms: Any = Kms(keys, mine=0)
    submitted = list[str]()

    class Counted(Lazy):
        def submit(self, task: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
            submitted.append(task.__name__)
            return super().submit(task, *args, **more)

    reader = KeyReader(kms, lambda call: lambda: None, "unlatch-reader", "1", 1_000)
    search = KeySearch(reader, Counted(), threads, set(), set[bytes]().update)
    search._ask(kms.ids, {STORE})
    assert len(submitted) == tasks
