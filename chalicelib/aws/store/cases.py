"""Cases in DynamoDB: one item each, its log, and one pointer per open cluster. Every write is conditional."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import Log, log_put
from chalicelib.domain.case import Attempt, Case, Click, KeyUse, Outcome
from chalicelib.domain.log import Entry, Kind, chained, entry
from chalicelib.ports import Conflict, FailedDelete, Opened, Pointer, Woken

OPEN = "OPEN"
ITEM = "CASE"
OWN_FIELDS = ("attempts", "clicks", "key_uses", "version", "generation", "snapshot")
"""Fields of a case that live beside its body: written by others than the turn, or not stored."""


def case_id_of(event_id: str) -> str:
    """Unique for ever and the same for the same event, so that a replay opens nothing."""
    digest = hashlib.sha256(event_id.encode()).digest()
    return "case-" + base64.b32encode(digest).decode()[:10].lower()


class DynamoCases:
    """The store of cases; `table` is a boto3 DynamoDB Table."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._client = table.meta.client
        self._log = Log(table)

    def open_or_fold(self, failed: FailedDelete, *, now: datetime) -> Opened:
        """Opens a case, or folds the attempt into the open one. The same event again changes nothing."""
        for _ in range(3):
            seen = self._get(f"EVENT#{failed.attempt.event_id}", "EVENT")
            if seen:
                return self._opened(seen["case_id"])
            held = self._get(OPEN, self._where(failed.account, failed.region, failed.cluster_id))
            opened = self._fold(held["case_id"], failed) if held else self._open(failed, now)
            if opened:
                return opened
        raise Conflict("the case was opened and closed by others three times meanwhile")

    def load(self, case_id: str) -> Case:
        item = self._get(f"CASE#{case_id}", ITEM)
        if item is None:
            raise KeyError(case_id)
        return case_from(item)

    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case:
        """Writes body and log entries in one transaction if nobody wrote meanwhile; else Conflict."""
        linked = chained(entries, length=case.log_length, head=case.log_head)
        if linked:
            case = replace(case, log_length=linked[-1].number, log_head=linked[-1].hash)
        update = self._update(
            case.case_id,
            "SET body=:body, phase=:phase, log_length=:length, log_head=:head ADD version :one",
            "version=:version AND generation=:generation",
            {
                ":body": codec.pack(body_of(case)),
                ":phase": str(case.phase),
                ":length": case.log_length,
                ":head": case.log_head,
                ":one": 1,
                ":version": case.version,
                ":generation": case.generation,
            },
        )
        writes = [update, *(log_put(self._table.name, case.case_id, item) for item in linked)]
        if not self._transact([*writes, *self._pointer_writes(case)]):
            raise Conflict(case.case_id)
        return replace(case, version=case.version + 1)

    def append(self, case: Case, entry_: Entry, *, fenced: bool) -> Case:
        """One log entry without the body. Fenced: only if nobody wrote the case meanwhile."""
        (linked,) = chained((entry_,), length=case.log_length, head=case.log_head)
        condition = "log_length=:old" + (" AND version=:version" if fenced else "")
        values = {":length": linked.number, ":head": linked.hash, ":old": case.log_length}
        if fenced:
            values[":version"] = case.version
        update = self._update(
            case.case_id, "SET log_length=:length, log_head=:head", condition, values
        )
        if not self._transact([update, log_put(self._table.name, case.case_id, linked)]):
            raise Conflict(case.case_id)
        return replace(case, log_length=linked.number, log_head=linked.hash)

    def record_click(self, case: Case, click: Click, *, reopen: bool) -> Woken:
        """Adds the click, bumps the version and takes the parked run's token, in one update."""
        expression = "SET clicks=list_append(if_not_exists(clicks, :none), :click) ADD version :one"
        if reopen:
            expression += ", generation :one"
        values = {":click": [codec.dump(click)], ":none": [], ":one": 1, ":same": case.generation}
        old = self._taking_token(case.case_id, expression, "generation=:same", values)
        if old is None:
            raise Conflict(case.case_id)
        return Woken(old.get("token", ""), int(old["generation"]) + (1 if reopen else 0))

    def record_use(self, case_id: str, use: KeyUse) -> str:
        """Adds a failed use of a key once per event; returns the token of the parked run."""
        expression = (
            "SET key_uses=list_append(if_not_exists(key_uses, :none), :use) "
            "ADD version :one, use_ids :ids"
        )
        values = {":use": [codec.dump(use)], ":none": [], ":one": 1, ":ids": {use.event_id}}
        values[":id"] = use.event_id
        old = self._taking_token(case_id, expression, "NOT contains(use_ids, :id)", values)
        return str((old or {}).get("token", ""))

    def park(self, case_id: str, *, version: int, token: str) -> bool:
        """Stores the task token if the case still is as the turn left it."""
        try:
            self._table.update_item(
                Key={"pk": f"CASE#{case_id}", "sk": ITEM},
                UpdateExpression="SET #token=:token",
                ConditionExpression="version=:version",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={":token": token, ":version": version},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def next_generation(self, case: Case) -> int:
        """Moves the generation on, once, before a new run of the case is started."""
        values = {":one": 1, ":same": case.generation}
        old = self._taking_token(
            case.case_id, "ADD generation :one, version :one", "generation=:same", values
        )
        if old is None:
            raise Conflict(case.case_id)
        return case.generation + 1

    def pointers(self) -> Sequence[Pointer]:
        """All open and kept cases."""
        return [
            Pointer(item["case_id"], *item["sk"].split("#"))
            for item in self._log.query(OPEN, prefix="")
        ]

    def frozen(self) -> str:
        """Who stopped all mutations and why, in words; "" where nobody did."""
        item = self._get("BRAKE", "BRAKE")
        return str(item["why"]) if item else ""

    def looked_until(self, account: str, region: str) -> datetime | None:
        item = self._get("SWEEP", f"{account}#{region}")
        return datetime.fromisoformat(item["until"]) if item else None

    def set_looked(self, account: str, region: str, until: datetime) -> None:
        where = {"pk": "SWEEP", "sk": f"{account}#{region}"}
        self._table.put_item(Item={**where, "until": until.isoformat()})

    def entries(self, case_id: str) -> Sequence[Entry]:
        return self._log.entries(case_id)

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        found = self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def _opened(self, case_id: str) -> Opened:
        case = self.load(case_id)
        return Opened(case_id, case.generation, is_new=False)

    def _open(self, failed: FailedDelete, now: datetime) -> Opened | None:
        attempt = failed.attempt
        case = Case(
            case_id_of(attempt.event_id), failed.account, failed.region, failed.cluster_id, now
        )
        first = entry(
            Kind.OPENED,
            now,
            event_id=attempt.event_id,
            by=attempt.caller.name,
            tool=attempt.caller.tool,
            error_code=attempt.error_code,
        )
        (linked,) = chained((first,), length=0, head="")
        case = replace(case, log_length=1, log_head=linked.hash)
        item = {
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
            "log_head": linked.hash,
        }
        where = self._where(failed.account, failed.region, failed.cluster_id)
        pointer = {"pk": OPEN, "sk": where, "case_id": case.case_id}
        writes = [
            self._event_put(attempt, case.case_id),
            self._put(pointer, "attribute_not_exists(pk)"),
            self._put(item, "attribute_not_exists(pk)"),
            log_put(self._table.name, case.case_id, linked),
        ]
        return Opened(case.case_id, 0, is_new=True) if self._transact(writes) else None

    def _fold(self, case_id: str, failed: FailedDelete) -> Opened | None:
        values = {":attempt": [codec.dump(failed.attempt)], ":one": 1}
        update = self._update(
            case_id,
            "SET attempts=list_append(attempts, :attempt) ADD version :one",
            "attribute_exists(pk)",
            values,
        )
        where = self._where(failed.account, failed.region, failed.cluster_id)
        still_open = {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": {"pk": OPEN, "sk": where},
                "ConditionExpression": "case_id=:case",
                "ExpressionAttributeValues": {":case": case_id},
            }
        }
        if not self._transact([self._event_put(failed.attempt, case_id), update, still_open]):
            return None
        old = self._taking_token(case_id, "ADD version :one", "attribute_exists(pk)", {":one": 1})
        item = old or {}
        return Opened(case_id, int(item.get("generation", 0)), False, item.get("token", ""))

    def _taking_token(
        self, case_id: str, expression: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """An update that also takes the token away, with what stood before; None if refused."""
        try:
            reply = self._table.update_item(
                Key={"pk": f"CASE#{case_id}", "sk": ITEM},
                UpdateExpression=f"{expression} REMOVE #token",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        attributes: dict[str, Any] = reply.get("Attributes", {})
        return attributes

    def _where(self, account: str, region: str, cluster_id: str) -> str:
        return f"{account}#{region}#{cluster_id}"

    def _event_put(self, attempt: Attempt, case_id: str) -> dict[str, Any]:
        item = {"pk": f"EVENT#{attempt.event_id}", "sk": "EVENT", "case_id": case_id}
        return self._put(item, "attribute_not_exists(pk)")

    def _pointer_writes(self, case: Case) -> list[dict[str, Any]]:
        """An open or kept case holds its cluster; any other lets it go, if it still holds it."""
        where = self._where(case.account, case.region, case.cluster_id)
        own = {"ExpressionAttributeValues": {":case": case.case_id}}
        free_or_own = "attribute_not_exists(pk) OR case_id=:case"
        if not case.is_closed or case.outcome is Outcome.KEPT:
            item = {"pk": OPEN, "sk": where, "case_id": case.case_id}
            put = self._put(item, free_or_own)
            put["Put"] |= own
            return [put]
        table = {"TableName": self._table.name, "Key": {"pk": OPEN, "sk": where}}
        held = self._get(OPEN, where)
        if held is None or held["case_id"] != case.case_id:
            return []
        return [{"Delete": {**table, "ConditionExpression": "case_id=:case", **own}}]

    def _put(self, item: dict[str, Any], condition: str) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table.name,
                "Item": item,
                "ConditionExpression": condition,
            }
        }

    def _update(
        self, case_id: str, expression: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": {"pk": f"CASE#{case_id}", "sk": ITEM},
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _transact(self, writes: list[dict[str, Any]]) -> bool:
        """False where a condition did not hold, or another transaction was on the same items."""
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            codes = {r.get("Code") for r in error.response.get("CancellationReasons", [])}
            if codes - {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                raise
            return False
        return True


def body_of(case: Case) -> dict[str, Any]:
    body: dict[str, Any] = codec.plain(case)
    return {name: value for name, value in body.items() if name not in OWN_FIELDS}


def case_from(item: dict[str, Any]) -> Case:
    """The case of a stored item, whatever version of the code wrote it."""
    case = codec.structure(codec.unpack(item["body"]), Case)
    return replace(
        case,
        version=int(item["version"]),
        generation=int(item["generation"]),
        attempts=tuple(codec.load(text, Attempt) for text in item.get("attempts", ())),
        clicks=tuple(codec.load(text, Click) for text in item.get("clicks", ())),
        key_uses=tuple(codec.load(text, KeyUse) for text in item.get("key_uses", ())),
        log_length=int(item.get("log_length", 0)),
        log_head=item.get("log_head", ""),
    )
