"""Reads who owns the keys of a case, by one tag of theirs. Reads only, and a reply that broke off is no answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.aws.errors import translated, understood
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.domain.state.snapshot import most_used
from chalicelib.failures import Code, PermanentError, TemporaryError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from chalicelib.aws.accounts import Accounts

CALL = "kms:ListResourceTags"
MOST_KEYS = 200
"""Those used last: more people than these name are not told anyway."""
MOST_NAMED = 20
THREADS = 16


@dataclass(frozen=True)
class KeyOwnerReader:
    """`tag` is the one that names owners; "" asks for nothing."""

    accounts: Accounts
    role: str
    pace: Callable[[str], Callable[[], None]]
    tag: str
    recent_use_days: int

    def of(self, case: Case) -> KeyOwners:
        """By the keys of the case's snapshot. TemporaryError if AWS can't tell now."""
        seen = case.snapshot
        if not self.tag or seen is None:
            return KeyOwners()
        clients = self.accounts.clients(
            self.role, account=case.account, region=case.region, session_name=case.case_id
        )
        ask = functools.partial(self._word, clients("kms"), case.account)
        ours = (key for key in seen.keys if not key.unread)  # another may be in any store
        listed = most_used(ours, seen.at, days=self.recent_use_days)[:MOST_KEYS]
        with ThreadPoolExecutor(THREADS) as pool:
            return _owners(pool.map(ask, [key.key_id for key in listed]))

    def _word(self, kms: KMSClient, account: str, key_id: str) -> str | None:
        """What the tag of this key says; "" if it has none; None if AWS refuses to tell."""
        self.pace(CALL)()
        pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key_id)
        try:
            with translated(CALL, role=self.role, account=account), understood(CALL):
                tags = {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}
        except TemporaryError as trouble:
            if trouble.code is not Code.MOVED:
                raise
            return ""
        except PermanentError:
            return None
        return tags.get(self.tag, "")


def _owners(words: Iterable[str | None]) -> KeyOwners:
    told = list(words)
    named = tuple(dict.fromkeys(word for word in told if word))
    return KeyOwners(named[:MOST_NAMED], told.count(None))
