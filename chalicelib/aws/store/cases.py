"""Cases in DynamoDB, for all but their turns: opens them, adds to their inboxes, shows them. Writes no body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from chalicelib.aws.store import codec, legacy
from chalicelib.aws.store.assembly import Judge, anybody, assembled, begun
from chalicelib.aws.store.body import BODY, Body, body_from, case_of
from chalicelib.aws.store.inbox import (
    CLICKS,
    INBOX,
    USES,
    Inbox,
    has_room,
    inbox_from,
    parsed,
    sealed_entry,
    sealed_text,
    split,
)
from chalicelib.aws.store.memory import SweepMemory
from chalicelib.aws.store.opening import Opening
from chalicelib.aws.store.writes import OPEN, Write, place
from chalicelib.domain.rules.key_uses import is_worth_keeping
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.click import Act, Click
from chalicelib.failures import ConflictError, PermanentError
from chalicelib.ports import CaseTrigger, Opened, Seal, Woken

MOST_HEARD = 10_000
"""Events that a function remembers."""


class NoCaseError(KeyError):
    """There is no case of this id."""


@dataclass(frozen=True)
class Stored:
    """The items of a case. `old` is the one of the version before bodies were sealed."""

    inbox: Inbox
    body: Body | None = None
    old: dict[str, Any] | None = None

    @cached_property
    def base(self) -> Case:
        """The case without its inbox, whoever wrote it."""
        if self.body is not None:
            return case_of(self.body)
        return legacy.case_from(self.old) if self.old is not None else begun(self.inbox)


@contextmanager
def readable(case_id: str) -> Iterator[None]:
    """PermanentError if this version of the code can't read what is stored."""
    try:
        yield
    except NoCaseError:
        raise
    except codec.UNREADABLE as error:
        raise PermanentError(
            f"Unlatch can’t read {case_id}: another version of Unlatch wrote it.",
            "Deploy the newest version again.",
        ) from error


