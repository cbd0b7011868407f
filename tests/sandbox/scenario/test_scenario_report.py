"""The report counts what the contract counts, and its failures name the first difference."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Never

import pytest

from sandbox.scenario.command import play_file
from sandbox.scenario.document import Problem, UnusableError
from sandbox.scenario.expectation import unmet
from tests.sandbox.scenario.conftest import WORLD
from tests.sandbox.scenario.fake_sandbox import (
    FakeCall,
    FakeCases,
    FakeEphemeral,
    FakeMessage,
    FakeSandbox,
)

PROJECT = Path(__file__).parents[3]
EMPTY = {"cases": [], "calls": [], "slack": {"messages": []}}


def called(*names: Any, landed: bool = True) -> list[dict[str, Any]]:
    pairs = [name.split(":") for name in names]
    return [{"service": s, "operation": o, "landed": landed} for s, o in pairs]


@contextmanager
def broken_sandbox(_: Any) -> Iterator[Any]:
    raise RuntimeError("no port is free")
    yield


def opening(sandbox: FakeSandbox) -> Callable[[Any], AbstractContextManager[Any]]:
    @contextmanager
    def _open(_: Any) -> Iterator[tuple[FakeSandbox, FakeCases]]:
        yield sandbox, FakeCases(sandbox)

    return _open


def test_the_report_has_the_keys_of_the_contract(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.open_case()
    told = play("play: []\n")
    assert list(told)[:-1] == [
        "scenario", "wall_seconds", "started_at", "ended_at", "expect", "cases", "calls", "reads",
        "slack", "runs", "log", "log_verified", "world", "alarms",
    ]  # fmt: skip
    about = ("trigger", "round", "tampered")
    assert [told["cases"][0][name] for name in about] == ["delete_blocked", 1, False]
    assert told["alarms"] == ["unlatch-dev-seals"]
    assert told["scenario"] == "A store holds the cluster"
    assert "message_ts" not in told["cases"][0]
    assert told["log_verified"] is True
    assert told["runs"] == [{"name": "case-1-1", "status": "SUCCEEDED", "events": 12}]


def test_calls_are_the_bots_mutations_and_the_rest_of_its_calls_are_reads(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.aws.calls += [
        FakeCall("kms", "ScheduleKeyDeletion", {"KeyId": "key-0", "PendingWindowInDays": 7}),
        FakeCall("cloudhsm", "DeleteHsm", error="ThrottlingException", landed=False),
        FakeCall("kms", "DescribeKey"),
        FakeCall("kms", "DescribeKey"),
        FakeCall("kms", "GenerateMac"),
        FakeCall("kms", "GenerateDataKeyWithoutPlaintext"),
        FakeCall("dynamodb", "PutItem"),
        FakeCall("kms", "CreateKey", by_deployment=True),
        FakeCall("kms", "CreateKey", by_bot=False),
    ]
    told = play("play: []\nexpect: {calls: ['kms:ScheduleKeyDeletion']}\n")
    assert told["expect"]["passed"]
    assert [(c["operation"], c["landed"]) for c in told["calls"]] == [
        ("ScheduleKeyDeletion", True),
        ("DeleteHsm", False),
    ]
    assert told["calls"][0] == {
        "at": "2026-03-02T09:00:00Z",
        "service": "kms",
        "operation": "ScheduleKeyDeletion",
        "params": {"KeyId": "key-0", "PendingWindowInDays": 7},
        "error": None,
        "role": "arn:aws:iam::111122223333:role/unlatch-executor",
        "source_identity": "alice",
        "landed": True,
    }
    assert told["reads"] == {
        "dynamodb:PutItem": 1,
        "kms:DescribeKey": 2,
        "kms:GenerateDataKeyWithoutPlaintext": 1,
        "kms:GenerateMac": 1,
    }


def test_slack_is_told_as_it_stands_and_a_gone_cluster_is_deleted(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.slack.messages.append(FakeMessage("1.000001", "top"))
    sandbox.slack.messages.append(
        FakeMessage("1.000002", "reply", thread_ts="1.000001", mentions=("bob",))
    )
    sandbox.slack.ephemerals.append(FakeEphemeral("carol", "You can’t."))
    told = play("play: []\nexpect: {messages: 1}\n")
    assert told["expect"]["passed"]
    assert told["slack"]["messages"][1] == {
        "channel": "C0UNLATCH", "ts": "1.000002", "thread_ts": "1.000001", "text": "reply",
        "blocks": [], "updates": 0, "mentions": ["bob"],
    }  # fmt: skip
    assert told["slack"]["ephemerals"] == [{"user": "carol", "text": "You can’t."}]
    assert told["world"]["clusters"] == [
        {"id": "cluster-2a3b4c5d6e7", "state": "DELETED", "hsms": 0, "from_backup": None},
    ]
    assert told["world"]["other_keys"] == 250


@pytest.mark.parametrize(
    ("expect", "told", "failures"),
    [
        ({}, EMPTY, []),
        ({"outcome": "retired"}, EMPTY, ["outcome: expected retired, got no case at all."]),
        (
            {"outcome": "retired"},
            {**EMPTY, "cases": [{"outcome": None, "phase": "waiting", "reason": ""}]},
            ["outcome: expected retired, got a case that is still open (waiting)."],
        ),
        (
            {"outcome": None},
            {**EMPTY, "cases": [{"outcome": "kept", "phase": "closed", "reason": "Until May."}]},
            ["outcome: expected a case that is still open, got kept. It says: Until May."],
        ),
        (
            {"calls": ["kms:A", "kms:B"]},
            {**EMPTY, "calls": called("kms:A", "kms:C")},
            [
                (
                    "calls: expected kms:B as number 2, got kms:C. "
                    "Expected in all: kms:A, kms:B. Got: kms:A, kms:C."
                )
            ],
        ),
        (
            {"calls": ["kms:A"]},
            {**EMPTY, "calls": called("kms:A", landed=False)},
            [
                (
                    "calls: expected kms:A as number 1, got no more calls. "
                    "Expected in all: kms:A. Got: none."
                )
            ],
        ),
        (
            {"calls": []},
            {**EMPTY, "calls": called("kms:A")},
            [
                (
                    "calls: expected no more calls as number 1, got kms:A. "
                    "Expected in all: none. Got: kms:A."
                )
            ],
        ),
        (
            {"cases": 1, "messages": 2},
            EMPTY,
            ["cases: expected 1, got 0.", "top-level messages: expected 2, got 0."],
        ),
    ],
)
def test_an_unmet_expectation_is_a_sentence(
    expect: dict[str, Any], told: Any, failures: list[Any]
) -> None:
    assert unmet(expect, told) == failures


def test_clusters_that_were_made_meanwhile_come_after_the_scenarios_own(
    monkeypatch: pytest.MonkeyPatch, sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    new = {"id": "cluster-new", "state": "ACTIVE", "hsms": 2, "from_backup": "2026-03-02T08:00:00Z"}
    monkeypatch.setattr(
        sandbox,
        "world",
        lambda: {"clusters": [new], "key_stores": [], "keys": [], "material_left": []},
    )
    clusters = play("play: []\n")["world"]["clusters"]
    assert [cluster["id"] for cluster in clusters] == ["cluster-2a3b4c5d6e7", "cluster-new"]


def test_a_play_that_expects_nothing_does_not_say_that_all_came(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    told = play("play: []\n")
    assert told["expect"]["passed"]
    assert told["story"].endswith("The scenario expects nothing, so nothing was checked.\n")
    assert play("play: []\nexpect: {cases: 0}\n")["story"].endswith("All came as expected.\n")


def only_deployed(_: Any) -> Never:
    raise UnusableError(Path("x.yaml"), [Problem(3, "digest: there is none")])


def test_what_only_the_deployed_bot_can_tell_makes_a_file_unusable_too(
    write: Callable[[str], Path],
) -> None:
    out, err = io.StringIO(), io.StringIO()
    path = write(f"{WORLD}play: []\n")
    assert play_file(path, only_deployed, out=out, err=err, as_json=True) == 2
    assert (out.getvalue(), err.getvalue()) == ("", "x.yaml:3: digest: there is none\n")


@pytest.mark.parametrize(("expected", "code"), [(0, 0), (1, 1)])
def test_json_is_one_object_and_the_code_says_whether_it_held(
    sandbox: FakeSandbox, write: Callable[[str], Path], expected: int, code: int
) -> None:
    out, err = io.StringIO(), io.StringIO()
    path = write(f"{WORLD}play: []\nexpect: {{cases: {expected}}}\n")
    assert play_file(path, opening(sandbox), out=out, err=err, as_json=True) == code
    assert json.loads(out.getvalue())["expect"]["passed"] is (code == 0)
    assert out.getvalue().count("\n") == 1
    assert err.getvalue() == ""


def test_a_broken_sandbox_is_one_sentence_and_a_failure(write: Callable[[str], Path]) -> None:
    out, err = io.StringIO(), io.StringIO()
    path = write(f"{WORLD}play: []\n")
    assert play_file(path, broken_sandbox, out=out, err=err, as_json=True) == 1
    reason = "the sandbox itself broke: RuntimeError: no port is free"
    assert err.getvalue() == f"{reason}\n"
    told = json.loads(out.getvalue())
    assert told["expect"] == {"passed": False, "failures": [reason]}
    assert told["slack"] == {"messages": [], "ephemerals": [], "responses": []}


def test_debug_adds_the_traceback(write: Callable[[str], Path]) -> None:
    err = io.StringIO()
    play_file(write(f"{WORLD}play: []\n"), broken_sandbox, out=io.StringIO(), err=err, debug=True)
    assert "Traceback" in err.getvalue()


@pytest.mark.slow
def test_an_unusable_file_ends_with_2_and_its_line_on_stderr(write: Callable[[str], Path]) -> None:
    path = write("title: x\nplay:\n  - hop: 1\n")
    command = [sys.executable, "-m", "sandbox", "play", str(path), "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"{path}:3: play[0]: unknown key 'hop'; allowed here: ")
