"""Worlds, cases and names as hostile as the types allow; the same number gives the same world."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.caller import Caller, Tool
from chalicelib.domain.state.case import (
    Attempt,
    Before,
    CallRecord,
    CallStatus,
    Case,
    Difference,
    Keep,
    KeyBefore,
    KeyUse,
    Outcome,
    Phase,
)
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import (
    Backup,
    Cluster,
    Hsm,
    Key,
    KeyState,
    KeyStore,
    LastUse,
    OtherUse,
    Sessions,
    Snapshot,
    StoreState,
)
from tests.domain.worlds import NOW, POLICY, TEAM, situation

EVIL = (
    "<!channel>",
    "<https://evil.example|click>",
    "*bold*_it_~no~`code`",
    "@here :tada:",
    "a\u202egpj.exe",
    "مفاتيح الدفع",
    "x" * 256,
    "",
    " ",
    "\ud800",
    "\n\n",
    "漢" * 120,
    "👩‍👩‍👧" * 60,
)
PEOPLE = ("alice", "bob", "carol.d-e_f", "U0ALICE", "", "<!channel>", "x" * 300)
BIG = POLICY.__class__(
    approvers=tuple(f"person-{n}" for n in range(40)), team_ids=(TEAM,), quarantine_days=7
)


class World:
    """A random, hostile but typed world; the same number gives the same world."""

    def __init__(self, number: int, keys: int, hsms: int) -> None:
        self.any = random.Random(number)  # repeatable, not secret
        self.keys, self.hsms = keys, hsms

    def word(self) -> str:
        return self.any.choice(EVIL) + self.any.choice(EVIL)

    def long(self) -> str:
        return self.any.choice(["", self.word(), self.word() * 30, "r" * 3_000])

    def who(self) -> str:
        return self.any.choice(PEOPLE)

    def when(self) -> Any:
        return NOW + timedelta(minutes=self.any.randint(-60 * 24 * 400, 60 * 24 * 60))

    def maybe(self, value: Any) -> Any:
        return self.any.choice([None, value])

    def key(self, number: int) -> Key:
        names = self.any.choice([(), (self.word(),), (self.word(), self.word())])
        use = LastUse(self.maybe(self.when()), self.word(), self.maybe(self.when()))
        return Key(
            f"{number:08}-key",
            self.any.choice(list(KeyState)),
            self.maybe(self.when()),
            names,
            self.maybe(self.when()),
            self.maybe(self.any.randint(0, 50_000)),
            use,
            self.any.choice(["", "", "", self.word()]),
        )

    def cluster(self, cluster_id: str) -> Cluster:
        hsms = (
            Hsm(f"hsm-{n}", self.any.choice([*HsmState]), f"us-east-1{'abcdef'[n % 6]}")
            for n in range(self.hsms)
        )
        backups = (
            Backup(f"backup-{n}", self.any.choice([*BackupState]), self.when())
            for n in range(self.any.randint(0, 3))
        )
        tags = tuple((self.word(), self.word()) for _ in range(self.any.randint(0, 50)))
        subnets = tuple((f"us-east-1{n}", self.word()) for n in range(self.any.randint(0, 20)))
        kind = self.any.choice(["", "hsm2m.medium", self.word()])
        return Cluster(
            cluster_id,
            self.any.choice([*ClusterState]),
            tuple(hsms),
            certificate="lineage",
            tags=tags,
            hsm_type=kind,
            mode=kind,
            subnets=subnets,
            backups=tuple(backups),
        )

    def sessions(self) -> Sessions:
        numbers = (self.any.randint(0, 99) for _ in range(3))
        return Sessions(self.word(), *numbers)

    def snapshot(self) -> Snapshot:
        cluster_id = "cluster-2a3b4c5d6e7f8g9h"
        held = KeyStore(
            "cks-1", self.word(), cluster_id, self.any.choice(list(StoreState)), self.word()
        )
        return Snapshot(
            self.when(),
            "111122223333",
            "us-east-1",
            cluster_id,
            self.maybe(self.cluster(cluster_id)),
            self.any.choice([(), (held,), (held,)]),
            tuple(self.key(n) for n in range(self.keys)),
            tuple(self.cluster(f"cluster-{n}") for n in range(self.any.randint(0, 12))),
            OtherUse(
                tuple(self.sessions() for _ in range(self.any.randint(0, 3))),
                self.maybe((self.word(),) * 3),
            ),
            tuple(self.long() for _ in range(self.any.randint(0, 9))),
            self.any.randint(0, 100_000),
        )

    def clicks(self, case: Case) -> tuple[Click, ...]:
        hashes = [plan.plan_hash for plan in case.offers] or ["none"]
        return tuple(
            Click(
                self.any.choice(list(Act)),
                self.who(),
                NOW - timedelta(minutes=self.any.randint(0, 2_000)),
                self.any.choice(list(Remedy)),
                self.any.choice(hashes),
                self.long(),
                override=self.any.choice([True, False]),
            )
            for _ in range(self.any.randint(0, 60))
        )

    def calls(self, case: Case) -> tuple[CallRecord, ...]:
        plan = case.current_plan
        found = [
            CallRecord(
                call.operation, target, self.when(), self.any.choice(list(CallStatus)),
                plan.plan_hash, self.word(), self.long(),
            )
            for call in plan.calls
            for target in call.targets
            if self.any.random() < 0.5
        ] if plan else []  # fmt: skip
        return tuple(found)

    def before(self, snapshot: Snapshot) -> Before:
        keys = tuple(
            KeyBefore(k.key_id, k.state) for k in snapshot.keys[: self.any.randint(0, 400)]
        )
        gone = tuple(
            KeyBefore(f"gone-{n}", KeyState.ENABLED) for n in range(self.any.randint(0, 3))
        )
        zones = ("us-east-1a",) * self.any.randint(0, 28)
        state = self.maybe(self.any.choice(list(StoreState)))
        return Before(self.when(), state, (*keys, *gone), zones, snapshot.cluster_id)

    def case(self, policy: Policy) -> Case:
        it = self.any
        snapshot = self.snapshot()
        caller = Caller(
            "arn", self.word(), it.choice(["AssumedRole", "SlackUser"]), tool=it.choice(list(Tool))
        )
        tries = tuple(
            Attempt(f"e{n}", self.when(), self.word(), caller) for n in range(it.randint(0, 60))
        )
        case = Case("case-1", "111122223333", "us-east-1", snapshot.cluster_id, NOW, attempts=tries)
        offers = all_plans(situation(snapshot, case=case, policy=policy))
        case = replace(case, offers=offers, clicks=())
        plan = self.maybe(it.choice(offers)) if offers else None
        case = replace(case, plan=self.maybe(plan), last_plan=plan, clicks=self.clicks(case))
        return replace(
            case,
            snapshot=self.maybe(snapshot) if it.random() < 0.2 else snapshot,
            phase=it.choice(list(Phase)),
            outcome=self.maybe(it.choice(list(Outcome))),
            reason=self.long(),
            advice=tuple(self.long() for _ in range(it.randint(0, 20))),
            closed_at=self.maybe(self.when()),
            expires_at=self.maybe(self.when()),
            approved=case.clicks[:4],
            calls=self.calls(case),
            before=self.maybe(self.before(snapshot)),
            ending=self.maybe(case.clicks[0]) if case.clicks else None,
            differences=tuple(Difference(self.long(), self.long(), self.long()) for _ in range(it.choice([0, 1, 2, 400]))),
            keep=self.maybe(Keep(self.who(), self.who(), self.when(), self.long())),
            key_uses=tuple(KeyUse(f"u{n}", self.when(), f"{n:08}-key", self.word(), self.word()) for n in range(it.choice([0, 0, 1, 300]))),
            soaking_since=self.maybe(self.when()),
            waiting_for=self.long(),
            reset_at_click=it.randint(0, 3),
            log_head="a" * 64,
        )  # fmt: skip


def hostile(case: Case, evil: str) -> Case:
    """The same moment, with every foreign word replaced and every list long."""
    snapshot = case.snapshot
    if snapshot:
        snapshot = replace(
            snapshot,
            keys=tuple(replace(k, aliases=(f"alias/{evil}",)) for k in snapshot.keys),
            key_stores=tuple(replace(s, name=evil) for s in snapshot.key_stores),
            cluster=snapshot.cluster and replace(snapshot.cluster, tags=((evil, evil),) * 50),
            unread=(evil,) * 9 if snapshot.unread else (),
        )
    uses = tuple(
        replace(use, who=f"{evil}{n}", operation=evil) for use in case.key_uses for n in range(99)
    )
    return replace(
        case,
        snapshot=snapshot,
        attempts=tuple(replace(a, caller=replace(a.caller, name=evil)) for a in case.attempts),
        clicks=tuple(replace(c, reason=evil * 20) for c in case.clicks),
        differences=tuple(Difference(evil, evil, evil) for _ in case.differences) * 99,
        key_uses=uses,
        reason=case.reason and evil,
        advice=tuple(evil * 9 for _ in case.advice) * 9,
        waiting_for=case.waiting_for and evil * 9,
        keep=case.keep and replace(case.keep, reason=evil),
        calls=tuple(replace(c, error=evil, request_id=evil) for c in case.calls),
    )
