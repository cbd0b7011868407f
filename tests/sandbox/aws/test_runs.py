"""Runs of the real case.asl.json on sandbox time."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.runs import Runs
from tests.sandbox.aws.runtime_stand import HUB, REGION, START, Ground, anything, ground

MACHINE = f"arn:aws:states:{REGION}:{HUB}:stateMachine:case"
DEFINITION = Path("infra/case.asl.json")
HOUR = timedelta(hours=1)


class Play:
    """The state machine with scripted turns; `sleep` keeps its token."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.states = ground.client("stepfunctions")
        self.tokens: list[str] = []
        self.turns: list[Any] = []
        self.runs: Runs
        ground.functions.handlers |= {
            "unlatch-dev-turn": self.turn,
            "unlatch-dev-sleep": self.sleep,
        }

    def turn(self, event: Any) -> dict[str, Any]:
        step = self.turns.pop(0) if self.turns else 3600
        if isinstance(step, ValueError):
            raise step
        return {"finished": step is None, "wait_seconds": step or 1, "version": 1, "body": ""}

    def sleep(self, event: Any) -> None:
        self.tokens.append(event["token"])

    def start(self, name: str = "c1-1", case: str = "c1") -> Any:
        request = json.dumps({"case_id": case, "generation": 1, "turn": {"body": ""}})
        return self.states.start_execution(stateMachineArn=MACHINE, name=name, input=request)

    def status(self, name: str = "c1-1") -> Any:
        arn = MACHINE.replace("stateMachine", "execution") + f":{name}"
        return self.states.describe_execution(executionArn=arn)

    def wake(self, token: str) -> None:
        self.states.send_task_success(taskToken=token, output="{}")


@pytest.fixture
def play() -> Iterator[Play]:
    with ground() as here:
        functions: Any = here.functions
        runs = Runs(here.clock, here.work, functions, account=HUB, region=REGION, may=anything)
        runs.install()
        made = Play(here)
        made.runs = runs
        made.states.create_state_machine(
            name="case",
            definition=DEFINITION.read_text()
            .replace("${Stage}", "dev")
            .replace("${Partition}", "aws"),
            roleArn=f"arn:aws:iam::{HUB}:role/case",
        )
        yield made
        runs.close()
        assert here.work.running() == []


def code_of(error: Any) -> Any:
    return error.value.response["Error"]["Code"]


def test_a_run_sleeps_on_sandbox_time_and_ends(play: Play) -> None:
    play.turns = [6 * 3600, 2 * 24 * 3600, None]
    play.start()
    play.ground.settle()
    assert play.status()["status"] == "RUNNING"
    play.ground.advance(timedelta(days=9))
    assert play.ground.functions.times("unlatch-dev-turn") == [0 * HOUR, 6 * HOUR, 54 * HOUR]
    ended = play.status()
    assert ended["status"] == "SUCCEEDED"
    assert ended["startDate"] == START
    assert ended["stopDate"] == START + 54 * HOUR


def test_history_is_dated_by_the_clock(play: Play) -> None:
    play.turns = [3600, None]
    arn = play.start()["executionArn"]
    play.ground.advance(2 * HOUR)
    events = play.states.get_execution_history(executionArn=arn)["events"]
    assert {e["timestamp"] for e in events} == {START, START + HOUR}
    assert [(r.name, r.status, r.events) for r in play.runs.all()] == [
        ("c1-1", "SUCCEEDED", len(events))
    ]


def test_a_token_wakes_at_once_and_works_once(play: Play) -> None:
    play.turns = [9 * 3600, 9 * 3600]
    play.start()
    play.ground.advance(HOUR)
    play.wake(play.tokens[0])
    play.ground.settle()
    assert play.ground.functions.times("unlatch-dev-turn") == [0 * HOUR, HOUR]
    with pytest.raises(ClientError) as used:
        play.wake(play.tokens[0])
    assert code_of(used) == "TaskTimedOut"


def test_a_token_whose_wait_is_over_is_refused(play: Play) -> None:
    play.start()
    play.ground.advance(HOUR)
    with pytest.raises(ClientError) as late:
        play.wake(play.tokens[0])
    assert code_of(late) == "TaskTimedOut"


def test_a_token_of_a_closed_run_and_a_made_up_one_are_refused(play: Play) -> None:
    play.turns = [60, None]
    play.start()
    play.ground.advance(HOUR)
    with pytest.raises(ClientError) as closed:
        play.wake(play.tokens[0])
    with pytest.raises(ClientError) as unknown:
        play.wake("nonsense")
    assert (code_of(closed), code_of(unknown)) == ("TaskTimedOut", "InvalidToken")


