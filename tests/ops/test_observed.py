"""`unlatch reality` reads what the log of a case tells of AWS; a log that proves nothing is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.state.audit_log import Entry, Kind, chained, entry
from chalicelib.domain.state.caller import Caller
from chalicelib.domain.state.case import Attempt, Case
from chalicelib.domain.state.plan import Operation
from ops.__main__ import main
from ops.command_context import CommandContext
from ops.console import Console
from ops.evidence.export import jsonl, read
from ops.probing.assumptions import ASSUMPTIONS, Probe
from ops.probing.observed import report_on
from ops.probing.report import Verdict

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CASE, PLACE = "case-abcdefghij", {"account": "1", "region": "r", "cluster": "cluster-1"}
PLAN = {"plan_hash": "p1", "round": "2"}
STORE, BACKUP, ZONE, KEY = "cks-1", "backup-1", "us-east-1a", "key-1"
LOST = "AWS can’t log in to cluster-2 (INVALID_CREDENTIALS): only a crypto officer can help."
Line = tuple[Operation, str] | tuple[Operation, str, str] | timedelta | str


def exported(*lines: Line, **opened: str) -> str:
    """The export of a case: each call with its status, a pause before the next, or how it ended."""
    now = START
    about = {"event_id": "e1", "operation": "DeleteCluster", "trigger": "delete_blocked", **opened}
    made = [
        entry(Kind.OPENED, now, case_id=CASE, **about, **PLACE),
        entry(Kind.APPROVED, now, by="alice", **PLAN),
        entry(Kind.APPROVED, now, by="bob", **PLAN),
        entry(Kind.BEGAN, now, by="alice bob", people=2, remedy="repoint", **PLAN, **PLACE),
    ]
    for line in lines:
        match line:
            case timedelta():
                now += line
            case str():
                outcome, _, reason = line.partition(": ")
                made.append(entry(Kind.CLOSED, now, outcome=outcome, reason=reason))
            case _:
                made += _call(line, now)
    log = chained(made, length=0, head="")
    first = Attempt("e1", START, "", Caller("", "", "", ""))
    case = Case(CASE, "1", "r", "cluster-1", START, attempts=(first,))
    return "\n".join(jsonl(replace(case, log_length=len(log), log_head=log[-1].hash), log)) + "\n"


def _call(line: Any, now: datetime) -> Iterator[Entry]:
    operation, target, *error = line
    words = {"operation": operation, "target": target}
    yield entry(Kind.INTENT, now, **words, **PLAN, **PLACE)
    status = {"status": "refused", "error": error[0]} if error else {"status": "done"}
    yield entry(Kind.RESULT, now, **words, **status)


UPDATE, PROVE = (Operation.UPDATE_KEY_STORE, STORE), (Operation.PROVE_KEY, KEY)
RESTORE, KEEP = (Operation.RESTORE_BACKUP, BACKUP), (Operation.KEEP_BACKUP, BACKUP)
CONNECT = (Operation.CONNECT_KEY_STORE, STORE)
COPY, HSM = (Operation.CREATE_CLUSTER, BACKUP), (Operation.CREATE_HSM, ZONE)
IN_USE = {"error_code": "CloudHsmClusterInUseException"}
STORIES: list[tuple[str, str, tuple[Line, ...], dict[str, str]]] = [
    ("A-STORE-BLOCKS", "held", (), IN_USE),
    ("A-STORE-BLOCKS", "differs", (), {"trigger": "cluster_lost"}),
    ("A-STORE-BLOCKS", "not tried", (), {"error_code": "CloudHsmInvalidRequestException"}),
    ("A-STORE-BLOCKS", "not tried", (), {"operation": "ConnectCustomKeyStore", **IN_USE}),
    ("A-OTHER-PASSWORD", "held", (UPDATE, f"stopped: {LOST}"), {}),
    ("A-OTHER-PASSWORD", "held", (UPDATE, PROVE, UPDATE, f"stopped: {LOST}", "cancelled: ok"), {}),
    ("A-OTHER-PASSWORD", "differs", (UPDATE, PROVE, UPDATE, "cancelled: all is as before"), {}),
    ("A-OTHER-PASSWORD", "not tried", (UPDATE, UPDATE, "cancelled: it never was there"), {}),
    ("A-OTHER-PASSWORD", "not tried", (UPDATE, PROVE, "repointed: done"), {}),
    ("A-OTHER-PASSWORD", "not tried", (f"stopped: {LOST}",), {}),
    ("A-RESTORE-AT-ONCE", "held", (RESTORE, timedelta(seconds=16), KEEP), {}),
    ("A-RESTORE-AT-ONCE", "differs", (RESTORE, timedelta(minutes=6), KEEP), {}),
    ("A-RESTORE-AT-ONCE", "not tried", (RESTORE,), {}),
    ("A-COPY-ACTIVE", "held", (COPY, HSM, HSM, UPDATE), {}),
    ("A-COPY-ACTIVE", "not tried", (COPY, HSM), {}),
    ("A-COPY-ACTIVE", "differs", (COPY, (*HSM, "CloudHsmInvalidRequestException")), {}),
    ("A-COPY-ACTIVE", "differs", (COPY, HSM, (*UPDATE, "CloudHsmClusterNotActiveException")), {}),
    ("A-HSM-SERVES-AGAIN", "held", (HSM, PROVE), {}),
    ("A-HSM-SERVES-AGAIN", "differs", (HSM, (*PROVE, "KMSInvalidState"), CONNECT, PROVE), {}),
    ("A-HSM-SERVES-AGAIN", "not tried", (HSM, CONNECT, PROVE), {}),
    ("A-HSM-SERVES-AGAIN", "not tried", (HSM,), {}),
]


@pytest.mark.parametrize(("name", "verdict", "lines", "opened"), STORIES)
def test_what_a_log_tells(
    name: str, verdict: str, lines: tuple[Line, ...], opened: dict[str, str]
) -> None:
    report = report_on(read(exported(*lines, **opened)))
    said = {one.id: one for one in report.observations}
    assert said[name].verdict == verdict, said[name].says
    others = [one.id for one in report.differing if one.id != name]
    assert others == [], "it says nothing of what it doesn’t know"


def test_each_assumption_that_logs_tell_of_is_shown_to_hold_and_to_differ() -> None:
    told = {one.id for one in ASSUMPTIONS if Probe.RECORDS in one.probes}
    for verdict in ("held", "differs"):
        assert {name for name, shown, *_ in STORIES if shown == verdict} == told


def reality(*paths: Path, more: tuple[str, ...] = ()) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(
        ["reality", *map(str, paths), *more], CommandContext(Console(out, err), lambda: START)
    )
    return code, out.getvalue(), err.getvalue()


def test_reality_takes_logs_beside_reports(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text(exported(**IN_USE))
    second.write_text(exported(UPDATE, PROVE, UPDATE, "cancelled: all is as before"))
    code, out, _ = reality(first, second)
    assert code == 1
    assert "held       A-STORE-BLOCKS" in out
    assert "differs    A-OTHER-PASSWORD" in out
    assert "`" not in json.loads(reality(first, more=("--json",))[1])["assumptions"][0]["says"]


@pytest.mark.parametrize("spoiled", ["status", "cut"])
def test_a_log_that_does_not_hold_tells_nothing(tmp_path: Path, spoiled: str) -> None:
    text = exported(UPDATE, PROVE, UPDATE, "cancelled: all is as before")
    lines = text.splitlines()
    text = text.replace('"done"', '"odd"') if spoiled == "status" else "\n".join(lines[:-1])
    (tmp_path / "a.jsonl").write_text(text)
    code, _, err = reality(tmp_path / "a.jsonl")
    assert code == 2
    assert "its log does not hold" in err


def test_a_report_of_a_log_is_as_of_its_end() -> None:
    report = report_on(read(exported(timedelta(hours=3), "rejected: no", **IN_USE)))
    assert report.at.startswith("2026-03-02T12:00")
    assert all(one.verdict is not Verdict.DIFFERS for one in report.observations)
