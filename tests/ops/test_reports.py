"""Reports name nobody, say each assumption once, and `unlatch reality` draws the conclusions."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.command_context import CommandContext
from ops.console import Console
from ops.probing.assumptions import ASSUMPTIONS, BY_ID, Probe
from ops.probing.names import replaced
from ops.probing.report import Duration, Findings, Verdict, from_json, report_of, write

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "eventID": "e-1",
    "eventName": "DeleteCluster",
    "requestParameters": {"clusterId": "cluster-2a3b4c5d6e7"},
    "recipientAccountId": "111122223333",
    "sourceIPAddress": "198.51.100.7",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLE:olga@example.com",
        "arn": "arn:aws:sts::111122223333:assumed-role/Releasers/olga@example.com",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLEEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "userName": "Releasers",
                "arn": "arn:aws:iam::111122223333:role/Releasers",
            },
            "sourceIdentity": "otto",
        },
    },
}


def found() -> Findings:
    seen = Findings()
    seen.held("A-FAILED-DELETE-RECORD", "the record names the cluster")
    seen.differs("A-CODE-IN-FULL", "it is short", ERROR_CODES="A,B")
    seen.durations.append(Duration("an event", timedelta(seconds=95), timedelta(minutes=15)))
    seen.keep(RECORD)
    seen.keep(RECORD)
    return seen


@pytest.fixture
def filed(tmp_path: Path) -> tuple[Path, Path]:
    return write(report_of(found(), Probe.LIVE, now=NOW), tmp_path, known=["alice"])


def test_each_assumption_is_in_it_once_with_a_verdict() -> None:
    report = report_of(found(), Probe.LIVE, now=NOW)
    assert [one.id for one in report.observations] == [one.id for one in ASSUMPTIONS]
    assert [one.id for one in report.differing] == ["A-CODE-IN-FULL"]
    assert len(report.records) == 1
    for one in report.observations:
        assert one.says, f"{one.id} says why"


def test_what_differed_once_differs() -> None:
    seen = found()
    seen.held("A-CODE-IN-FULL", "elsewhere it is in full")
    seen.not_tried("A-FAILED-DELETE-RECORD", "later")
    assert seen.observations["A-CODE-IN-FULL"].verdict is Verdict.DIFFERS
    assert seen.observations["A-FAILED-DELETE-RECORD"].verdict is Verdict.HELD


def test_the_files_name_no_account_and_no_person(filed: tuple[Path, Path]) -> None:
    for path in filed:
        text = path.read_text()
        for word in ("1111", "olga", "otto", "Releasers", "AROA", "ASIA", "198.51"):
            assert word not in text, (path.name, word)
        assert "cluster-2a3b4c5d6e7" in text, "what it is about stays"


def test_the_same_one_has_the_same_name() -> None:
    told = {"a": "111122223333 by ann", "b": "444455556666", "c": "111122223333, ann and anna"}
    assert replaced(told, records=[], known=["ann", "x"]) == {
        "a": "account-1 by person-1",
        "b": "account-2",
        "c": "account-1, person-1 and anna",
    }


def test_it_is_read_back_as_it_was_written(filed: tuple[Path, Path]) -> None:
    told = json.loads(filed[0].read_text())
    report = from_json(told)
    assert report.durations == (Duration("an event", timedelta(seconds=95), timedelta(minutes=15)),)
    assert [one.set_to for one in report.differing] == [{"ERROR_CODES": "A,B"}]


def reality(*paths: Path, more: tuple[str, ...] = ()) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    context = CommandContext(Console(out, err), lambda: NOW)
    code = main(["reality", *map(str, paths), *more], context)
    return code, out.getvalue(), err.getvalue()


def test_reality_says_what_follows(filed: tuple[Path, Path]) -> None:
    code, out, _ = reality(filed[0])
    assert code == 1
    assert "  → set ERROR_CODES=A,B" in out
    assert f"assumed: {BY_ID['A-CODE-IN-FULL'].claim}" in out
    assert f"1 held, 1 differs, {len(ASSUMPTIONS) - 2} not tried." in out
    told = json.loads(reality(filed[0], more=("--json",))[1])
    assert told["settings"] == {"ERROR_CODES": "A,B"}


def test_of_several_reports_the_worst_counts(filed: tuple[Path, Path], tmp_path: Path) -> None:
    later = Findings()
    later.held("A-CODE-IN-FULL", "in full")
    later.held("A-DURATIONS", "quick")
    other = write(report_of(later, Probe.REHEARSAL, now=NOW), tmp_path, known=[])[0]
    told = json.loads(reality(filed[0], other, more=("--json",))[1])
    verdicts = {one["id"]: one["verdict"] for one in told["assumptions"]}
    assert verdicts["A-CODE-IN-FULL"] == "differs"
    assert verdicts["A-DURATIONS"] == "held"


def test_an_older_report_lacks_newer_assumptions(filed: tuple[Path, Path]) -> None:
    told = json.loads(filed[0].read_text())
    told["observations"] = [{**told["observations"][0], "id": "A-OF-LONG-AGO"}]
    filed[0].write_text(json.dumps(told))
    code, out, _ = reality(filed[0])
    assert code == 0
    assert "the report is older than this assumption" in out
    assert "A-OF-LONG-AGO" not in out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": "x"}', '{"form": "unlatch-reality-1"}'])
def test_what_is_no_report_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    code, _, err = reality(file)
    assert code == 2
    assert "is no report" in err
    assert reality(tmp_path / "none.json")[0] == 2
