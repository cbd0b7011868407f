"""Runs of the state machine: one per case and generation. Starts, wakes and looks; decides nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws.errors import code_of, translated

MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class StepFunctionsRuns:
    """`sfn` is the hub's Step Functions client."""

    sfn: Any
    state_machine_arn: str
    _started: set[str] = field(default_factory=set)

    def start(self, case_id: str, generation: int) -> None:
        """Starts the run of this generation. Starting it again changes nothing: the name is taken."""
        name = f"{case_id}-{generation}"
        if name in self._started:
            return
        try:
            with translated("states:StartExecution", role="this function", account="the hub"):
                self.sfn.start_execution(
                    stateMachineArn=self.state_machine_arn,
                    name=name,
                    input=json.dumps({"case_id": case_id, "generation": generation}),
                )
        except Exception as error:
            if code_of(error.__cause__ or error) != "ExecutionAlreadyExists":  # type: ignore[arg-type]  # an Exception
                raise
        # So that a storm of the same event asks for it once a process.
        if len(self._started) >= MOST_REMEMBERED:
            self._started.clear()
        self._started.add(name)

    def wake(self, token: str) -> None:
        """Ends a park. A token that is used up or timed out belongs to a run that is awake already."""
        try:
            with translated("states:SendTaskSuccess", role="this function", account="the hub"):
                self.sfn.send_task_success(taskToken=token, output="{}")
        except Exception as error:
            stale = ("InvalidToken", "TaskTimedOut", "TaskDoesNotExist")
            if code_of(error.__cause__ or error) not in stale:  # type: ignore[arg-type]  # an Exception
                raise

    def is_alive(self, case_id: str, generation: int) -> bool:
        """Whether the run of this generation is running; False where it never was."""
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        try:
            with translated("states:DescribeExecution", role="this function", account="the hub"):
                reply = self.sfn.describe_execution(executionArn=f"{arn}:{case_id}-{generation}")
        except Exception as error:
            if code_of(error.__cause__ or error) == "ExecutionDoesNotExist":  # type: ignore[arg-type]  # an Exception
                return False
            raise
        return bool(reply["status"] == "RUNNING")