def test_a_wake_from_within_sleep_is_not_lost(play: Play) -> None:
    def sleep(event: Any) -> None:
        play.sleep(event)
        play.wake(event["token"])

    play.ground.functions.handlers["unlatch-dev-sleep"] = sleep
    play.turns = [9 * 3600, None]
    play.start()
    play.ground.settle()
    assert play.status()["status"] == "SUCCEEDED"
    assert play.ground.clock.now() == START


def test_retries_back_off_on_sandbox_time(play: Play) -> None:
    play.turns = [ValueError("1"), ValueError("2"), ValueError("3"), None]
    play.start()
    play.ground.advance(HOUR)
    seconds = [t.total_seconds() for t in play.ground.functions.times("unlatch-dev-turn")]
    assert seconds == [0, 1, 3, 7]
    assert play.status()["status"] == "SUCCEEDED"


def test_each_attempt_to_sleep_has_a_token_of_its_own(play: Play) -> None:
    def sleep(event: Any) -> None:
        play.sleep(event)
        if len(play.tokens) == 1:
            raise ValueError("the table is slow")

    play.ground.functions.handlers["unlatch-dev-sleep"] = sleep
    play.turns = [9 * 3600, None]
    play.start()
    play.ground.advance(timedelta(minutes=1))
    assert len(set(play.tokens)) == 2
    with pytest.raises(ClientError) as first:
        play.wake(play.tokens[0])
    assert code_of(first) == "TaskTimedOut"
    play.wake(play.tokens[1])
    play.ground.settle()
    assert play.status()["status"] == "SUCCEEDED"


def test_a_run_whose_function_is_not_deployed_fails(play: Play) -> None:
    del play.ground.functions.handlers["unlatch-dev-turn"]
    play.start()
    play.ground.advance(HOUR)
    assert play.status()["error"] == "Lambda.ResourceNotFoundException"


def test_starting_a_running_one_again_is_the_same_run(play: Play) -> None:
    assert play.start()["executionArn"] == play.start()["executionArn"]
    play.ground.settle()
    assert len(play.ground.functions.times("unlatch-dev-turn")) == 1


def test_a_name_is_used_for_ever(play: Play) -> None:
    play.turns = [None]
    play.start()
    play.ground.settle()
    with pytest.raises(ClientError) as closed:
        play.start()
    assert code_of(closed) == "ExecutionAlreadyExists"


def test_other_input_under_a_running_name_is_refused(play: Play) -> None:
    play.start()
    with pytest.raises(ClientError) as other:
        play.start(case="c2")
    assert code_of(other) == "ExecutionAlreadyExists"
    play.ground.settle()


def test_a_parked_run_can_be_stopped(play: Play) -> None:
    arn = play.start()["executionArn"]
    play.ground.settle()
    assert play.states.stop_execution(executionArn=arn)["stopDate"] == START
    play.ground.settle()
    assert play.status()["status"] == "ABORTED"
    events = play.states.get_execution_history(executionArn=arn)["events"]
    assert events[-1]["type"] == "ExecutionAborted"
    play.ground.advance(timedelta(days=1))
    assert len(play.ground.functions.times("unlatch-dev-turn")) == 1
    with pytest.raises(ClientError) as stopped:
        play.wake(play.tokens[0])
    assert code_of(stopped) == "TaskTimedOut"


def test_a_run_stopped_amid_its_turn_does_not_go_on(play: Play) -> None:
    arn = MACHINE.replace("stateMachine", "execution") + ":c1-1"

    def turn(event: Any) -> dict[str, Any]:
        play.states.stop_execution(executionArn=arn)
        return play.turn(event)

    play.ground.functions.handlers["unlatch-dev-turn"] = turn
    play.start()
    play.ground.settle()
    assert play.status()["status"] == "ABORTED"
    assert play.tokens == []


def test_many_runs_each_keep_their_own_time(play: Play) -> None:
    for number in range(8):
        play.start(f"c{number}-1", case=f"c{number}")
    play.ground.settle()
    play.ground.advance(timedelta(hours=3))
    assert len(play.ground.functions.times("unlatch-dev-turn")) == 8 * 4


def test_a_history_comes_newest_first_where_that_is_asked(play: Play) -> None:
    play.start()
    play.ground.settle()
    arn = MACHINE.replace("stateMachine", "execution") + ":c1-1"
    events = play.states.get_execution_history(executionArn=arn)["events"]
    newest = play.states.get_execution_history(executionArn=arn, reverseOrder=True)["events"]
    assert [e["id"] for e in newest] == [e["id"] for e in reversed(events)]
    assert newest[0]["id"] > newest[-1]["id"]
