"""One line for each thing that happened, and none for what only the log needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.state.audit_log import Entry, Kind, chained, entry
from chalicelib.domain.state.case import CallStatus, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages.thread import line
from tests.domain.worlds import DAY, NOW, Play, approved, case, key, world
from tests.slack.every_moment import goes_back_by_itself, kept, rejected
from tests.slack.moments import DRY, waiting_for_keys
from tests.slack.reading import problems, words


def told(item: Entry, play: Play) -> str:
    (linked,) = chained((item,), length=0, head="")
    message = line(linked, case=play.case)
    assert message is not None
    assert problems(message) == []
    return words(message.blocks)


LINES = [
    (entry(Kind.OPENED, NOW, event_id="6f1b0a52-9", by="role deploy-ci", tool="Terraform", error_code="X"),
     "Role deploy-ci tried to delete the cluster with Terraform. AWS refused."),
    (entry(Kind.OPENED, NOW, event_id="slack-9", by="alice", tool="an unknown tool"),
     "@alice asked Unlatch to look at this cluster."),
    (entry(Kind.READ, NOW, keys=3, seen=253), "Looked at 253 keys: 3 are in this store."),
    (entry(Kind.READ, NOW, keys=1, seen=1), "Looked at 1 key: 1 is in this store."),
    (entry(Kind.READ, NOW, keys=0, seen=0), "Looked at the cluster: no key store uses it."),
    (entry(Kind.WITHDRAWN, NOW, by="bob", remedy="retire"), "@bob took back the approval of retire. It no longer counts."),
    (entry(Kind.VOIDED, NOW, why="alias/x: did not exist → new key"),
     "Unlatch stopped: alias/x: did not exist → new key. The approvals no longer count."),
    (entry(Kind.BEGAN, NOW, remedy="retire", plan_hash="b81f6e03aa", by="alice bob"),
     "Retire begins , approved by @alice and @bob . Plan b81f6e03"),
    (entry(Kind.RESULT, NOW, operation=Operation.SCHEDULE_KEY_DELETION, target="key-payments-2024",
           status="done", request_id="0c9e44d1-9"),
     "Scheduled deletion of alias/payments-2024 for 1 Apr ."),
    (entry(Kind.RESULT, NOW, operation=Operation.DELETE_KEY_STORE, target="cks-1", status="done"),
     "Key store deleted. It can’t be reconnected from here on."),
    (entry(Kind.RESULT, NOW, operation=Operation.DELETE_HSM, target="1b#2", status="refused",
           error="access denied", request_id="2f6d1c0e-7"),
     "AWS refused to delete an HSM: access denied. It was about 1b . Request id 2f6d1c0e-7 ."),
    (entry(Kind.RESULT, NOW, operation=Operation.PROVE_KEY, target="key-payments-2024", status="refused",
           error="no", request_id="2f6d1c0e-7"),
     "AWS refused to check a key: no. It was about alias/payments-2024 . Request id 2f6d1c0e-7 ."),
    (entry(Kind.RESULT, NOW, operation=Operation.DELETE_HSM, target="1b", status="unknown"),
     "AWS’s answer to “delete an HSM” was not seen. Unlatch reads AWS before it goes on."),
    (entry(Kind.RESULT, NOW, operation="kms:SomethingNew", status="done"), "AWS answered a call: done."),
    (entry(Kind.DRY_RUN, NOW, operation=Operation.DISCONNECT_KEY_STORE, target="cks-1", due=NOW + DAY),
     "Dry run: would disconnect the key store on 3 Mar, 09:00 UTC ."),
    (entry(Kind.DRY_RUN, NOW, operation=Operation.DELETE_CLUSTER, due="2026-03-03T01:30:00+02:00"),
     "Dry run: would delete the cluster on 2 Mar, 23:30 UTC ."),
    (entry(Kind.RESULT, NOW, operation=Operation.KEEP_BACKUP, name="backup-1", status="done"), "Keeping backup-1 for good."),
    (entry(Kind.QUIET, NOW, found="No HSM had more than 2 connections in 5 minutes."),
     "Looked whether other programs use the HSMs. No HSM had more than 2 connections in 5 minutes."),
    (entry(Kind.KEPT, NOW, by="alice", owner="carol", until=(NOW + DAY).isoformat(), reason="audit"),
     "@alice decided to keep it as it is until 3 Mar : “audit”. @carol looks after it."),
    (entry(Kind.LAPSED, NOW), "The time to keep it is over, so the question is open again."),
    (entry(Kind.ASKED_BACK, NOW, by="arn:aws:sts::1:assumed-role/ops/olga", act="cancel"), "arn:aws:sts::1:assumed-role/ops/olga cancelled. Unlatch puts back what can be put back."),
    (entry(Kind.ASKED_BACK, NOW, by="bob", act="cancel"), "@bob cancelled. Unlatch puts back what can be put back."),
    (entry(Kind.REOPENED, NOW, by="bob"), "@bob pressed Try again."),
    (entry(Kind.KEYS_GONE, NOW, count=3), "All 3 keys are gone. AWS was read again to make sure."),
    (entry(Kind.KEY_USED, NOW, who="role nightly-report", key="key-payments-2024", operation="Decrypt", event_id="b3d7719e-1"),
     "Role nightly-report tried to decrypt with alias/payments-2024 and failed. To cancel, use the button in the message above."),
    (entry(Kind.FORGED, NOW, by="mallory"), "An entry in the name of @mallory carries no valid seal"),
    (entry(Kind.CLOSED, NOW, outcome="stopped", reason="AWS refused."), "AWS refused. Waiting for a person."),
    (entry(Kind.CLOSED, NOW, outcome="retired", reason="The cluster is deleted."), "The cluster is deleted. Log head"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "said"), LINES)
def test_lines(item: Entry, said: str) -> None:
    assert said in told(item, waiting_for_keys())


@pytest.mark.parametrize(
    "item",
    [
        entry(Kind.ATTEMPT, NOW, event_id="event-2", by="role deploy-ci"),
        entry(Kind.INTENT, NOW, operation=Operation.DELETE_HSM, target="1a"),
        entry(Kind.ASKED_BACK, NOW, by="bob", act="reject"),
    ],
)
def test_what_only_the_log_needs_writes_nothing(item: Entry) -> None:
    assert line(item, case=case()) is None


def test_an_attempt_on_a_kept_cluster_is_answered_with_who_decided_it() -> None:
    said = told(entry(Kind.ATTEMPT, NOW, event_id="event-2", by="role deploy-ci"), kept())
    assert "Role deploy-ci tried to delete the cluster again. @alice decided to keep it" in said
    assert "Ask @carol ." in said


def test_approvals_are_counted() -> None:
    play = waiting_for_keys()
    plan = play.case.plan
    assert plan is not None
    for number, name in enumerate(("alice", "bob"), start=1):
        item = entry(
            Kind.APPROVED, NOW, by=name, remedy="retire", plan_hash=plan.plan_hash, reason="done"
        )
        said = told(item, play)
        assert f"@{name} approved retire, {number} of 2: “done”." in said
        assert plan.plan_hash[:8] in said


def test_a_rejection_names_the_person() -> None:
    said = told(entry(Kind.CLOSED, NOW, outcome=Outcome.REJECTED), rejected())
    assert said == "@bob closed the case. Nothing was changed."


def test_many_keys_make_one_line() -> None:
    play = approved(world(*(key(f"k{n:03}") for n in range(60))), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    done = [c for c in play.case.calls if c.status is CallStatus.DONE]
    lines = [
        line(
            entry(Kind.RESULT, NOW, operation=c.operation, target=c.target, status="done"),
            case=play.case,
        )
        for c in done
    ]
    told_lines = [message for message in lines if message]
    assert len(done) == 60
    assert len(told_lines) == 1
    assert "Scheduled deletion of 60 keys" in words(told_lines[0].blocks)


def test_many_keys_of_a_dry_run_make_one_line() -> None:
    play = approved(world(*(key(f"k{n:03}") for n in range(60))), Remedy.RETIRE, policy=DRY)
    play.to_close()
    plan = play.case.plan
    assert plan is not None
    operation = Operation.SCHEDULE_KEY_DELETION
    lines = [
        line(entry(Kind.DRY_RUN, NOW, operation=operation, target=t, due=NOW), case=play.case)
        for t in plan.names(operation)
    ]
    told_lines = [message for message in lines if message]
    assert len(told_lines) == 1
    assert "would schedule the deletion of 60 keys" in words(told_lines[0].blocks)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_entry_is_too_bare(kind: Kind) -> None:
    for it in (case(), kept().case, replace(case(), attempts=())):
        message = line(entry(kind, NOW), case=it)
        assert message is None or problems(message) == []


def test_a_store_that_goes_back_is_said_to_go_back() -> None:
    play = waiting_for_keys()
    pointed = entry(
        Kind.RESULT, NOW, operation=Operation.UPDATE_KEY_STORE, target="cks-1", status="done"
    )
    assert "to the other cluster." in told(pointed, play)
    play.case = replace(play.case, ending=Click(Act.CANCEL, "bob", NOW))
    assert "back to this cluster." in told(pointed, play)
    assert "back to this cluster." in told(pointed, goes_back_by_itself())


def test_a_use_is_told_with_the_way_back_as_long_as_the_case_lives() -> None:
    """Also of a case that has stopped: its keys can still be kept."""
    used = entry(Kind.KEY_USED, NOW, who="role nightly", key="key-a", operation="Decrypt")
    stopped = case(phase=Phase.CLOSED, outcome=Outcome.STOPPED, watches=True)
    fails = case(trigger=Trigger.STORE_DOWN)
    for it, is_told in ((stopped, True), (replace(stopped, watches=False), False), (fails, False)):
        message = line(used, case=it)
        assert message
        assert (
            "To cancel, use the button in the message above." in words(message.blocks)
        ) is is_told
