"""The store as one turn has it: it alone writes bodies, sealed, and believes only what its run remembers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.assembly import assembled, begun
from chalicelib.aws.store.body import Body, heard, mark_of, text_of
from chalicelib.aws.store.cases import DynamoCases, Stored, readable
from chalicelib.aws.store.expiry import expire
from chalicelib.aws.store.inbox import (
    CLICKS,
    INBOX,
    KINDS,
    TRIGGERS,
    USES,
    Inbox,
    inbox_from,
    parsed,
    sealed_text,
    split,
)
from chalicelib.aws.store.log import log_put
from chalicelib.aws.store.writes import Write
from chalicelib.domain.rules.trust import UNSEALED, Anchor, Verdict, verdict
from chalicelib.domain.state.audit_log import Entry, chained
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import ConflictError, PermanentError, SupersededError, UnbelievedError
from chalicelib.ports import UNFENCED, CaseTrigger, Held, Seal

LOOK = "LOOK"
MOST_ENTRIES = 90
"""Of one transaction, which takes 100 writes."""


class TurnCases(DynamoCases):
    """One case, for one try of one turn. `inbox_seal` only checks; `body_seal` makes and checks."""

    def __init__(
        self,
        table: Any,
        anchor: Anchor,
        *,
        generation: int,
        inbox_seal: Seal,
        body_seal: Seal,
    ) -> None:
        super().__init__(table)
        self._anchor, self._generation = anchor, generation
        self._inbox_seal, self._body_seal = inbox_seal, body_seal
        self._checked: dict[tuple[str, str], bool] = {}
        self._stored: Stored | None = None
        self._last: Case | None = None
        self.digest = anchor.digest
        self.unsealed: tuple[str, ...] = ()
        self.has_saved = False

    @property
    def is_old(self) -> bool:
        """Its run is of the version before bodies were sealed, and remembers nothing."""
        return self._anchor.digest == UNSEALED

    def load(self, case_id: str) -> Case:
        """The case as this turn, or the one before it, left it, and the inbox entries whose seals hold."""
        with readable(case_id):
            stored = self._found(case_id)
            self._believe(stored)

            def is_ours(kind: str, entry: str) -> bool:
                return self._is_ours(case_id, kind, entry)

            if stored.body is None and stored.old is None:
                _must(is_ours(TRIGGERS, stored.inbox.first), case_id)
            base = stored.base
            _must(base.case_id == case_id and base.is_its_own, case_id)
            case = assembled(base, stored.inbox, is_ours=is_ours)
        if case.on_hold_since:
            # What Slack shows says so: it is made anew.
            case = replace(case, message=replace(case.message, shown=""), on_hold_since="")
        self._stored, self._last = stored, case
        self.unsealed = tuple(
            _claimed(kind, entry)
            for kind in KINDS
            for entry in stored.inbox.waiting[kind]
            if not is_ours(kind, entry)
        )
        return case

    def _found(self, case_id: str) -> Stored:
        """Raises UnbelievedError if there is no inbox, or none that any version wrote: a turn has seen it there."""
        try:
            return self.stored(case_id)
        except codec.UNREADABLE as error:
            raise UnbelievedError(case_id) from error

    def _believe(self, stored: Stored) -> None:
        """Raises unless the body is the run's, or was saved by this very turn before it died."""
        case_id, body = stored.inbox.case_id, stored.body
        if stored.inbox.generation != self._generation:
            raise SupersededError(case_id, stored.inbox.generation)
        if self.is_old and body is None:
            _must(stored.old is not None, case_id)
            return
        mark = mark_of(body)
        if mark.digest == self.digest:
            return
        match verdict(mark, self._anchor):
            case Verdict.SUPERSEDED:
                raise SupersededError(case_id, self._generation)
            case Verdict.REFUSED:
                raise UnbelievedError(case_id)
        _must(body is not None and self._body_seal.holds(body.sealed_text, body.seal), case_id)
        self.digest = mark.digest

    def _is_ours(self, case_id: str, kind: str, entry: str) -> bool:
        """Each entry is asked of KMS once."""
        if (kind, entry) not in self._checked:
            seal, text = split(entry)
            said = sealed_text(case_id, kind, text)
            self._checked[kind, entry] = self._inbox_seal.holds(said, seal)
        return self._checked[kind, entry]

    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case:
        """Writes body, inbox and log entries in one transaction if nobody wrote meanwhile; else ConflictError.

        SupersededError if a later try of this turn has saved.
        """
        stored, last = self._loaded(case)
        linked = chained(entries, length=case.log_length, head=case.log_head)
        while len(linked) > MOST_ENTRIES:
            now, linked = linked[:MOST_ENTRIES], linked[MOST_ENTRIES:]
            last = self._write(_logged(last, now), now, stored)
            case = replace(case, version=last.version)
            stored, last = self._loaded(case)
        return self._write(_logged(case, linked), linked, stored)

    def _loaded(self, case: Case) -> tuple[Stored, Case]:
        if self._stored is None or self._last is None:
            self.load(case.case_id)
        assert self._stored is not None, "just loaded"
        assert self._last is not None, "just loaded"
        return self._stored, self._last

    def _write(self, case: Case, linked: Sequence[Entry], stored: Stored) -> Case:
        base = heard(case, base=stored.base)
        body, inbox = self._sealed(base), self._left(stored.inbox, case)
        writes = [
            self.writes.put(
                body.item(case.case_id),
                "attribute_not_exists(pk) OR since<>:since OR attempt<=:attempt",
                since=body.since,
                attempt=body.attempt,
            ),
            self.writes.update_of(case.case_id, **_moving_on(case, inbox)),
            *(log_put(self.writes.table, case.case_id, item) for item in linked),
            *self._pointer(case, linked, stored),
        ]
        if stored.old is not None:
            writes.append(self.writes.delete(stored.old))
        if not self.writes.transact(writes):
            raise ConflictError(case.case_id)
        saved = replace(case, version=case.version + 1)
        self.digest, self.has_saved = body.digest, True
        self._stored, self._last = Stored(replace(inbox, version=saved.version), body), saved
        self._stored.__dict__["base"] = base  # known: reading it again would take a while
        return saved

    def _pointer(self, case: Case, linked: Sequence[Entry], stored: Stored) -> list[Write]:
        """Whatever opens a case or closes it is logged: else it goes on holding its cluster."""
        is_news = bool(linked) or case.is_closed or stored.old is not None
        return self.writes.pointer_writes(case) if is_news else []

    def _sealed(self, base: Case) -> Body:
        given = self._anchor
        body = Body(text_of(base), self._generation, given.digest, given.attempt)
        return replace(body, seal=self._body_seal.make(body.sealed_text))

    def _left(self, inbox: Inbox, case: Case) -> Inbox:
        """What of the inbox no turn has heard yet; what is not ours goes."""
        unheard: dict[str, set[Any]] = {
            TRIGGERS: {attempt.event_id for attempt in case.attempts[case.attempts_seen :]},
            CLICKS: set(case.clicks[case.clicks_seen :]),
            USES: set(case.key_uses[case.uses_seen :]),
        }

        def waits(kind: str, entry: str) -> bool:
            value = parsed(entry, KINDS[kind])
            told = value.attempt.event_id if isinstance(value, CaseTrigger) else value
            return told in unheard[kind] and self._is_ours(case.case_id, kind, entry)

        waiting = {
            kind: tuple(e for e in dict.fromkeys(inbox.waiting[kind]) if waits(kind, e))
            for kind in KINDS
        }
        return replace(inbox, waiting=waiting, refused="")

    def expire(self, case: Case, at: datetime) -> None:
        expire(self.writes, self._log, case, at)

    def keep_look(self, case_id: str, seen: Snapshot) -> None:
        text = codec.text(codec.plain(seen))
        seal = self._body_seal.make(_look_text(case_id, text))
        look = {"pk": f"CASE#{case_id}", "sk": LOOK, "look": codec.packed(text), "seal": seal}
        self.writes.put_item(look)

    def last_look(self, case_id: str) -> Snapshot | None:
        """None also if another version of the code kept it, or its seal does not hold."""
        item = self.writes.get(f"CASE#{case_id}", LOOK)
        if item is None:
            return None
        try:
            text = codec.text_of(item["look"])
            if not self._body_seal.holds(_look_text(case_id, text), str(item["seal"])):
                return None
            return codec.structure(codec.body_of(text), Snapshot)
        except codec.UNREADABLE:
            return None

    def refuse(self, case_id: str, *, now: datetime) -> Held:
        """Leaves the mark of a refused body in the inbox, which stays until a body is believed.

        An inbox that can't take it is waited for too. SupersededError if another run is to go on.
        """
        try:
            inbox = inbox_from(self.writes.get(f"CASE#{case_id}", INBOX) or {})
            if inbox.generation != self._generation:
                raise SupersededError(case_id, inbox.generation)
            old = self.writes.update(
                case_id,
                UpdateExpression="SET refused=if_not_exists(refused, :now) ADD version :one",
                ConditionExpression="generation=:generation",
                ExpressionAttributeValues={
                    ":now": now.isoformat(),
                    ":one": 1,
                    ":generation": inbox.generation,
                },
            )
            inbox = inbox_from(old or {})
            since = datetime.fromisoformat(inbox.refused) if inbox.refused else now
        except (PermanentError, *codec.UNREADABLE):
            return Held(UNFENCED, now, None)
        is_ours = self._is_ours(case_id, TRIGGERS, inbox.first)
        return Held(inbox.version + 1, since, begun(inbox) if is_ours else None)


def _claimed(kind: str, entry: str) -> str:
    """Whose entry it claims to be."""
    value = parsed(entry, KINDS[kind])
    return value.by if isinstance(value, Click) else kind


def _must(holds: bool, case_id: str) -> None:
    if not holds:
        raise UnbelievedError(case_id)


def _look_text(case_id: str, text: str) -> str:
    return json.dumps(["look", case_id, text])


def _logged(case: Case, linked: Sequence[Entry]) -> Case:
    if not linked:
        return case
    return replace(case, log_length=linked[-1].number, log_head=linked[-1].hash)


def _moving_on(case: Case, inbox: Inbox) -> Write:
    """The update of the inbox: what is left in it, if nobody wrote to it meanwhile."""
    names = ", ".join(f"{kind}=:{kind}" for kind in KINDS)
    return {
        "UpdateExpression": f"SET {names} ADD version :one REMOVE refused",
        "ConditionExpression": "version=:version AND generation=:generation",
        "ExpressionAttributeValues": {
            **{f":{kind}": list(inbox.waiting[kind]) for kind in KINDS},
            ":one": 1,
            ":version": case.version,
            ":generation": case.generation,
        },
    }
