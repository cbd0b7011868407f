"""Every sentence that a decision itself makes, word by word, and the times that go with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.approval import terms
from chalicelib.domain.rules.gates import closed_gates
from chalicelib.domain.rules.step import Call, Close, Wait
from chalicelib.domain.state.case import CallStatus, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Backup,
    KeyState,
    OtherUse,
    Snapshot,
    StoreState,
)
from tests.domain.worlds import (
    HOURS,
    NOW,
    POLICY,
    Play,
    approved,
    busy,
    case,
    cluster,
    key,
    sibling,
    situation,
    sso,
    store,
    used,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT


def rejected() -> Play:
    play = Play(world())
    play.turn()
    play.click(Act.REJECT)
    return play


def expired() -> Play:
    play = Play(world())
    play.turn()
    play.now += 25 * HOURS
    return play


def expired_half_done() -> Play:
    """It began, asked again, and nobody answered."""
    play = approved(world(key()), R)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda w: replace(w, keys=(*w.keys, key("new"))))
    play.to_question()
    play.now += 25 * HOURS
    return play


def gone() -> Play:
    play = Play(world())
    play.turn()
    play.change(lambda w: replace(w, cluster=None))
    return play


def gone_half_done() -> Play:
    play = approved(world(key()), R)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda w: replace(w, cluster=None))
    return play


def free() -> Play:
    play = Play(world())
    play.turn()
    play.change(lambda w: replace(w, key_stores=(), cluster=cluster()))
    return play


def dry() -> Play:
    return approved(world(), R, policy=replace(POLICY, dry_run=True))


LEFT = "What Unlatch had changed before stays as it is."
ENDINGS: list[tuple[Callable[[], Play], Outcome, str, tuple[str, ...]]] = [
    (rejected, Outcome.REJECTED, "Nothing was changed.", ()),
    (expired, Outcome.EXPIRED, "Nobody decided in 24 hours.", ()),
    (
        expired_half_done,
        Outcome.EXPIRED,
        f"Nobody decided in 24 hours. {LEFT}",
        ("Undo brings back what can come back.",),
    ),
    (
        gone,
        Outcome.RESOLVED,
        "Somebody else deleted the cluster. Unlatch has nothing left to do.",
        (),
    ),
    (
        gone_half_done,
        Outcome.RESOLVED,
        "Somebody else deleted the cluster. What Unlatch had changed before stays.",
        (),
    ),
    (
        free,
        Outcome.RESOLVED,
        "Nothing holds the cluster any more: no key store and no HSM is left. It can be deleted now.",
        (),
    ),
    (dry, Outcome.EXPLAINED, "Dry run: nothing was changed.", ()),
    (
        lambda: approved(world(), R),
        Outcome.RETIRED,
        "The cluster is deleted. AWS was read again to make sure.",
        (),
    ),
]


@pytest.mark.parametrize(("make", "outcome", "reason", "advice"), ENDINGS, ids=[e[2] for e in ENDINGS])  # fmt: skip
def test_an_ending_says_what_happened_when_and_what_can_be_done(
    make: Callable[[], Play], outcome: Outcome, reason: str, advice: tuple[str, ...]
) -> None:
    play = make()
    step = play.to_close()
    assert step == Close(outcome, reason, advice)
    told = play.case
    assert (told.phase, told.outcome, told.reason) == (Phase.CLOSED, outcome, reason)
    assert (told.advice, told.waiting_for) == (advice, "")
    assert told.closed_at == play.now - timedelta(seconds=1), "the time of the turn that closed it"


def test_a_closed_case_says_the_same_again() -> None:
    play = expired_half_done()
    step = play.to_close()
    assert play.turn() == step


def test_a_step_under_way_says_what_it_is() -> None:
    play = approved(world(), R)
    for _ in range(60):
        step = play.turn()
        if isinstance(step, Call | Wait) and "once more" not in step.why:
            assert play.case.phase is Phase.RUNNING
            assert play.case.waiting_for == step.why
            assert step.why
    assert len(play.calls) > 2


def test_a_key_that_fails_elsewhere_brings_the_store_back() -> None:
    play = approved(world(key(), siblings=(sibling(),)), M)
    play.to_call(Operation.PROVE_KEY)
    proof = play.case.call(Operation.PROVE_KEY, "key-a")
    assert proof
    failed = replace(proof, status=CallStatus.REFUSED, error="KMSInvalidStateException")
    play.case = play.case.with_call(failed)
    told = "alias/a does not work there (KMSInvalidStateException)."
    back = "The store is back on this cluster, and nothing was deleted."
    advice = ("Find out why the other cluster lacks the key.",)
    assert play.to_close() == Close(Outcome.STOPPED, f"{told} {back}", advice)
    assert play.case.closed_at == play.now - timedelta(seconds=1)


def test_a_keep_at_the_very_deadline_is_late() -> None:
    play = Play(world())
    play.turn()
    end = play.case.expires_at
    assert end is not None
    play.now = end
    play.click(Act.KEEP, keep_until=end + 72 * HOURS, reason="later")
    step = play.turn()
    assert isinstance(step, Close)
    assert step.outcome is Outcome.EXPIRED


OLD = cluster("1a", backups=(Backup("b", BackupState.READY, NOW - 400 * 24 * HOURS),))
SHORT = key("a", last_use=used(None, tracked=timedelta(days=3)))
ALLOW = "Allow the role unlatch-reader these calls, then check again"
MAKES = "AWS makes one within 24 h while the cluster has an HSM. Check again then"
STOP = "Stop what uses them, or say with the override that you know"
UNUSED, OTHERS = "No key used in 30 days", "No other program uses the HSMs"
GATES: list[tuple[Remedy, Snapshot, tuple[str, str, str]]] = [
    (R, world(unread=("kms:ListKeys was refused",)), ("Everything could be read", "kms:ListKeys was refused", ALLOW)),
    (
        R,
        world(unread=("one", "two", "three")),
        ("Everything could be read", "one; two; three", ALLOW),
    ),
    (
        R,
        world(unread=tuple(f"call {n}" for n in range(4))),
        ("Everything could be read", "call 0; call 1; call 2 and 1 more", ALLOW),
    ),
    (
        R,
        world(key("a", KeyState.UNKNOWN, unread="refused")),
        ("Everything could be read", "alias/a: refused", ALLOW),
    ),
    (M, world(cluster=cluster("1a", backups=())), ("A backup that is ready", "There is none", MAKES)),
    (
        R,
        world(key("a", created_at=NOW - HOURS, last_use=used(None)), cluster=OLD),
        ("A backup newer than the newest key", "Newest backup 26 Jan, 09:00 UTC, newest key 2 Mar, 08:00 UTC", MAKES),
    ),
    (
        R,
        world(key("a", last_use=used(HOURS)), key("b", last_use=used(HOURS))),
        (UNUSED, "alias/a was used on 2 Mar, 08:00 UTC, and 1 more", "Find out what uses it. The override says that you know"),
    ),
    (R, world(SHORT), (UNUSED, "alias/a: AWS kept no record before 27 Feb", "Wait until 29 Mar: then 30 days are on record")),
    (
        R,
        world(key("a", last_use=used(None, tracked=None))),
        (UNUSED, "alias/a: AWS kept no record", "Allow kms:GetKeyLastUsage"),
    ),
    (P, world(other_use=OtherUse()), (OTHERS, "CloudWatch has no session count for this cluster", STOP)),
    (P, world(other_use=replace(NO_OTHERS, interfaces=None)), (OTHERS, "The network interfaces of this cluster could not be read", STOP)),
    (P, world(other_use=replace(NO_OTHERS, interfaces=("e1", "e2"))), (OTHERS, "2 network interfaces of others use the cluster’s security group", STOP)),
    (P, world(free=True, other_use=busy(3)), (OTHERS, "hsm-1 never had fewer than 3 connections, and at most 2 can be AWS’s own", STOP)),
    (P, world(free=True, other_use=busy(2, 5)), (OTHERS, "hsm-1 had 2 to 5 connections, and at most 2 can be AWS’s own", STOP)),
    (P, world(held=store(StoreState.DISCONNECTED), other_use=busy(3, own=1)), (OTHERS, "hsm-1 never had fewer than 3 connections, and at most 1 can be AWS’s own", STOP)),
    (P, world(held=store(StoreState.FAILED), other_use=busy(4)), (OTHERS, "hsm-1 never had fewer than 4 connections, and at most 2 can be AWS’s own", STOP)),
]  # fmt: skip


@pytest.mark.parametrize(("remedy", "snapshot", "words"), GATES, ids=[g[2][1] for g in GATES])
def test_a_closed_check_says_what_it_found_and_what_would_help(
    remedy: Remedy, snapshot: Snapshot, words: tuple[str, str, str]
) -> None:
    gates = closed_gates(remedy, situation(snapshot))
    assert [(g.check, g.found, g.helps) for g in gates] == [words]


USED = world(key("a", last_use=used(HOURS)))
PROD = world(cluster=cluster("1a", tags=(("env", "prod"),)))
BY_USE = "because a key was used in the last 30 days, or may have been"
BY_OTHERS = "because other programs use the HSMs, or may"
ONE = replace(POLICY, quorum_irreversible=1)
NEEDS = [
    (R, world(), POLICY, 2, ()),
    (P, world(), POLICY, 1, ()),
    (Remedy.KEEP, USED, POLICY, 1, ()),
    (R, USED, POLICY, 3, (BY_USE,)),
    (M, USED, POLICY, 2, (BY_USE,)),
    (P, USED, POLICY, 2, (BY_USE,)),
    (P, USED, replace(POLICY, quorum_reversible=2), 2, ()),
    (P, USED, replace(POLICY, quorum_reversible=3), 3, ()),
    (P, world(other_use=OtherUse()), POLICY, 2, (BY_OTHERS,)),
    (R, world(other_use=OtherUse()), POLICY, 3, (BY_OTHERS,)),
    (M, world(other_use=OtherUse()), POLICY, 3, (BY_OTHERS,)),
    (R, world(), ONE, 2, ("because the delete was not made by a known person",)),
    (R, PROD, replace(POLICY, quorum_by_tag=(("env=prod", 4), ("env=dev", 9))), 4, ("because the cluster is tagged env=prod",)),
    (P, PROD, replace(POLICY, quorum_by_tag=(("env=prod", 1),)), 1, ()),
    (P, world(), replace(POLICY, quorum_reversible=0), 1, ()),
    (R, world(), replace(POLICY, quorum_irreversible=0), 2, ("because the delete was not made by a known person",)),
]  # fmt: skip


@pytest.mark.parametrize(("remedy", "snapshot", "policy", "people", "reasons"), NEEDS)
def test_how_many_a_plan_needs_and_why(
    remedy: Remedy, snapshot: Snapshot, policy: object, people: int, reasons: tuple[str, ...]
) -> None:
    told = terms(remedy, situation(snapshot, policy=policy))  # type: ignore[arg-type]
    assert (told.people, told.reasons) == (people, reasons)


def test_a_known_person_s_delete_needs_what_is_configured() -> None:
    for snapshot in (world(), world(held=store(), cluster=None)):
        told = terms(R, situation(snapshot, case=case(by=sso("zoe")), policy=ONE))
        assert (told.people, told.reasons) == (1, ())


def test_the_terms_hold_what_the_approval_was_given_under() -> None:
    policy = replace(POLICY, recent_use_days=11, go_again_after=12, quiet_minutes=13, dry_run=True)
    told = terms(R, situation(policy=policy))
    assert (told.recent_use_days, told.go_again_after, told.quiet_minutes) == (11, 12, 13)
    assert told.dry_run
    assert not told.override
