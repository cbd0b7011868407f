"""A log against CloudTrail, and exports that somebody has changed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.case import Case
from chalicelib.domain.log import Entry, Kind, chained, entry
from chalicelib.domain.plan import Operation
from ops.evidence import export
from ops.evidence.compare import compare, worded
from ops.evidence.trail import Seen

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = START + timedelta(hours=2)
CASE, KEY = "case-abcdefghij", "key-1"
ROLES = ("unlatch-executor", "unlatch-restorer")
DISABLE = Operation.DISABLE_KEY


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def logged(**result: str) -> tuple[Entry, ...]:
    about = {"operation": DISABLE, "target": KEY}
    words = {"status": "done", "request_id": "r1", **result}
    return chained(
        [
            entry(Kind.OPENED, START, event_id="e1"),
            entry(Kind.APPROVED, minute(1), by="alice"),
            entry(Kind.INTENT, minute(2), **about),
            entry(Kind.RESULT, minute(2), **about, **words),
        ],
        length=0,
        head="",
    )


def call(**other: Any) -> Seen:
    usual = Seen(minute(2), DISABLE, "r1", "", ROLES[0], CASE, "alice", {"keyId": KEY})
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
    ],
)
def test_what_does_not_fit_is_named(what: str, change: Any, says: str) -> None:
    assert any(says in line for line in differences(logged(), call(**change))), what


def test_a_call_before_the_approval_has_nobody_who_decided() -> None:
    opened, approved, *calls = logged()
    late = chained([opened, *calls, approved], length=0, head="")
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
    asked = entry(Kind.ASKED_BACK, minute(1), by="olga (ops)", act="cancel")
    entries = chained([asked, *entries], length=0, head="")
    assert differences(entries, call(source_identity=worded("olga (ops)"))) == ()


def written(form: str) -> list[str]:
    entries = logged()
    case = Case(CASE, "1", "r", "cluster-1", START, log_length=4, log_head=entries[-1].hash)
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
    assert found.flaws(head="0" * 64)
