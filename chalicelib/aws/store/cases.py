"""Cases in DynamoDB: one item each, its log, and one pointer per open cluster. Every write is conditional."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import Log, log_put
from chalicelib.aws.store.opening import Opening, body_of
from chalicelib.aws.store.uses import Uses
from chalicelib.aws.store.writes import ITEM, OPEN, Write, Writes, asking, place
from chalicelib.domain.case import Act, Attempt, Case, Click, KeyUse
from chalicelib.domain.log import Entry, chained
from chalicelib.domain.snapshot import Snapshot
from chalicelib.ports import Conflict, FailedDelete, GiveUp, Opened, Pointer, Round, Woken

__all__ = ["ITEM", "DynamoCases", "case_from"]

ROUND, LOOK = "ROUND", "LOOK"
MOST_ENTRIES = 90
"""Of one transaction, which takes 100 writes."""
MOST_HEARD = 10_000
"""Events that a function remembers."""
UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(EOFError, RecursionError, lzma.LZMAError),
)


class DynamoCases:
    """The store of cases; `table` is a boto3 DynamoDB Table."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._writes = Writes(table)
        self._log = Log(table)
        self._heard: dict[str, Opened] = {}

    def open_or_fold(self, failed: FailedDelete, *, now: datetime) -> Opened:
        """Opens a case, or folds the attempt into the open one. The same event again changes nothing.

        A function that has just heard an event need not ask the table whether it has.
        """
        event_id = failed.attempt.event_id
        if event_id in self._heard:
            return self._heard[event_id]
        opened = Opening(self._writes, self._table.name).open_or_fold(failed, now=now)
        if len(self._heard) >= MOST_HEARD:
            self._heard.clear()
        self._heard[event_id] = replace(opened, is_new=False, token="")
        return opened

    def load(self, case_id: str) -> Case:
        """KeyError where there is none; GiveUp where this version of the code can't read it."""
        item = self._writes.get(f"CASE#{case_id}", ITEM)
        if item is None:
            raise KeyError(case_id)
        try:
            return case_from(item)
        except UNREADABLE as error:
            raise GiveUp(
                f"Unlatch can’t read {case_id}: another version of Unlatch wrote it.",
                "Deploy the newest version again.",
            ) from error

    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case:
        """Writes body and log entries in one transaction if nobody wrote meanwhile; else Conflict.

        Whatever opens a case or closes it is logged. Without entries an open case goes on holding its
        cluster, and needs no transaction, which DynamoDB bills twice.
        """
        linked = chained(entries, length=case.log_length, head=case.log_head)
        while len(linked) > MOST_ENTRIES:
            case = self._append(case, linked[:MOST_ENTRIES])
            linked = linked[MOST_ENTRIES:]
        before = case.log_length
        if linked:
            case = replace(case, log_length=linked[-1].number, log_head=linked[-1].hash)
        update = _saving(case, before=before)
        if linked or case.is_closed:
            log_writes = (log_put(self._table.name, case.case_id, item) for item in linked)
            whole = [self._writes.update_of(case.case_id, **update), *log_writes]
            done = self._writes.transact([*whole, *self._writes.pointer_writes(case)])
        else:
            done = self._writes.update(case.case_id, **update, ReturnValues="NONE") is not None
        if not done:
            raise Conflict(case.case_id)
        return replace(case, version=case.version + 1)

    def _append(self, case: Case, linked: Sequence[Entry]) -> Case:
        """Log entries without the body, if nobody wrote the case meanwhile."""
        last = linked[-1]
        update = self._writes.update_of(
            case.case_id,
            UpdateExpression="SET log_length=:length, log_head=:head",
            ConditionExpression="version=:version AND log_length=:before",
            ExpressionAttributeValues={
                ":length": last.number,
                ":head": last.hash,
                ":version": case.version,
                ":before": case.log_length,
            },
        )
        log_writes = (log_put(self._table.name, case.case_id, item) for item in linked)
        if not self._writes.transact([update, *log_writes]):
            raise Conflict(case.case_id)
        return replace(case, log_length=last.number, log_head=last.hash)

    def record_click(self, case: Case, click: Click, *, reopen: bool) -> Woken:
        """Adds the click and bumps the version; the parked run's token is for waking it.

        Conflict where the case was written since it was judged; only a look may come late.
        The token stays: a wake that was lost can be sent again, and a used one does nothing.
        """
        expression = "SET clicks=list_append(if_not_exists(clicks, :none), :click) ADD version :one"
        is_late_fine = click.act is Act.LOOK and not reopen
        condition, fence = ("generation=:fence", case.generation)
        if not is_late_fine:
            condition, fence = ("version=:fence", case.version)
        update = {
            "UpdateExpression": f"{expression}, generation :one" if reopen else expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":click": [codec.dump(click)],
                ":none": [],
                ":one": 1,
                ":fence": fence,
            },
        }
        if reopen:
            return self._reopen(case, update)
        old = self._writes.update(case.case_id, **update)
        if old is None:
            raise Conflict(case.case_id)
        return Woken(str(old.get("token", "")), case.generation)

    def _reopen(self, case: Case, update: Write) -> Woken:
        """A closed case takes its cluster back with the click; GiveUp where another case has it."""
        update = self._writes.update_of(case.case_id, **update)
        if self._writes.transact([update, self._writes.hold(case)]):
            return Woken("", case.generation + 1)
        held = self._writes.get(OPEN, place(case.account, case.region, case.cluster_id))
        if held and held["case_id"] != case.case_id:
            raise GiveUp(
                f"Another case is open for {case.cluster_id} by now: {held['case_id']}.",
                "Decide there. Your click changed nothing.",
            )
        raise Conflict(case.case_id)

    def record_use(self, case_id: str, use: KeyUse) -> str:
        return Uses(self._writes).record(case_id, use)

    def touch(self, case_id: str) -> str:
        """Makes a turn under way be followed by another; returns the token of the parked run."""
        old = self._writes.update(
            case_id,
            UpdateExpression="ADD version :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":one": 1},
        )
        return str((old or {}).get("token", ""))

    def park(self, case_id: str, *, version: int, token: str) -> bool:
        """Stores the task token if the case still is as the turn left it, and nobody writes it now."""
        try:
            old = self._writes.update(
                case_id,
                UpdateExpression="SET #token=:token",
                ConditionExpression="version=:version",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={":token": token, ":version": version},
            )
        except Conflict:
            return False
        return old is not None

    def next_generation(self, case: Case) -> int:
        """Moves the generation on, once, before a new run of the case is started."""
        old = self._writes.update(
            case.case_id,
            UpdateExpression="ADD generation :one, version :one",
            ConditionExpression="generation=:same",
            ExpressionAttributeValues={":one": 1, ":same": case.generation},
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
        item = self._writes.get("BRAKE", "BRAKE")
        return str(item["why"]) if item else ""

    def keep_look(self, case_id: str, seen: Snapshot) -> None:
        look = {"pk": f"CASE#{case_id}", "sk": LOOK, "look": codec.pack(codec.plain(seen))}
        with asking("PutItem"):
            self._table.put_item(Item=look)

    def last_look(self, case_id: str) -> Snapshot | None:
        """None also where another version of the code kept it."""
        item = self._writes.get(f"CASE#{case_id}", LOOK)
        try:
            return codec.structure(codec.unpack(item["look"]), Snapshot) if item else None
        except UNREADABLE:
            return None

    def looked_until(self, account: str, region: str) -> datetime | None:
        item = self._writes.get("SWEEP", f"{account}#{region}")
        return datetime.fromisoformat(item["until"]) if item else None

    def set_looked(self, account: str, region: str, until: datetime) -> None:
        where = {"pk": "SWEEP", "sk": f"{account}#{region}"}
        with asking("PutItem"):
            self._table.put_item(Item={**where, "until": until.isoformat()})

    def watch_round(self) -> Round:
        item = self._writes.get("SWEEP", ROUND)
        return codec.load(item["round"], Round) if item else Round()

    def set_watch_round(self, now: Round) -> None:
        with asking("PutItem"):
            self._table.put_item(Item={"pk": "SWEEP", "sk": ROUND, "round": codec.dump(now)})

    def entries(self, case_id: str) -> Sequence[Entry]:
        return self._log.entries(case_id)


def _saving(case: Case, *, before: int) -> Write:
    """The update that keeps the case as it is now; `before` is the length of its stored log."""
    return {
        "UpdateExpression": (
            "SET body=:body, phase=:phase, log_length=:length, log_head=:head ADD version :one"
        ),
        # A save of many entries that died half way has moved the log on without a new version.
        "ConditionExpression": (
            "version=:version AND generation=:generation AND log_length=:before"
        ),
        "ExpressionAttributeValues": {
            ":body": codec.pack(body_of(case)),
            ":phase": str(case.phase),
            ":length": case.log_length,
            ":before": before,
            ":head": case.log_head,
            ":one": 1,
            ":version": case.version,
            ":generation": case.generation,
        },
    }


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
