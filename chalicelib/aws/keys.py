"""Reads the KMS keys of a key store: ListKeys and DescribeKey, never by aliases. Reads only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.aws.errors import DENIED, code_of, translated
from chalicelib.domain.snapshot import Key, KeyState, LastUse
from chalicelib.ports import GiveUp, TryLater

PAGE, ALIAS_PAGE = 1_000, 100
SLICE = 5_000
LONGEST_SECONDS = 240
"""Well inside the function's time-out; the next turn carries on behind the last slice."""


@dataclass(frozen=True)
class Found:
    """Keys of the stores; how many keys there are in the account."""

    keys: tuple[Key, ...]
    seen: int


def digest_of(key_id: str) -> bytes:
    """Eight bytes that stand for a key id: a hundred thousand of them fit a few items."""
    return hashlib.blake2b(key_id.encode(), digest_size=8).digest()


@dataclass(frozen=True)
class KeyReader:
    kms: Any
    pace: Callable[[str], Callable[[], None]]
    role: str
    account: str
    clock: Callable[[], float] = time.monotonic
    per_slice: int = SLICE

    def keys_in(
        self,
        store_ids: set[str],
        *,
        known: set[bytes],
        run: Callable[..., Iterable[Any]],
        unread: list[str],
        remember: Callable[[set[bytes]], None],
    ) -> Found:
        """All keys of these stores. A key's store never changes, so known ones are not asked again.

        A key that can't be described might be in the store: it is listed as unread. What is learnt
        is remembered slice by slice; TryLater where the time is over before the last one.
        """
        ids = list(self._list_keys(unread))
        unknown = [key_id for key_id in ids if digest_of(key_id) not in known]
        mine: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for described in self._described(unknown, run, of=len(ids)):
            elsewhere = self._sort(described, store_ids, mine, refused)
            if elsewhere:
                remember(elsewhere)
        aliases = self._aliases(unread) if mine or refused else {}
        keys = list(run(lambda d: self._complete(d, aliases.get(d["KeyId"], ())), mine))
        keys += [_unread(d, aliases.get(d["KeyId"], ())) for d in refused]
        return Found(tuple(sorted(keys, key=lambda k: k.key_id)), len(ids))

    def _described(
        self, ids: list[str], run: Callable[..., Iterable[Any]], *, of: int
    ) -> Iterator[Iterable[dict[str, Any]]]:
        """What KMS says of these keys, slice by slice; TryLater where the time is over between two."""
        began = self.clock()
        for start in range(0, len(ids), self.per_slice):
            if self.clock() - began > LONGEST_SECONDS:
                left = f"{len(ids) - start:,} of {of:,}"
                raise TryLater(f"{left} keys of the account are still to be read")
            yield run(self._describe, ids[start : start + self.per_slice])

    def _sort(
        self,
        described: Iterable[dict[str, Any]],
        store_ids: set[str],
        mine: list[dict[str, Any]],
        refused: list[dict[str, Any]],
    ) -> set[bytes]:
        """Adds to `mine` and `refused`; returns the digests of those that are in no key store.

        Nothing else of a key is kept: a hundred thousand descriptions would fill the memory.
        """
        elsewhere = set()
        for item in described:
            if "Refused" in item:
                refused.append(item)
            elif item.get("CustomKeyStoreId") in store_ids:
                mine.append(item)
            elif not item.get("CustomKeyStoreId"):
                elsewhere.add(digest_of(item["KeyId"]))
        return elsewhere

    def key(self, key_id: str, *, aliases: tuple[str, ...]) -> Key:
        """One key as it is now, without grants and last use."""
        item = self._describe(key_id)
        if "Refused" in item:
            return _unread(item, aliases)
        return key_from(item, aliases)

    def _list_keys(self, unread: list[str]) -> Iterator[str]:
        pages = self.kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": PAGE})
        try:
            with translated("kms:ListKeys", role=self.role, account=self.account):
                for page in pages:
                    yield from (item["KeyId"] for item in page["Keys"])
        except GiveUp:
            unread.append("kms:ListKeys was refused")

    def _describe(self, key_id: str) -> dict[str, Any]:
        """DescribeKey's metadata; with `Refused` where access is denied; {} for a key just gone."""
        self.pace("kms:DescribeKey")()
        try:
            with translated("kms:DescribeKey", role=self.role, account=self.account):
                metadata: dict[str, Any] = self.kms.describe_key(KeyId=key_id)["KeyMetadata"]
        except GiveUp:
            return {"KeyId": key_id, "Refused": "kms:DescribeKey was refused"}
        except Exception as error:
            if code_of(error.__cause__ or error) == "NotFoundException":  # type: ignore[arg-type]  # an Exception
                return {"KeyId": key_id}
            raise
        return metadata

    def _aliases(self, unread: list[str]) -> dict[str, tuple[str, ...]]:
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
        except GiveUp:
            unread.append("kms:ListAliases was refused")
        return {key: tuple(sorted(names)) for key, names in found.items()}

    def _complete(self, item: dict[str, Any], aliases: tuple[str, ...]) -> Key:
        """With its last use, which only living keys have."""
        key = key_from(item, aliases)
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
        except GiveUp:
            return None

    def _last_use(self, key_id: str) -> LastUse:
        """Unknown where KMS refuses, or where this SDK does not know the call."""
        if not hasattr(self.kms, "get_key_last_usage"):
            return LastUse()
        self.pace("kms:GetKeyLastUsage")()
        try:
            reply = self.kms.get_key_last_usage(KeyId=key_id)
        except Exception as error:
            if code_of(error) in DENIED:
                return LastUse()
            with translated("kms:GetKeyLastUsage", role=self.role, account=self.account):
                raise
        use = reply.get("KeyLastUsage") or {}
        at: datetime | None = use.get("Timestamp")
        return LastUse(at, use.get("Operation", ""), reply.get("TrackingStartDate"))


def _unread(item: dict[str, Any], aliases: tuple[str, ...]) -> Key:
    """A key that KMS would not describe."""
    return Key(item["KeyId"], KeyState.UNKNOWN, None, aliases, unread=item["Refused"])


def key_from(item: dict[str, Any], aliases: tuple[str, ...]) -> Key:
    try:
        state = KeyState(item.get("KeyState", ""))
    except ValueError:
        state = KeyState.UNKNOWN
    return Key(
        key_id=item["KeyId"],
        state=state,
        created_at=item.get("CreationDate"),
        aliases=aliases,
        deletion_date=item.get("DeletionDate"),
    )