class DynamoCases(SweepMemory):
    """The store of cases. `seal` makes the seals of inbox entries; None: only to look."""

    def __init__(self, table: Any, seal: Seal | None = None) -> None:
        super().__init__(table)
        self._seal = seal
        self._heard: dict[str, Opened] = {}

    def open_or_fold(self, trigger: CaseTrigger, *, now: datetime) -> Opened:
        """Opens a case, or folds the attempt into the open one. The same event again changes nothing.

        A function that has just heard an event need not ask the table whether it has. It wakes the run once
        more, as the first wake may have failed; a token that is used up wakes nobody.
        """
        event_id = trigger.attempt.event_id
        if event_id in self._heard:
            return self._heard[event_id]
        opened = Opening(self.writes, self._entry, self._inbox).open_or_fold(trigger, now=now)
        if len(self._heard) >= MOST_HEARD:
            self._heard.clear()
        self._heard[event_id] = replace(opened, is_new=False)
        return opened

    def load(self, case_id: str) -> Case:
        """As it stands, whoever wrote it: fit to be shown and to be clicked on.

        KeyError if there is none; PermanentError if this version of the code can't read it.
        """
        with readable(case_id):
            stored = self.stored(case_id)
            return assembled(stored.base, stored.inbox, is_ours=self._judge(case_id))

    def _judge(self, case_id: str) -> Judge:
        """Who may make seals makes them again: a forged click stands in nobody's way."""
        seal = self._seal
        if seal is None:
            return anybody

        def is_ours(kind: str, entry: str) -> bool:
            given, text = split(entry)
            return seal.make(sealed_text(case_id, kind, text)) == given

        return is_ours

    def stored(self, case_id: str) -> Stored:
        """All items of the case in one request; KeyError if there is none."""
        items = self._items(case_id)
        old = items.get(legacy.OLD)
        if INBOX not in items and old is not None:
            self.writes.transact(
                [self.writes.put(legacy.inbox_of(old), "attribute_not_exists(pk)")]
            )
            items = self._items(case_id)
        if INBOX not in items:
            raise NoCaseError(case_id)
        body = items.get(BODY)
        return Stored(inbox_from(items[INBOX]), body_from(body) if body else None, old)

    def _inbox(self, case_id: str) -> Inbox | None:
        try:
            return self.stored(case_id).inbox
        except NoCaseError:
            return None

    def _items(self, case_id: str) -> dict[str, dict[str, Any]]:
        found = self._log.query(f"CASE#{case_id}", between=(BODY, INBOX))
        return {item["sk"]: item for item in found}

    def seal_ahead(self, case: Case, click: Click) -> None:
        """Makes the seal of this click now: whoever records it then need not wait for it."""
        self._entry(case.case_id, CLICKS, _judged_on(case, click))

    def record_click(self, case: Case, click: Click, *, reopen: bool) -> Woken:
        """Adds the click and moves the sequence on; the sleeping run's token is for waking it.

        ConflictError if the case was written since it was judged; only a look may come late.
        The token stays: a wake that was lost can be sent again, and a used one does nothing.
        """
        is_late_fine = click.act is Act.LOOK and not reopen
        fence, value = (
            ("generation", case.generation) if is_late_fine else ("version", case.version)
        )
        entry = self._entry(case.case_id, CLICKS, _judged_on(case, click))
        update = _adding(CLICKS, entry, f"{fence}=:fence", fence=value)
        if reopen:
            update["UpdateExpression"] += ", generation :one"
            return self._reopen(case, update)
        old = self.writes.update(case.case_id, **update)
        if old is None:
            raise ConflictError(case.case_id)
        return Woken(str(old.get("token", "")), case.generation)

    def _entry(self, case_id: str, kind: str, value: Any) -> str:
        assert self._seal is not None, "only a function that may make seals adds to an inbox"
        return sealed_entry(self._seal, case_id, kind, value)

    def _reopen(self, case: Case, update: Write) -> Woken:
        """A closed case takes its cluster back with the click; PermanentError if another case has it."""
        update = self.writes.update_of(case.case_id, **update)
        if self.writes.transact([update, self.writes.hold(case)]):
            return Woken("", case.generation + 1)
        held = self.writes.get(OPEN, place(case.account, case.region, case.cluster_id))
        if held and held["case_id"] != case.case_id:
            raise PermanentError(
                f"Another case is open for {case.cluster_id} by now: {held['case_id']}.",
                "Decide there. Your click changed nothing.",
            )
        raise ConflictError(case.case_id)

    def record_use(self, case_id: str, use: KeyUse) -> str:
        """Adds a use once per event and key; returns the token of the sleeping run.

        Of very many only those by further callers or of further keys are kept. The token comes also
        if the use was recorded before: whoever did may have died before the wake.
        """
        try:
            with readable(case_id):
                stored = self.stored(case_id)
                waits = stored.inbox.waiting[USES]
                waiting = (parsed(entry, KeyUse) for entry in waits)
                known = [*stored.base.key_uses, *(one for one in waiting if one)]
        except NoCaseError:
            return ""
        if has_room(waits) and is_worth_keeping(use, known, waiting=len(waits)):
            entry = self._entry(case_id, USES, use)
            self.writes.update(case_id, **_adding(USES, entry, "attribute_exists(pk)"))
        return stored.inbox.token

    def touch(self, case_id: str) -> str:
        """Makes a turn under way be followed by another; returns the token of the sleeping run."""
        old = self.writes.update(
            case_id,
            UpdateExpression="ADD version :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":one": 1},
        )
        return str((old or {}).get("token", ""))

    def sleep(self, case_id: str, *, version: int, token: str) -> bool:
        """Stores the task token if the case still is as the turn left it, and nobody writes it now."""
        try:
            old = self.writes.update(
                case_id,
                UpdateExpression="SET #token=:token",
                ConditionExpression="version=:version",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={":token": token, ":version": version},
            )
        except ConflictError:
            return False
        return old is not None

    def next_generation(self, case: Case) -> int:
        """Moves the generation on, once, before a new run of the case is started."""
        old = self.writes.update(
            case.case_id,
            UpdateExpression="ADD generation :one, version :one",
            ConditionExpression="generation=:same",
            ExpressionAttributeValues={":one": 1, ":same": case.generation},
        )
        if old is None:
            raise ConflictError(case.case_id)
        return case.generation + 1

    def everything(self) -> Iterator[Case]:
        """All cases there ever were, in no order. Reads the whole table."""
        start: dict[str, Any] = {}
        while True:
            page = self._table.scan(
                FilterExpression="sk IN (:inbox, :old)",
                ProjectionExpression="pk, sk",
                ExpressionAttributeValues={":inbox": INBOX, ":old": legacy.OLD},
                ConsistentRead=True,
                **start,
            )
            for pk in dict.fromkeys(item["pk"] for item in page["Items"]):
                with suppress(NoCaseError):  # its record has just gone
                    yield self.load(pk.partition("#")[2])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def entries(self, case_id: str) -> Sequence[Entry]:
        return self._log.entries(case_id)


def _judged_on(case: Case, click: Click) -> Click:
    return replace(click, round=case.round, version=case.version)


def _adding(kind: str, entry: str, condition: str, **values: int) -> Write:
    """The update that adds this entry."""
    return {
        "UpdateExpression": f"SET {kind}=list_append({kind}, :entry) ADD version :one",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": {
            ":entry": [entry],
            ":one": 1,
            **{f":{name}": value for name, value in values.items()},
        },
    }
