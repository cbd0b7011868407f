"""`unlatch forget`: what is over can be removed, what may go on can't; the log can be exported before."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.turns import TurnCases
from chalicelib.aws.table import Table
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state.audit_log import Kind, entry
from chalicelib.domain.state.caller import caller_of
from chalicelib.domain.state.case import Attempt, Case, Outcome, Phase
from chalicelib.ports import CaseTrigger
from ops.__main__ import main
from ops.command_context import CommandContext
from ops.console import Console
from ops.exits import Exit
from tests.flows.stand import BODY_SEAL, HUB, INBOX_SEAL, NOW, REGION, table


class DeployedTable:
    """A deployed table, with cases as their last turns left them."""

    def __init__(self) -> None:
        self.raw: Any = table("unlatch-dev")
        self.table = Table(boto3.client("dynamodb", region_name=REGION), "unlatch-dev")
        self.cases = DynamoCases(self.table, INBOX_SEAL)

    def case(self, event_id: str, outcome: Outcome | None, *, days_ago: int = 10) -> Case:
        caller = caller_of(arn=f"arn:aws:sts::{HUB}:assumed-role/ci/x", kind="AssumedRole")
        failed = CaseTrigger(HUB, REGION, f"cluster-{event_id}", Attempt(event_id, NOW, "", caller))
        opened = self.cases.open_or_fold(failed, now=NOW)
        seals = {"inbox_seal": INBOX_SEAL, "body_seal": BODY_SEAL}
        turn = TurnCases(self.table, Anchor("", 0), generation=0, **seals)
        case = turn.load(opened.case_id)
        if outcome:
            at = NOW - timedelta(days=days_ago)
            case = replace(case, phase=Phase.CLOSED, outcome=outcome, closed_at=at)
        return turn.save(case, [entry(Kind.OPENED, NOW)])

    def marked(self) -> set[str]:
        """Ids of cases whose every item has an end."""
        found: dict[str, list[bool]] = {}
        for item in self.raw.scan()["Items"]:
            if item["pk"].startswith("CASE#"):
                found.setdefault(item["pk"][5:], []).append("ttl" in item)
        return {case_id for case_id, all_of in found.items() if all(all_of)}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedTable]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", REGION)
    with mock_aws():
        yield DeployedTable()


def run(*words: str, typing: str | None = None) -> tuple[int, str]:
    def ask(_: str) -> str:
        if typing is None:
            raise EOFError
        return typing

    out = io.StringIO()
    code = main(["forget", *words], CommandContext(Console(out, out), lambda: NOW, ask=ask))
    return code, out.getvalue()


def test_a_case_that_is_over_is_removed_once_somebody_says_yes(deployed: DeployedTable) -> None:
    case = deployed.case("a", Outcome.REJECTED)
    assert run(case.case_id)[0] == Exit.DECLINED
    assert run(case.case_id, typing="no")[0] == Exit.DECLINED
    assert deployed.marked() == set()
    code, said = run(case.case_id, typing="yes")
    assert code == Exit.DONE, said
    assert case.log_head[:12] in said, "an export made before can be anchored by it"
    assert "backups of the table" in said
    assert deployed.marked() == {case.case_id}
    code, said = run(case.case_id, typing="yes")
    assert code == Exit.FAILED
    assert "There is no case" in said


def test_an_open_one_is_left_alone_and_so_are_all_that_were_named_with_it(
    deployed: DeployedTable,
) -> None:
    over, still_open = deployed.case("a", Outcome.RETIRED), deployed.case("b", None)
    kept = deployed.case("c", Outcome.KEPT)
    for case in (still_open, kept):
        code, said = run(over.case_id, case.case_id, "--yes")
        assert code == Exit.DECLINED
        assert f"{case.case_id} is not over" in said
    assert deployed.marked() == set()


def test_a_way_back_goes_only_with_a_case_that_is_named(deployed: DeployedTable) -> None:
    parked = deployed.case("a", Outcome.PARKED, days_ago=400)
    assert run("--closed-days", "0", "--yes") == (Exit.DONE, "There is nothing to remove.\n")
    code, said = run(parked.case_id, "--yes")
    assert code == Exit.DONE
    assert "the way back by a button goes with it" in said
    assert deployed.marked() == {parked.case_id}


def test_all_that_closed_long_ago(deployed: DeployedTable) -> None:
    old = deployed.case("a", Outcome.RETIRED, days_ago=400)
    deployed.case("b", Outcome.RETIRED, days_ago=20)
    deployed.case("c", None)
    code, said = run("--closed-days", "365", "--yes", "--json")
    assert code == Exit.DONE
    assert [each["case_id"] for each in json.loads(said)["forgotten"]] == [old.case_id]
    assert deployed.marked() == {old.case_id}


def test_it_wants_cases_or_an_age(deployed: DeployedTable) -> None:
    assert run()[0] == Exit.USAGE
    assert run("case-1", "--closed-days", "3")[0] == Exit.USAGE
