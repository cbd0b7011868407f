"""The real store: over a table in memory, or on moto if moto's own behaviour matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.state.snapshot import Snapshot
from sandbox.reliability.table import MemoryTable
from tests.flows.stand import INBOX_SEAL, QuickCases, Stand, table
from tests.flows.town import Town


@pytest.fixture
def store() -> DynamoCases:
    return DynamoCases(MemoryTable(), INBOX_SEAL)


@pytest.fixture
def moto_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoCases]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield DynamoCases(table(), INBOX_SEAL)


@pytest.fixture
def stand() -> Callable[..., Stand]:
    store = QuickCases(MemoryTable(), INBOX_SEAL)

    def make(snapshot: Snapshot, **policy: Any) -> Stand:
        return Stand(snapshot, store=store, **policy)

    return make


@pytest.fixture
def town() -> Callable[..., Town]:
    store = QuickCases(MemoryTable(), INBOX_SEAL)

    def make(number: int = 1) -> Town:
        return Town(number, store=store)

    return make
