"""A log against CloudTrail, and exports that somebody has changed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.state.audit_log import Entry, Kind, chained, entry
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation
from ops.evidence import export
from ops.evidence.approved import unapproved, unbound, unknown
from ops.evidence.compare import compare
from ops.evidence.trail import Seen

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = START + timedelta(hours=2)
CASE, KEY = "case-abcdefghij", "key-1"
ROLES = ("unlatch-executor", "unlatch-restorer")
DISABLE = Operation.DISABLE_KEY


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


PLACE = {"account": "1", "region": "r", "cluster": "cluster-1"}
PLAN = {"plan_hash": "p1", "round": "2"}
ABOUT = {"operation": DISABLE, "target": KEY}


def linked(*entries: Entry) -> tuple[Entry, ...]:
    return chained(entries, length=0, head="")


def logged(**result: str) -> tuple[Entry, ...]:
    words = {"status": "done", "request_id": "r1", **result}
    return linked(
        entry(Kind.OPENED, START, case_id=CASE, event_id="e1", **PLACE),
        entry(Kind.APPROVED, minute(1), by="alice", **PLAN),
        entry(Kind.APPROVED, minute(1), by="bob", **PLAN),
        entry(Kind.BEGAN, minute(2), by="alice bob", people=2, **PLAN, **PLACE),
        entry(Kind.INTENT, minute(2), **ABOUT, **PLAN, **PLACE),
        entry(Kind.RESULT, minute(2), **ABOUT, **words),
    )


def call(**other: Any) -> Seen:
    usual = Seen(minute(2), DISABLE, "r1", "", ROLES[0], CASE, "alice", "1", "r", {"keyId": KEY})
    return replace(usual, **other)


def differences(entries: Sequence[Entry], *calls: Seen) -> tuple[str, ...]:
    return compare(entries, calls, roles=ROLES, now=LATER).differences


def test_a_call_with_its_entry_is_in_order() -> None:
    compared = compare(logged(), [call()], roles=ROLES, now=LATER)
    assert (compared.matched, compared.differences) == (1, ())


@pytest.mark.parametrize(
    ("what", "change", "says"),
    [
        ("another request", {"request_id": "r9"}, "the log has no entry of it"),
        ("refused by AWS", {"error": "AccessDenied"}, "says done, CloudTrail says AccessDenied"),
        ("another call", {"operation": Operation.ENABLE_KEY}, "says kms:DisableKey, CloudTrail"),
        ("another person", {"source_identity": "mallory"}, "in the name of mallory"),
        ("nobody", {"source_identity": ""}, "in the name of nobody"),
        ("another role", {"role": "Admin"}, "made as Admin"),
        ("another session", {"session": "tom"}, "made in the session tom"),
        ("another key", {"parameters": {"keyId": "key-2"}}, "not on key-1, as entry 5 says"),
        ("another account", {"account": "2"}, "in account 2, entry 5 says 1"),
        ("another Region", {"region": "q"}, "in region q, entry 5 says r"),
    ],
)
def test_what_does_not_fit_is_named(what: str, change: Any, says: str) -> None:
    assert any(says in line for line in differences(logged(), call(**change))), what


def test_a_call_before_the_approval_has_nobody_who_decided() -> None:
    opened, alice, bob, *calls = logged()
    late = linked(opened, bob, *calls, alice)
    assert "alice, who had not decided anything here" in differences(late, call())[0]


def test_an_entry_without_a_call_is_named_once_cloudtrail_must_know_it() -> None:
    assert "CloudTrail saw no such call" in differences(logged())[0]
    young = compare(logged(), [], roles=ROLES, now=minute(5))
    assert (young.differences, young.pending) == ((), 1)
    old = compare(logged(), [], roles=ROLES, now=START + timedelta(days=100))
    assert (old.differences, old.forgotten) == ((), 1)


def test_a_call_whose_answer_was_never_seen_belongs_to_its_intent() -> None:
    lost = logged(status="unknown", request_id="")
    assert differences(lost, call()) == ()
    assert differences(lost, call(), call(request_id="r2")), "one intent explains one call"
    assert differences(lost, call(parameters={"keyId": "key-2"}))
    assert differences(lost, call(at=minute(30)))


def test_a_second_call_beside_an_answered_one_is_not_explained_by_its_intent() -> None:
    assert differences(logged(), call(), call(request_id="r2"))


def test_a_refused_call_that_was_carried_out_is_named() -> None:
    assert "it was carried out" in differences(logged(status="refused"), call())[0]


def test_an_operator_who_cancelled_counts_as_who_decided() -> None:
    entries = logged()
    olga = "arn:aws:sts::1:assumed-role/ops/olga@example.com"
    asked = entry(Kind.ASKED_BACK, minute(1), by=olga, act="cancel")
    entries = linked(asked, *entries)
    assert differences(entries, call(source_identity="olga@example.com")) == ()


def written(form: str) -> list[str]:
    entries = logged()
    case = Case(CASE, "1", "r", "cluster-1", START, log_length=6, log_head=entries[-1].hash)
    return list((export.jsonl if form == "jsonl" else export.as_csv)(case, entries))


@pytest.mark.parametrize("form", export.FORMATS)
@pytest.mark.parametrize(
    ("what", "change", "says"),
    [
        ("nothing", lambda lines: lines, None),
        ("a word", lambda lines: [line.replace("alice", "bob") for line in lines], "was changed"),
        ("the end", lambda lines: lines[:-1], "ends too early"),
        ("the middle", lambda lines: [*lines[:2], *lines[3:]], "missing or out of order"),
        ("the order", lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], "out of order"),
        ("rubbish", lambda lines: [*lines, "rubbish"], "is no log entry"),
        ("the beginning", lambda lines: lines[1:], "which case|no log entry"),
    ],
)
def test_every_change_of_an_export_is_named(
    form: str, what: str, change: Callable[[list[str]], list[str]], says: str | None
) -> None:
    flaws = export.read("\n".join(change(written(form)))).flaws()
    if says is None:
        assert flaws == ()
    else:
        assert any(re.search(says, flaw) for flaw in flaws), (what, flaws)


def test_a_last_hash_noted_elsewhere_shows_a_log_that_was_made_anew() -> None:
    found = export.read("\n".join(written("jsonl")))
    assert found.flaws(head=found.head) == ()
    assert found.flaws(head=found.head[:12]) == (), "as the thread has it"
    assert "the last hash is not the one that was given" in found.flaws(head="0" * 64)[0]


def rewritten(form: str, *, of: str = CASE, says: str = "", **place: str) -> str:
    """An export of another case, every hash in order; the file `says` that it is of this one."""
    opened, *others = logged()
    words = {**dict(opened.data), "case_id": of, **place}
    entries = linked(entry(Kind.OPENED, START, **words), *others)
    case = Case(says or CASE, "1", "r", "cluster-1", START, log_length=6, log_head=entries[-1].hash)
    return "\n".join((export.jsonl if form == "jsonl" else export.as_csv)(case, entries))


@pytest.mark.parametrize("form", export.FORMATS)
def test_a_foreign_log_or_one_under_another_name_is_found(form: str) -> None:
    foreign = export.read(rewritten(form, of="case-another00")).flaws(case_id=CASE)
    assert foreign == (f"the log is of case-another00, not of {CASE}",)
    other = {"of": "case-another00", "says": "case-another00"}
    assert (
        "the file says that it is of"
        in export.read(rewritten(form, **other)).flaws(case_id=CASE)[0]
    )
    elsewhere = export.read(rewritten("jsonl", account="2")).flaws()
    assert elsewhere[0] == "the log is of account 2, not 1"


def test_a_log_that_does_not_begin_at_the_beginning() -> None:
    assert unbound(logged()[1:]) == unbound(()) == ("entry 1 does not open a case",)


def with_change(number: int, **words: str) -> tuple[Entry, ...]:
    """The log in which this entry says something else, its chain made anew."""
    entries = list(logged())
    changed = {**dict(entries[number - 1].data), **words}
    entries[number - 1] = entry(entries[number - 1].kind, entries[number - 1].at, **changed)
    return linked(*entries)


@pytest.mark.parametrize(
    ("what", "entries", "says"),
    [
        ("nothing", logged(), None),
        ("another plan approved", with_change(2, plan_hash="p2"), "2 people were needed, 1 had"),
        ("another round approved", with_change(2, round="1"), "2 people were needed, 1 had"),
        ("one person twice", with_change(3, by="alice"), "bob had not approved it"),
        ("a higher quorum", with_change(4, people="3"), "3 people were needed, 2 had"),
        ("a quorum that is no number", with_change(4, people="x"), "x people were needed"),
        ("no quorum", with_change(4, people="0"), "0 people were needed"),
        ("a confirmation is missing", with_change(4, step_up="yes"), "confirmed it in AWS"),
        ("a plan of another account", with_change(4, account="2"), "the case is of 1"),
        ("a call on another cluster", with_change(5, cluster="cluster-2"), "of cluster-1"),
        ("a call of another Region", with_change(5, region="q"), "the case is of r"),
        ("a call of another plan", with_change(5, plan_hash="p2"), "another plan"),
        ("a call of a later round", with_change(5, round="3"), "in round 3, approved in 2"),
        ("a call of no round", with_change(5, round="x"), "in round x, approved in 2"),
        ("a call that nobody noted", with_change(5, target="key-2"), "before this call"),
        ("no plan at all", linked(logged()[0], *logged()[4:]), "no approved plan was under way"),
    ],
)  # fmt: skip
def test_approvals_cover_each_call(what: str, entries: Sequence[Entry], says: str | None) -> None:
    found = unapproved(entries)
    assert (says is None) == (found == ()), (what, found)
    assert says is None or any(says in line for line in found), (what, found)


def told(kind: Kind, **words: str) -> Entry:
    return entry(kind, minute(3), **words)


def test_what_people_say_later_counts_for_what_comes_after() -> None:
    opened, alice, bob, began, intent, _ = logged()
    back = told(Kind.WITHDRAWN, by="bob", **PLAN)
    assert unapproved(linked(opened, alice, bob, back, began, intent))
    voided = told(Kind.VOIDED, why="a key was used")
    assert unapproved(linked(opened, alice, bob, began, voided, intent))
    cancelled = told(Kind.ASKED_BACK, by="carl", act="cancel")
    assert unapproved(linked(opened, alice, bob, began, cancelled, intent)) == ()
    deletes = told(Kind.INTENT, operation=Operation.DELETE_CLUSTER, target="cluster-1", **PLACE)
    (line,) = unapproved(linked(opened, alice, bob, began, cancelled, deletes))
    assert "carl had asked to go back by then" in line
    once_more = told(Kind.ONCE_MORE, why="an hour")
    later = told(Kind.INTENT, **{**ABOUT, **PLAN, "round": "3"})
    assert unapproved(linked(opened, alice, bob, began, once_more, later)) == ()
    signed = told(Kind.CONFIRMED, by="arn", **PLAN)
    strict = entry(Kind.BEGAN, minute(2), **{**dict(began.data), "step_up": "yes"})
    assert unapproved(linked(opened, alice, bob, signed, strict, intent)) == ()


def test_a_log_of_an_older_version_says_what_it_can_not_show() -> None:
    old = linked(
        entry(Kind.OPENED, START, event_id="e1"),
        entry(Kind.APPROVED, minute(1), by="alice", plan_hash="p1"),
        entry(Kind.BEGAN, minute(2), by="alice", plan_hash="p1"),
        entry(Kind.INTENT, minute(2), **ABOUT, plan_hash="p1"),
        entry(Kind.RESULT, minute(2), **ABOUT, status="done", request_id="r1"),
    )
    assert unapproved(old) == unbound(old, case_id=CASE, place=tuple(PLACE.values())) == ()
    assert len(unknown(old)) == 2
    assert unknown(logged()) == ()
    assert differences(old, call()) == ()


@pytest.mark.parametrize(
    ("operation", "target", "parameters", "fits"),
    [
        (Operation.CREATE_HSM, "1b#2", {"clusterId": "cluster-1", "availabilityZone": "1b"}, True),
        (Operation.CREATE_HSM, "1a", {"clusterId": "cluster-1", "availabilityZone": "1b"}, False),
        (Operation.DELETE_HSM, "1b", {"clusterId": "cluster-1", "hsmId": "hsm-1"}, True),
        (Operation.DELETE_HSM, "1b", {"clusterId": "cluster-2", "hsmId": "hsm-1"}, False),
        (Operation.KEEP_BACKUP, "newest", {"backupId": "backup-1"}, True),
        (Operation.DELETE_CLUSTER, "cluster-1", {"clusterId": "cluster-2"}, False),
        (DISABLE, KEY, {"keyId": f"arn:aws:kms:r:1:key/{KEY}"}, True),
    ],
)
def test_targets_as_each_call_names_them(
    operation: Operation, target: str, parameters: dict[str, str], *, fits: bool
) -> None:
    about = {"operation": operation, "target": target}
    opened, alice, bob, began, *_ = logged()
    intent = entry(Kind.INTENT, minute(2), **about, **PLAN, **PLACE)
    result = entry(Kind.RESULT, minute(2), **about, status="done", request_id="r1")
    entries = linked(opened, alice, bob, began, intent, result)
    made = call(operation=operation, parameters=parameters)
    assert (differences(entries, made) == ()) is fits


def test_a_refused_call_of_which_cloudtrail_hides_the_parameters() -> None:
    hidden = call(parameters={}, error="AccessDenied")
    assert differences(logged(status="refused"), hidden) == ()
