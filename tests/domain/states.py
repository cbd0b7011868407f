"""Every state that decide can meet: triggers, plans, what people said, how far it is, and what AWS shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.remedies.undo import recorded
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Attempt, CallRecord, CallStatus, Case, Keep, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Plan, Remedy
from chalicelib.domain.state.snapshot import Cluster, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    CI,
    DAY,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    PEOPLE,
    POLICY,
    STORE,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    used,
    world,
    yes,
)

LATER = NOW + 2 * HOURS
KEYS = (key("a"), key("b", KeyState.DISABLED))
PENDING = tuple(replace(k, state=KeyState.PENDING_DELETION, deletion_date=NOW + DAY) for k in KEYS)


SUBNETS = (("1a", "subnet-a"), ("1b", "subnet-b"))
MADE = replace(sibling(), tags=((CASE_TAG, "case-1"),), source_backup="backup-1")
"""The cluster that a rescue of this case made, by its tag."""


@dataclass(frozen=True)
class Approved:
    """A plan, the world it was made for, the policy it was made under, and what opened its case."""

    plan: Plan
    basis: Snapshot
    policy: Policy
    trigger: Trigger

    @property
    def makes_a_cluster(self) -> bool:
        return bool(self.plan.backup_id)


def opened(trigger: Trigger, **values: object) -> Case:
    """By a call that CloudTrail told of, about the store where it is not about the cluster."""
    asked = OTHER_CLUSTER if trigger is Trigger.CLUSTER_TAKEN else ""
    about: dict[str, Any] = {"key_store_id": STORE, "subnets": SUBNETS, "asked": asked}
    attempt = Attempt("event-1", NOW, "", CI, trigger, **about)
    last = cluster("1a", "1b", subnets=SUBNETS, mode="FIPS")
    known: dict[str, object] = {"attempts": (attempt,), "trigger": trigger, "last_cluster": last}
    return case(**known | values)  # type: ignore[arg-type]  # the caller's words


def plans(trigger: Trigger) -> list[Approved]:
    """Each remedy from each state that it can start in; of triggers that change nothing in it, from one."""
    found = []
    for remedy, basis, policy in rows(is_whole=trigger is Trigger.DELETE_BLOCKED):
        offers = all_plans(situation(basis, case=opened(trigger), policy=policy))
        plan = next(p for p in offers if p.remedy is remedy)
        found.append(Approved(plan, basis, policy, trigger))
    return found


Row = tuple[Remedy, Snapshot, Policy]


def rows(*, is_whole: bool) -> list[Row]:
    off, failed = StoreState.DISCONNECTED, store(StoreState.FAILED, error="NETWORK_ERRORS")
    whole = cluster("1a", "1b", subnets=SUBNETS)
    two = world(*KEYS, siblings=(sibling(),))
    firsts: list[Row] = [
        (Remedy.RETIRE, world(*KEYS), POLICY),
        (Remedy.RELEASE, world(*KEYS), POLICY),
        (Remedy.PARK, world(*KEYS), POLICY),
        (Remedy.REPOINT, two, POLICY),
        (Remedy.RESCUE, world(*KEYS, held=failed, cluster=whole), POLICY),
        (Remedy.RESCUE, world(*KEYS, cluster=replace(whole, hsms=())), POLICY),
        (Remedy.RESCUE, world(*KEYS, cluster=None, backups=whole.backups), POLICY),
    ]
    busy = world(key("a", last_use=used(HOURS)), KEYS[1])
    further: list[Row] = [
        (Remedy.RETIRE, world(*KEYS, held=store(off)), POLICY),
        (Remedy.RETIRE, world(*KEYS, held=failed), POLICY),
        (Remedy.RETIRE, world(*PENDING), POLICY),
        (Remedy.RETIRE, world(), POLICY),
        (Remedy.RETIRE, world(free=True), POLICY),
        (Remedy.RETIRE, busy, POLICY),
        (Remedy.RETIRE, world(*KEYS), replace(POLICY, quarantine_days=7)),
        (Remedy.RETIRE, world(*KEYS), replace(POLICY, dry_run=True)),
        (Remedy.RELEASE, world(*KEYS, held=store(off)), POLICY),
        (Remedy.RELEASE, world(), POLICY),
        (Remedy.PARK, world(free=True), POLICY),
        (Remedy.REPOINT, replace(two, key_stores=(store(off),)), POLICY),
    ]
    return [*firsts, *(further if is_whole else ())]


def worlds(*siblings: Cluster) -> list[Snapshot]:
    """Clusters × HSMs × stores × keys × what could be read: torn, vanished and late ones too."""
    whole = cluster("1a", "1b")
    clusters = [
        (whole, ()),
        (replace(whole, backups=()), ()),
        (whole, ("kms:ListKeys was refused",)),
        (whole, ("kms:DescribeCustomKeyStores was refused",)),
        (cluster("1a", "1b", "1c"), ()),
        (cluster("1b"), ()),
        (cluster(hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS)), ()),
        (cluster(), ()),
        (replace(cluster(), state=ClusterState.DELETE_IN_PROGRESS), ()),
        (None, ()),
        (None, ("cloudhsm:DescribeClusters was refused",)),
    ]
    stores = [(), *((store(state),) for state in StoreState)]
    stores += [
        (store(state, cluster_id=OTHER_CLUSTER),)
        for state in (StoreState.CONNECTED, StoreState.DISCONNECTED)
    ]
    keys = [
        (),
        KEYS,
        PENDING,
        (PENDING[0], KEYS[1]),
        KEYS[1:],
        PENDING[1:],
        (*KEYS, key("new", created_at=NOW)),
        (key("a", KeyState.UNKNOWN, unread="kms:DescribeKey was refused"), KEYS[1]),
        (key("a", last_use=used(timedelta(minutes=1))), KEYS[1]),
        tuple(replace(k, state=KeyState.UNAVAILABLE) for k in KEYS),
    ]
    return [
        replace(
            world(backups=whole.backups),
            cluster=c,
            unread=unread,
            key_stores=s,
            keys=k,
            siblings=siblings,
            at=LATER,
        )
        for (c, unread), s, k in itertools.product(clusters, stores, keys)
    ]


def all_worlds(approved: Approved) -> list[Snapshot]:
    """With the cluster that a rescue makes: not there yet, bare, with its first HSM, whole."""
    return WITH_A_NEW_CLUSTER if approved.makes_a_cluster else WORLDS


def situations(approved: Approved) -> Iterator[tuple[str, Case, datetime]]:
    """Who has said what, how far the plan is, and what time it is."""
    plan = approved.plan
    offered = opened(approved.trigger, offers=(plan,), expires_at=NOW + DAY)
    people = tuple(PEOPLE)[: plan.terms.people]
    enough = tuple(yes(name, plan) for name in people)
    clicks = {
        "nobody": (),
        "one too few": enough[1:],
        "enough": enough,
        "the same person again": (enough[0],) * plan.terms.people,
        "for another plan": tuple(replace(c, plan_hash="0" * 64) for c in enough),
        "without the override": tuple(replace(c, override=False) for c in enough),
        "without a reason": tuple(replace(c, reason=" ") for c in enough),
        "one taken back": (*enough, Click(Act.WITHDRAW, people[0], NOW)),
        "one by a stranger": (*enough[1:], yes("mallory", plan)),
        "kept": (Click(Act.KEEP, "alice", NOW, keep_until=NOW + 30 * DAY),),
    }
    for words, given in clicks.items():
        yield words, replace(offered, clicks=given), LATER
    yield "too late", replace(offered, clicks=enough), NOW + 25 * HOURS
    yield "asked for an end", replace(offered, ending=Click(Act.REJECT, "alice", NOW)), LATER
    running = replace(offered, clicks=enough, plan=plan, last_plan=plan, approved=enough)
    running = replace(running, phase=Phase.RUNNING)
    yield "chosen", running, LATER
    yield "chosen, too late", running, NOW + 25 * HOURS
    yield "closed", replace(running, phase=Phase.CLOSED, outcome=Outcome.STOPPED), LATER
    keep = Keep("alice", "alice", NOW + 30 * DAY, "")
    kept = replace(offered, keep=keep, phase=Phase.CLOSED, outcome=Outcome.KEPT)
    yield "kept", kept, LATER
    yield "kept no longer", kept, NOW + 31 * DAY
    yield from progress(running, approved)


def progress(running: Case, approved: Approved) -> Iterator[tuple[str, Case, datetime]]:
    """Begun: the first calls are made, the last one lately or long ago, answered or not."""
    plan = approved.plan
    running = replace(running, before=recorded(situation(approved.basis, case=running)))
    calls = [(c.operation, target) for c in plan.calls for target in c.targets]
    steps = sorted({1, len(calls) // 2 + 1, len(calls)})
    ages = {"just now": timedelta(seconds=30), "long ago": HOURS}
    for count, status, age in itertools.product(steps, CallStatus, ages):
        records = [
            CallRecord(op, target, NOW, CallStatus.DONE, plan.plan_hash)
            for op, target in calls[:count]
        ]
        last = replace(records[-1], at=LATER - ages[age], status=status)
        begun = replace(running, calls=(*records[:-1], last))
        yield f"{count} calls, {status} {age}", begun, LATER
        if status is CallStatus.REFUSED:
            denied = replace(last, denied=True)
            yield (
                f"{count} calls, denied {age}",
                replace(begun, calls=(*records[:-1], denied)),
                LATER,
            )
        if status is CallStatus.DONE or age == "long ago":
            cancel = replace(begun, ending=Click(Act.CANCEL, "bob", LATER))
            yield f"{count} calls, {status} {age}, cancelled", cancel, LATER
            void = replace(begun, plan=None, approved=(), phase=Phase.WAITING, reset_at_click=9)
            yield f"{count} calls, {status} {age}, asked again", void, LATER
    yield "an approver left", replace(begun, approved=(yes("mallory", plan),)), LATER


WORLDS = worlds(sibling())
WITH_A_NEW_CLUSTER = worlds()
for made in ((), ("1a",), ("1a", "1b")):
    WITH_A_NEW_CLUSTER += worlds(replace(MADE, hsms=hsms(*made)))
