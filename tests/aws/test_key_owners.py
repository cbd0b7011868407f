"""Who owns keys, by their tag: torn and throttled replies are no answer, a refusal is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.key_owners import MOST_KEYS, MOST_NAMED, KeyOwnerReader
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.failures import TemporaryError
from tests.domain.worlds import case, key, world

DENIED, GONE, BUSY = "AccessDeniedException", "NotFoundException", "ThrottlingException"


class Kms:
    """The tags of keys by id, or the error that asking for them gives; two pages each."""

    def __init__(self, **tags: dict[str, str] | str) -> None:
        self.tags = {name.replace("_", "-"): told for name, told in tags.items()}
        self.asked: list[str] = []

    def clients(self, role: str, **_: str) -> Any:
        assert role == "reader"
        return lambda service: {"kms": self}[service]

    def get_paginator(self, name: str) -> Any:
        assert name == "list_resource_tags"
        return self

    def paginate(self, *, KeyId: str) -> Iterable[dict[str, Any]]:  # noqa: N803  # boto3's names
        self.asked.append(KeyId)
        told = self.tags.get(KeyId, {})
        if isinstance(told, str):
            raise ClientError({"Error": {"Code": told}}, "ListResourceTags")
        yield {"Tags": [{"TagKey": "Name", "TagValue": KeyId}]}
        yield {"Tags": [{"TagKey": name, "TagValue": value} for name, value in told.items()]}


def reader(kms: Kms, tag: str = "owner") -> KeyOwnerReader:
    return KeyOwnerReader(cast("Accounts", kms), "reader", lambda call: lambda: None, tag, 30)


def test_each_owner_is_named_once() -> None:
    keys = [key(number) for number in (1, 2, 3)]
    first, second, _ = (one.key_id.replace("-", "_") for one in keys)
    kms = Kms(**{first: {"owner": "a@b.example"}, second: {"owner": "a@b.example"}})
    told = reader(kms).of(case(snapshot=world(*keys)))
    assert told == KeyOwners(("a@b.example",))
    assert sorted(kms.asked) == sorted(one.key_id for one in keys)


def test_a_refusal_is_counted_and_a_key_that_is_gone_owns_nothing() -> None:
    keys = [key(number) for number in (1, 2)]
    refused, gone = (one.key_id.replace("-", "_") for one in keys)
    kms = Kms(**{refused: DENIED, gone: GONE})
    assert reader(kms).of(case(snapshot=world(*keys))) == KeyOwners((), 1)


def test_a_busy_kms_is_no_answer() -> None:
    one = key(1)
    with pytest.raises(TemporaryError):
        reader(Kms(**{one.key_id.replace("-", "_"): BUSY})).of(case(snapshot=world(one)))


def test_what_may_be_in_another_store_is_not_asked_nor_are_thousands() -> None:
    hidden = replace(key(1), unread="kms:DescribeKey was refused")
    many = [key(number) for number in range(2, MOST_KEYS + 50)]
    kms = Kms(**{one.key_id.replace("-", "_"): {"owner": one.key_id} for one in many})
    told = reader(kms).of(case(snapshot=world(hidden, *many)))
    assert len(kms.asked) == MOST_KEYS
    assert hidden.key_id not in kms.asked
    assert len(told.named) == MOST_NAMED


def test_without_a_tag_or_a_look_nothing_is_asked() -> None:
    kms = Kms()
    assert reader(kms, "").of(case(snapshot=world(key(1)))) == KeyOwners()
    assert reader(kms).of(case(snapshot=None)) == KeyOwners()
    assert kms.asked == []
