"""Runs of the state machine: one per case and generation. Starts, wakes and looks; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chalicelib.aws.denials import OWN
from chalicelib.aws.errors import translated
from chalicelib.domain.rules.trust import UNSEALED
from chalicelib.failures import Code, PermanentError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


MOST_REMEMBERED = 10_000
NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True)
class StepFunctionsRuns:
    """`sfn` is the hub's Step Functions client."""

    sfn: SFNClient
    state_machine_arn: str
    _started: set[str] = field(default_factory=set)

    def start(
        self, case_id: str, generation: int, *, body: str = "", trusted: Mapping[str, str] = NOBODY
    ) -> bool:
        """Starts the run of this generation. Starting it again changes nothing: the name is taken.

        `body` is the digest that it has to remember; "" if whoever starts it does not know.
        `trusted` says `by` whom and `why`, if an operator vouches for that body.
        """
        name = f"{case_id}-{generation}"
        if name in self._started:
            return False
        is_new = True
        try:
            with translated("states:StartExecution", **OWN):
                self.sfn.start_execution(
                    stateMachineArn=self.state_machine_arn,
                    name=name,
                    input=_input(case_id, generation, {"body": body}, trusted),
                )
        except PermanentError as stop:
            if stop.code is not Code.EXISTS:
                raise
            is_new = False
        # So that a storm of the same event asks for it once a process.
        if len(self._started) >= MOST_REMEMBERED:
            self._started.clear()
        self._started.add(name)
        return is_new

    def wake(self, token: str) -> None:
        """Ends a sleep. A token that is used up or timed out belongs to a run that is awake already."""
        try:
            with translated("states:SendTaskSuccess", **OWN):
                self.sfn.send_task_success(taskToken=token, output="{}")
        except PermanentError as stop:
            if stop.code is not Code.TOKEN_SPENT:
                raise

    def is_alive(self, case_id: str, generation: int) -> bool:
        """Whether the run of this generation is running; False if it never was."""
        found = self._described(self._arn(case_id, generation))
        return found is not None and found["status"] == "RUNNING"

    def remembered(self, case_id: str, generation: int) -> str | None:
        """The digest that the run of this generation remembers: its output, else the newest exit of

        a turn in its history, else what it was given. UNSEALED if it is of the version that had none.
        """
        arn = self._arn(case_id, generation)
        found = self._described(arn)
        if found is None:
            return None
        if found["status"] == "SUCCEEDED":
            return _digest(found["output"])
        newest = self._newest_exit(arn)
        return _digest(newest or found["input"])

    def _arn(self, case_id: str, generation: int) -> str:
        machine = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{machine}:{case_id}-{generation}"

    def _described(self, arn: str) -> Any:
        try:
            with translated("states:DescribeExecution", **OWN):
                return self.sfn.describe_execution(executionArn=arn)
        except PermanentError as stop:
            if stop.code is Code.MISSING:
                return None
            raise

    def _newest_exit(self, arn: str) -> str:
        """What its newest turn returned, as JSON; "" if none has yet."""
        call = self.sfn.get_paginator("get_execution_history").paginate
        with translated("states:GetExecutionHistory", **OWN):
            for page in call(executionArn=arn, reverseOrder=True):
                for event in page["events"]:
                    exited = event.get("stateExitedEventDetails", {})
                    if exited.get("name") == "Turn":
                        return str(exited["output"])
        return ""


def _input(
    case_id: str, generation: int, turn: Mapping[str, object], trusted: Mapping[str, str]
) -> str:
    vouched = {"trusted": {**trusted}} if trusted else {}
    return json.dumps({"case_id": case_id, "generation": generation, "turn": {**turn, **vouched}})


def _digest(state: str) -> str:
    """Of the state between two steps of a run, as JSON."""
    turn = json.loads(state).get("turn")
    return str(turn["body"]) if turn and "body" in turn else UNSEALED
