"""A case whose plan has switched off fifty keys, its table counted, and the events of programs that use them."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.stub.answers import MAC, Answers
from bench.tally import CountedTable
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.trust import Anchor
from chalicelib.flows.open_case import open_case
from tests.flows.cloud import HUB, REGION, key, world
from tests.flows.stand import Stand

KEYS, FUNCTIONS, MINUTES = 50, 10, 10
"""As many functions as .chalice/config.json lets on_key_used have at once."""
TURN_SECONDS = 10


class OneMac:
    """The seal of the stub's KMS, on both sides of the table."""

    def make(self, text: str) -> str:  # noqa: ARG002  # a port's names
        return base64.b64encode(base64.b64decode(MAC)).decode()

    def holds(self, text: str, seal: str) -> bool:
        return seal == self.make(text)


class Stored:
    """The bench of the flows over a counted table, and what answers on its wire."""

    def __init__(self) -> None:
        self.table = CountedTable(Counter())
        self.table.name = "unlatch-bench"
        self.answers = Answers(self.table, {})
        self.keys = [one.key_id for one in map(key, range(KEYS))]
        self.bench = Stand(world(*map(key, range(KEYS))), store=DynamoCases(self.table, OneMac()))
        object.__setattr__(self.bench.ports, "for_turn", self._for_turn)

    def _for_turn(self, anchor: Anchor, generation: int) -> TurnCases:
        seal = OneMac()
        return TurnCases(self.table, anchor, generation=generation, inbox_seal=seal, body_seal=seal)


def switched_off(stored: Stored) -> str:
    """The case, once its plan has scheduled the deletion of every key."""
    bench = stored.bench
    bench.for_turn = stored._for_turn  # type: ignore[method-assign]  # noqa: SLF001  # with its own seals
    opened = open_case(bench.ports, bench.failed())
    assert opened, "the hub's own account is served"
    bench.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for who in ("alice", "bob"):
        bench.approve(who, "retire", opened.case_id)
    bench.run(opened.case_id, until=lambda case: len(case.calls) >= KEYS)
    turn = bench.turn(opened.case_id)
    bench.stored.sleep(opened.case_id, version=turn.version, token="token-0")  # noqa: S106  # a task token
    return opened.case_id


@dataclass(frozen=True)
class Caller:
    """A program, by the role that it has."""

    number: int

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{HUB}:assumed-role/program-{self.number}/run"


def failed_use(event_id: str, caller: Caller, key_id: str, at: datetime) -> dict[str, Any]:
    """EventBridge's envelope of one Decrypt that KMS refused."""
    arn = f"arn:aws:kms:{REGION}:{HUB}:key/{key_id}"
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.kms",
        "account": HUB,
        "time": at.isoformat(),
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "userIdentity": {"type": "AssumedRole", "arn": caller.arn, "accountId": HUB},
            "eventTime": at.isoformat(),
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "awsRegion": REGION,
            "userAgent": "aws-sdk-java/2.20",
            "errorCode": "KMSInvalidStateException",
            "requestParameters": {"keyId": arn},
            "resources": [{"accountId": HUB, "type": "AWS::KMS::Key", "ARN": arn}],
            "eventID": event_id,
            "recipientAccountId": HUB,
        },
    }
