"""Opens a case for a failed delete, or folds it into the open one. Each event counts once, for ever."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import log_put
from chalicelib.aws.store.writes import ITEM, OPEN, Write, Writes, place
from chalicelib.domain.case import Attempt, Case
from chalicelib.domain.log import Kind, chained, entry
from chalicelib.ports import Conflict, FailedDelete, Opened

MOST_LOOKS = 10
MANY_ATTEMPTS, MOST_ATTEMPTS = 200, 400
"""An item holds 400 kB, and a pipeline may try for weeks. Of many, only new callers are kept:

who made a failed call can't approve."""
OWN_FIELDS = ("attempts", "clicks", "key_uses", "version", "generation", "snapshot")
"""Fields of a case that live beside its body: written by others than the turn, or not stored."""


def case_id_of(event_id: str) -> str:
    """Unique for ever and the same for the same event, so that a replay opens nothing."""
    digest = hashlib.sha256(event_id.encode()).digest()
    return "case-" + base64.b32encode(digest).decode()[:10].lower()


def body_of(case: Case) -> dict[str, Any]:
    bare = replace(case, snapshot=None, attempts=(), clicks=(), key_uses=())
    body: dict[str, Any] = codec.plain(bare)
    return {name: value for name, value in body.items() if name not in OWN_FIELDS}


class Opening:
    """`name` is the table's."""

    def __init__(self, writes: Writes, name: str) -> None:
        self._writes, self._name = writes, name

    def open_or_fold(self, failed: FailedDelete, *, now: datetime) -> Opened:
        """Opens a case, or folds the attempt into the open one. The same event again changes nothing."""
        where = place(failed.account, failed.region, failed.cluster_id)
        for _ in range(MOST_LOOKS):
            seen = self._writes.get(f"EVENT#{failed.attempt.event_id}", "EVENT")
            if seen:
                return self._opened(seen["case_id"], token=False)
            held = self._writes.get(OPEN, where)
            opened = self._fold(held["case_id"], failed, where) if held else self._open(failed, now)
            if opened:
                return opened
        raise Conflict("others opened and closed the case again and again meanwhile")

    def _opened(self, case_id: str, *, token: bool) -> Opened:
        item = self._writes.get(f"CASE#{case_id}", ITEM) or {}
        woken = str(item.get("token", "")) if token else ""
        return Opened(case_id, int(item.get("generation", 0)), is_new=False, token=woken)

    def _open(self, failed: FailedDelete, now: datetime) -> Opened | None:
        attempt = failed.attempt
        case = Case(
            case_id_of(attempt.event_id), failed.account, failed.region, failed.cluster_id, now
        )
        first = entry(
            Kind.OPENED,
            now,
            event_id=attempt.event_id,
            by=attempt.caller.words,
            tool=attempt.caller.tool,
            error_code=attempt.error_code,
        )
        (linked,) = chained((first,), length=0, head="")
        case = replace(case, log_length=1, log_head=linked.hash)
        writes = [
            self._event(attempt, case.case_id),
            self._writes.put(
                {
                    "pk": OPEN,
                    "sk": place(case.account, case.region, case.cluster_id),
                    "case_id": case.case_id,
                },
                "attribute_not_exists(pk)",
            ),
            self._writes.put(_item(case, attempt), "attribute_not_exists(pk)"),
            log_put(self._name, case.case_id, linked),
        ]
        return Opened(case.case_id, 0, is_new=True) if self._writes.transact(writes) else None

    def _fold(self, case_id: str, failed: FailedDelete, where: str) -> Opened | None:
        item = self._writes.get(f"CASE#{case_id}", ITEM) or {}
        expression = "ADD version :one"
        values: dict[str, Any] = {":one": 1}
        if _is_worth_keeping(failed.attempt, item.get("attempts", ())):
            expression = f"SET attempts=list_append(attempts, :attempt) {expression}"
            values[":attempt"] = [codec.dump(failed.attempt)]
        writes = [
            self._event(failed.attempt, case_id),
            self._writes.update_of(
                case_id,
                UpdateExpression=expression,
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=values,
            ),
            self._writes.pointing("ConditionCheck", where, case_id),
        ]
        return self._opened(case_id, token=True) if self._writes.transact(writes) else None

    def _event(self, attempt: Attempt, case_id: str) -> Write:
        item = {"pk": f"EVENT#{attempt.event_id}", "sk": "EVENT", "case_id": case_id}
        return self._writes.put(item, "attribute_not_exists(pk)")


def _is_worth_keeping(attempt: Attempt, stored: Any) -> bool:
    if len(stored) < MANY_ATTEMPTS:
        return True
    callers = {codec.load(text, Attempt).caller for text in stored}
    return len(stored) < MOST_ATTEMPTS and attempt.caller not in callers


def _item(case: Case, attempt: Attempt) -> dict[str, Any]:
    return {
        "pk": f"CASE#{case.case_id}",
        "sk": ITEM,
        "case_id": case.case_id,
        "body": codec.pack(body_of(case)),
        "phase": str(case.phase),
        "version": 0,
        "generation": 0,
        "attempts": [codec.dump(attempt)],
        "clicks": [],
        "log_length": 1,
        "log_head": case.log_head,
    }
