"""Reads the KMS keys of a key store: ListKeys and DescribeKey, never by aliases. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import translated, understood
from chalicelib.domain.state.snapshot import Key, KeyState, LastUse
from chalicelib.failures import Code, PermanentError, TemporaryError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


PAGE, ALIAS_PAGE = 1_000, 100
DESCRIBE = "kms:DescribeKey"


@dataclass(frozen=True)
class Aliases:
    """Names by key id; `unread` says what was refused."""

    of: Mapping[str, tuple[str, ...]]
    unread: str = ""


@dataclass
class Part:
    """Some keys of an account: those of the stores, those that might be, digests of those in none.

    Nothing else of a key is kept: a hundred thousand descriptions would fill the memory.
    """

    mine: list[Key] = field(default_factory=list)
    refused: list[Key] = field(default_factory=list)
    elsewhere: set[bytes] = field(default_factory=set)

    def add(self, more: Part) -> None:
        self.mine += more.mine
        self.refused += more.refused
        self.elsewhere |= more.elsewhere


def digest_of(key_id: str) -> bytes:
    """Eight bytes that stand for a key id: a hundred thousand of them fit a few items."""
    return hashlib.blake2b(key_id.encode(), digest_size=8).digest()


@dataclass(frozen=True)
class KeyReader:
    kms: KMSClient
    pace: Callable[[str], Callable[[], None]]
    role: str
    account: str
    per_page: int = PAGE

    def sorted_out(self, key_ids: Sequence[str], store_ids: set[str]) -> Part:
        """These keys, asked one after the other; those of the stores with their last use."""
        part = Part()
        for key_id in key_ids:
            item = self._describe(key_id)
            store_id = item.get("CustomKeyStoreId")
            if "Refused" in item:
                part.refused.append(_unread(item, ()))
            elif store_id in store_ids:
                part.mine.append(self._complete(item))
            elif not store_id:
                part.elsewhere.add(digest_of(key_id))
        return part

    def key(self, key_id: str, *, aliases: tuple[str, ...]) -> Key:
        """One key as it is now, without grants and last use."""
        item = self._describe(key_id)
        if "Refused" in item:
            return _unread(item, aliases)
        return key_from(item, aliases)

    def by_name(self, key_ids: Iterable[str]) -> tuple[Key, ...]:
        """Of these keys those that are there and that KMS describes. No list is needed for that."""
        found = (self._if_there(key_id) for key_id in key_ids)
        return tuple(key for key in found if key is not None)

    def _if_there(self, key_id: str) -> Key | None:
        try:
            key = self.key(key_id, aliases=())
        except TemporaryError as trouble:
            if trouble.code is not Code.MOVED:
                raise
            return None
        return None if key.unread else key

    def pages(self, unread: list[str]) -> Iterator[list[str]]:
        """The ids of all keys of the account, page by page."""
        pages = self.kms.get_paginator("list_keys").paginate(
            PaginationConfig={"PageSize": self.per_page}
        )
        try:
            with translated("kms:ListKeys", role=self.role, account=self.account):
                for page in pages:
                    yield [item["KeyId"] for item in page["Keys"]]
        except PermanentError:
            unread.append("kms:ListKeys was refused")

    def _describe(self, key_id: str) -> dict[str, Any]:
        """DescribeKey's metadata; with `Refused` if access is denied.

        TemporaryError also for a key that DescribeKey does not know although ListKeys has it: one of them is
        late, and nobody can tell which store the key is in.
        """
        self.pace(DESCRIBE)()
        try:
            with translated(DESCRIBE, role=self.role, account=self.account), understood(DESCRIBE):
                metadata = self.kms.describe_key(KeyId=key_id)["KeyMetadata"]
                return {**metadata, "KeyState": metadata["KeyState"]}
        except PermanentError:
            return {"KeyId": key_id, "Refused": f"{DESCRIBE} was refused"}

    def aliases(self) -> Aliases:
        """Names only: keys without alias exist, and aliases without key."""
        found: dict[str, tuple[str, ...]] = {}
        pages = self.kms.get_paginator("list_aliases").paginate(
            PaginationConfig={"PageSize": ALIAS_PAGE}
        )
        try:
            with translated("kms:ListAliases", role=self.role, account=self.account):
                for page in pages:
                    for item in page["Aliases"]:
                        target = item.get("TargetKeyId", "")
                        found[target] = (*found.get(target, ()), item["AliasName"])
        except PermanentError:
            return Aliases({}, "kms:ListAliases was refused")
        return Aliases({key: tuple(sorted(names)) for key, names in found.items()})

    def _complete(self, item: dict[str, Any]) -> Key:
        """With its last use, which only living keys have."""
        key = key_from(item, ())
        if not key.is_live:
            return key
        return replace(key, last_use=self._last_use(key.key_id))

    def with_grants(
        self, keys: Sequence[Key], ids: set[str], run: Callable[..., Iterable[int | None]]
    ) -> tuple[Key, ...]:
        """All the keys; the living ones among these ids with the number of their grants."""
        asked = [key.key_id for key in keys if key.is_live and key.key_id in ids]
        grants = dict(zip(asked, run(self._grants, asked), strict=True))
        return tuple(
            replace(key, grants=grants[key.key_id]) if key.key_id in grants else key for key in keys
        )

    def _grants(self, key_id: str) -> int | None:
        self.pace("kms:ListGrants")()
        pages = self.kms.get_paginator("list_grants").paginate(KeyId=key_id)
        try:
            with translated("kms:ListGrants", role=self.role, account=self.account):
                return sum(len(page["Grants"]) for page in pages)
        except PermanentError:
            return None

    def _last_use(self, key_id: str) -> LastUse:
        """Unknown if KMS refuses, or if this SDK does not know the call."""
        if not hasattr(self.kms, "get_key_last_usage"):
            return LastUse()
        self.pace("kms:GetKeyLastUsage")()
        try:
            with translated("kms:GetKeyLastUsage", role=self.role, account=self.account):
                reply = self.kms.get_key_last_usage(KeyId=key_id)
        except PermanentError as stop:
            if stop.code is not Code.DENIED:
                raise
            return LastUse()
        use = reply.get("KeyLastUsage") or {}
        at: datetime | None = use.get("Timestamp")
        return LastUse(at, use.get("Operation", ""), reply.get("TrackingStartDate"))


def _unread(item: dict[str, Any], aliases: tuple[str, ...]) -> Key:
    """A key that KMS would not describe."""
    return Key(item["KeyId"], KeyState.UNKNOWN, None, aliases, unread=item["Refused"])


def key_from(item: dict[str, Any], aliases: tuple[str, ...]) -> Key:
    try:
        state = KeyState(item["KeyState"])
    except ValueError:
        state = KeyState.UNKNOWN
    return Key(
        key_id=item["KeyId"],
        state=state,
        created_at=item.get("CreationDate"),
        aliases=aliases,
        deletion_date=item.get("DeletionDate"),
    )
