"""The keys of a store: found by asking each, never by aliases; what can't be read is said."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.key_search import KeySearch
from chalicelib.aws.keys import KeyReader, digest_of
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.failures import TemporaryError
from tests.flows.stand import NOW, STORE

DENIED, GONE, BUSY = "AccessDeniedException", "NotFoundException", "ThrottlingException"


class Kms:
    """Keys by id: the store that each is in, or the error that asking for it gives."""

    def __init__(self, keys: dict[str, str | None], **broken: str) -> None:
        self.keys, self.broken = keys, broken
        self.described: list[str] = []

    def get_paginator(self, name: str) -> Any:
        return Pages(self, name)

    def pages(self, name: str, **_: object) -> Iterable[dict[str, Any]]:
        self._may(name)
        match name:
            case "list_keys":
                yield from ({"Keys": [{"KeyId": one}]} for one in self.keys)
            case "list_aliases":
                yield {"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "in-1"}]}
                yield {"Aliases": [{"AliasName": "alias/aws/x"}]}
            case "list_grants":
                yield {"Grants": [{}, {}]}

    def describe_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        self.described.append(KeyId)
        self._may(KeyId.replace("-", "_"))
        found = {"KeyId": KeyId, "KeyState": "Enabled", "CreationDate": NOW}
        return {"KeyMetadata": found | ({"CustomKeyStoreId": s} if (s := self.keys[KeyId]) else {})}

    def get_key_last_usage(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        self._may("get_key_last_usage")
        return {
            "KeyLastUsage": {"Timestamp": NOW, "Operation": "Decrypt"},
            "TrackingStartDate": NOW,
        }

    def _may(self, name: str) -> None:
        if code := self.broken.get(name):
            raise ClientError({"Error": {"Code": code}}, name)


class Pages:
    def __init__(self, kms: Kms, name: str) -> None:
        self.kms, self.name = kms, name

    def paginate(self, **more: object) -> Iterable[dict[str, Any]]:
        return self.kms.pages(self.name, **more)


KEYS = {"in-1": STORE, "in-2": STORE, "out-1": None, "other-1": "cks-other"}


def reader_of(kms: Any) -> KeyReader:
    return KeyReader(kms, lambda call: lambda: None, "unlatch-reader", "1")


def read(kms: Kms, *, known: set[bytes] = frozenset()) -> tuple[Any, list[str], set[bytes]]:  # type: ignore[assignment]  # empty
    unread: list[str] = []
    learnt: set[bytes] = set()
    with ThreadPoolExecutor(2) as pool:
        search = KeySearch(reader_of(kms), pool, 2, set(known), learnt.update)
        return search.found({STORE}, unread), unread, learnt


def test_the_stores_own_keys_with_names_and_last_use() -> None:
    found, unread, learnt = read(Kms(KEYS))
    assert [(k.key_id, k.aliases) for k in found.keys] == [("in-1", ("alias/a",)), ("in-2", ())]
    assert {k.last_use.operation for k in found.keys} == {"Decrypt"}
    assert (found.seen, unread) == (4, [])
    assert learnt == {digest_of("out-1")}, "a key of another store may be planned one day"


def test_grants_are_counted_of_those_that_are_asked_for_and_live() -> None:
    kms = Kms(KEYS)
    found, _, _ = read(kms)
    (first, second) = found.keys
    assert (first.grants, second.grants) == (None, None)
    going = replace(second, state=KeyState.PENDING_DELETION)
    keys = reader_of(kms).with_grants((first, going), {"in-1", "in-2"}, map)
    assert [k.grants for k in keys] == [2, None]
    assert [k.grants for k in reader_of(kms).with_grants(found.keys, {"in-2"}, map)] == [None, 2]


@pytest.mark.parametrize(("code", "raised"), [(BUSY, True), (DENIED, False)])
def test_grants_that_can_t_be_read(code: str, raised: bool) -> None:
    kms = Kms(KEYS, list_grants=code)
    found, _, _ = read(kms)
    with pytest.raises(TemporaryError) if raised else nullcontext():
        (key, _) = reader_of(kms).with_grants(found.keys, {"in-1"}, map)
        assert key.grants is None


def test_a_key_known_to_be_in_no_store_is_not_asked_again() -> None:
    kms = Kms(KEYS)
    read(kms, known={digest_of("out-1")})
    assert "out-1" not in kms.described


@pytest.mark.parametrize("name", ["list_keys", "list_aliases"])
def test_a_refused_list_is_said(name: str) -> None:
    _, unread, _ = read(Kms(KEYS, **{name: DENIED}))
    assert len(unread) == 1
    assert "was refused" in unread[0]


def test_a_key_that_cant_be_described_counts_as_one_of_the_stores() -> None:
    found, _, learnt = read(Kms(KEYS, out_1=DENIED))
    hidden = next(k for k in found.keys if k.key_id == "out-1")
    assert (hidden.state, hidden.unread) == (KeyState.UNKNOWN, "kms:DescribeKey was refused")
    assert learnt == set()


def test_a_key_that_kms_lists_and_does_not_know_says_nothing_of_its_store() -> None:
    """ListKeys may be ahead of DescribeKey, or behind: neither “gone” nor “in no store”."""
    kms, learnt = Kms(KEYS, out_1=GONE), set[bytes]()
    with ThreadPoolExecutor(2) as pool, pytest.raises(TemporaryError, match=GONE):
        KeySearch(reader_of(kms), pool, 2, set(), learnt.update).found({STORE}, [])
    assert learnt == set()
    with pytest.raises(TemporaryError):
        reader_of(kms).key("out-1", aliases=())


def test_keys_by_name_need_no_list() -> None:
    """Those that are gone, or that KMS would not describe, are left out; trouble is tried later."""
    kms = Kms(KEYS, list_keys=DENIED, in_2=GONE, out_1=DENIED)
    found = reader_of(kms).by_name(["in-1", "in-2", "out-1"])
    assert [key.key_id for key in found] == ["in-1"]
    with pytest.raises(TemporaryError):
        reader_of(Kms(KEYS, in_2=BUSY)).by_name(["in-1", "in-2"])


def test_metadata_without_a_state_says_nothing_of_a_key() -> None:
    class Odd(Kms):
        def describe_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
            return {"KeyMetadata": {"KeyId": KeyId}}

    with pytest.raises(TemporaryError, match="can’t be read"):
        reader_of(Odd(KEYS)).sorted_out(["out-1"], {STORE})


@pytest.mark.parametrize("name", ["list_keys", "in_1", "list_aliases"])
def test_throttling_ends_the_look(name: str) -> None:
    with pytest.raises(TemporaryError):
        read(Kms(KEYS, **{name: BUSY}))


@pytest.mark.parametrize(("code", "tracked"), [(DENIED, None), ("", NOW)], ids=["refused", "told"])
def test_a_refused_last_use_is_unknown(code: str, tracked: object) -> None:
    found, _, _ = read(Kms(KEYS, **({"get_key_last_usage": code} if code else {})))
    assert {k.last_use.tracked_since for k in found.keys} == {tracked}
