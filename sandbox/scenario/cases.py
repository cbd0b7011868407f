"""Reads the bot's memory through the bot's own store. Writes nothing to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.state.audit_log import Entry, flaws
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from sandbox.scenario.model import moment
from sandbox.scenario.tamper import Tamper
from sandbox.stack import Sandbox

TABLE = "unlatch-dev"


class StoredCases:
    """The cases of a sandbox; `hub` and `region` are where its bot lives."""

    def __init__(self, sandbox: Sandbox, *, hub: str, region: str) -> None:
        session = sandbox.aws.identity.register(hub, f"arn:aws:iam::{hub}:user/onlooker")
        self._table = boto3.resource(
            "dynamodb",
            region_name=region,
            endpoint_url=sandbox.aws_url,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=Config(proxies={}),
        ).Table(TABLE)
        self._store = DynamoCases(self._table)
        self.hand = Tamper(self._table)
        self.tamper = self.hand.act
        self._seen: dict[str, int] = {}

    def cases(self) -> list[dict[str, Any]]:
        """Oldest first: the fields of a report's cases[], and message_ts (None until posted)."""
        return [_told(case, tampered=self._is_refused(case)) for case in self._all()]

    def log(self) -> list[dict[str, Any]]:
        """The audit log of every case, in order."""
        return [
            _told_entry(case, entry)
            for case in self._all()
            for entry in self._store.entries(case.case_id)
        ]

    def log_verified(self) -> bool:
        """No entry of any case's log was changed, lost or put in between."""
        return not any(
            flaws(self._store.entries(case.case_id), head=case.log_head) for case in self._all()
        )

    def _is_refused(self, case: Case) -> bool:
        """Whether the newest turn refused the body, which leaves its mark in the inbox."""
        inbox = self._store.writes.get(f"CASE#{case.case_id}", INBOX) or {}
        return bool(inbox.get("refused"))

    def _all(self) -> list[Case]:
        """Closed ones too, oldest first."""
        found = {case.case_id: case for case in self._store.everything()}
        return self._in_order(list(found.values()))

    def _in_order(self, cases: list[Case]) -> list[Case]:
        """As they were first seen: functions of one instant don't agree on its milliseconds."""
        for case in sorted(cases, key=lambda case: case.opened_at):
            self._seen.setdefault(case.case_id, len(self._seen))
        return sorted(cases, key=lambda case: self._seen[case.case_id])


def _told(case: Case, *, tampered: bool) -> dict[str, Any]:
    plan = case.current_plan
    approvals = [click for click in case.clicks if click.act in (Act.APPROVE, Act.KEEP)]
    kept = approvals[-1].plan_hash if case.keep else None
    return {
        "id": case.case_id,
        "account": case.account,
        "region": case.region,
        "cluster_id": case.cluster_id,
        "phase": str(case.phase),
        "outcome": str(case.outcome) if case.outcome and not tampered else None,
        "reason": case.reason,
        "remedy": "keep" if case.keep else str(plan.remedy) if plan else None,
        "attempts": len(case.attempts),
        "plan_hash": kept or (plan.plan_hash if plan else None),
        "approvals": [
            {"by": click.by, "at": moment(click.at), "plan_hash": click.plan_hash}
            for click in approvals
        ],
        "trigger": str(case.trigger),
        "round": case.round,
        "tampered": tampered,
        "message_ts": case.message.ts or None,
    }


def _told_entry(case: Case, entry: Entry) -> dict[str, Any]:
    told = asdict(entry)
    return {
        **told,
        "case": case.case_id,
        "kind": str(entry.kind),
        "at": entry.at.isoformat(),
        "data": dict(entry.data),
    }
