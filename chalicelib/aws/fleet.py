"""Surveys one Region of one account: all its clusters, key stores and their keys. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.errors import translated, understood
from chalicelib.aws.key_search import KeySearch
from chalicelib.aws.keys import KeyReader
from chalicelib.aws.other_use import other_use
from chalicelib.aws.shapes import clusters_from, is_on_a_cluster, store_from
from chalicelib.domain.fleet import Held, Survey
from chalicelib.domain.state.snapshot import KeyStore
from chalicelib.failures import PermanentError

THREADS = 8
MINUTES = 5
"""For which sessions are counted: a program that serves anybody holds its connections."""


@dataclass(frozen=True)
class Fleet:
    """`pace` gives the pace for a call name; see aws/rate_limit.py."""

    accounts: Accounts
    role: str
    pace: Callable[[str], Callable[[], None]]

    def survey(self, account: str, region: str, *, now: datetime) -> Survey:
        """What AWS refuses to tell is listed in it; TemporaryError if AWS can’t answer now."""
        clients = self.accounts.clients(
            self.role, account=account, region=region, session_name="unlatch-scan"
        )
        kms, unread = clients("kms"), list[str]()
        listed = clients("cloudhsmv2").get_paginator("describe_clusters").paginate()
        call = "cloudhsm:DescribeClusters"
        found = self._read(call, listed, "Clusters", account=account, unread=unread)
        pages = kms.get_paginator("describe_custom_key_stores").paginate()
        call = "kms:DescribeCustomKeyStores"
        stores = self._read(call, pages, "CustomKeyStores", account=account, unread=unread)
        with understood(call):
            clusters = clusters_from(found)
            ours = [store_from(item) for item in stores if is_on_a_cluster(item)]
        reader = KeyReader(kms, self.pace, self.role, account)
        return Survey(
            account,
            region,
            now,
            clusters,
            tuple(_held(reader, ours, unread)),
            {
                cluster.cluster_id: other_use(clients, cluster, now=now, minutes=MINUTES)
                for cluster in clusters
                if cluster.live_hsms
            },
            tuple(dict.fromkeys(unread)),
        )

    def _read(
        self, call: str, pages: Iterable[Any], name: str, *, account: str, unread: list[str]
    ) -> list[Any]:
        try:
            with translated(call, role=self.role, account=account):
                return [item for page in pages for item in page[name]]
        except PermanentError:
            unread.append(f"{call} was refused")
            return []


def _held(reader: KeyReader, stores: list[KeyStore], unread: list[str]) -> list[Held]:
    """Each store with its keys. What one search learns of keys that are in no store, the next knows."""
    known: set[bytes] = set()
    held = []
    with ThreadPoolExecutor(THREADS) as pool:
        for store in stores:
            search = KeySearch(reader, pool, THREADS, known, known.update)
            held.append(Held(store, search.found({store.key_store_id}, unread).keys))
    return held
