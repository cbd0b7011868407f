"""Stacks in every state that CloudFormation may leave them in; time does not pass here."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deployment.stacks import Stacks
from ops.errors import OperatorError

TEMPLATE = "Parameters:\n  Stage:\n    Type: String\n  Topic:\n    Type: String\n"


class FakeFormation:
    """Plays one stack through `statuses`; the last one stays."""

    def __init__(
        self,
        *statuses: str,
        change_set: str = "CREATE_COMPLETE",
        why: str = "",
        after: str = "UPDATE_COMPLETE",
    ) -> None:
        self.statuses = list(statuses)
        self.change_set = {"Status": change_set, "StatusReason": why}
        self.after = after
        self.asked: list[Any] = []

    def describe_stacks(self, **request: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else (self.statuses or [""])[0]
        if not status:
            raise error("ValidationError", f"Stack with id {request['StackName']} does not exist")
        parameters = [
            {"ParameterKey": name, "ParameterValue": "as before"}
            for name in ("Stage", "Topic", "Old")
        ]
        return {"Stacks": [{"StackStatus": status, "Parameters": parameters, "Outputs": []}]}

    def describe_stack_events(self, **request: str) -> dict[str, Any]:
        rows = [
            ("3", "Queue", "CREATE_FAILED", "Resource creation cancelled"),
            ("2", "Table", "CREATE_FAILED", "unlatch-dev already exists"),
            ("1", request["StackName"], "CREATE_IN_PROGRESS", "User Initiated"),
            ("0", "Table", "CREATE_FAILED", "an older story"),
        ]
        names = ("EventId", "LogicalResourceId", "ResourceStatus", "ResourceStatusReason")
        return {"StackEvents": [dict(zip(names, row, strict=True)) for row in rows]}

    def create_change_set(self, **request: Any) -> None:
        self.asked.append(request)

    def describe_change_set(self, **_: str) -> dict[str, str]:
        return self.change_set

    def delete_change_set(self, **_: str) -> None:
        self.asked.append("deleted change set")

    def execute_change_set(self, **request: Any) -> None:
        self.asked.append(request)
        self.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", self.after]

    def delete_stack(self, **_: str) -> None:
        self.statuses = ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


def stacks(cfn: FakeFormation) -> tuple[Stacks, list[str]]:
    said: list[str] = []
    return Stacks(cfn, said.append, pause=lambda _: None), said


def apply(made: Stacks, name: str, template: str, parameters: dict[str, str]) -> None:
    made.execute(made.prepare(name, template, parameters))


def test_no_changes_is_fine_and_leaves_no_change_set() -> None:
    cfn = FakeFormation(
        "UPDATE_COMPLETE",
        change_set="FAILED",
        why="The submitted information didn't contain changes.",
    )
    made, said = stacks(cfn)
    apply(made, "s", TEMPLATE, {"Stage": "dev"})
    assert said == ["s: up to date"]
    assert cfn.asked[-1] == "deleted change set"


def test_parameters_that_are_not_given_stay_and_those_that_no_template_has_go() -> None:
    cfn = FakeFormation("CREATE_COMPLETE")
    apply(stacks(cfn)[0], "s", TEMPLATE, {"Stage": "dev"})
    request = cfn.asked[0]
    assert request["ChangeSetType"] == "UPDATE"
    assert request["Parameters"] == [
        {"ParameterKey": "Stage", "ParameterValue": "dev"},
        {"ParameterKey": "Topic", "UsePreviousValue": True},
    ]


def test_a_stack_that_never_came_up_is_told_with_its_cause_and_how_to_mend_it() -> None:
    made, _ = stacks(FakeFormation("ROLLBACK_COMPLETE"))
    with pytest.raises(OperatorError) as caught:
        apply(made, "s", TEMPLATE, {})
    assert "Table: unlatch-dev already exists" in caught.value.reason
    assert "aws cloudformation delete-stack --stack-name s" in caught.value.advice


def test_a_first_change_that_was_only_prepared_is_made_anew() -> None:
    cfn = FakeFormation("REVIEW_IN_PROGRESS", after="CREATE_COMPLETE")
    apply(stacks(cfn)[0], "s", TEMPLATE, {})
    assert cfn.asked[0]["ChangeSetType"] == "CREATE"
    assert cfn.asked[1]["RetainExceptOnCreate"] is True


def test_a_change_of_somebody_else_is_waited_for() -> None:
    cfn = FakeFormation("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    apply(stacks(cfn)[0], "s", TEMPLATE, {})
    assert cfn.asked[0]["ChangeSetType"] == "UPDATE"


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE"])
def test_a_change_that_rolled_back_is_a_failure(status: str) -> None:
    made, _ = stacks(FakeFormation("CREATE_COMPLETE", after=status))
    with pytest.raises(OperatorError, match="failed"):
        apply(made, "s", TEMPLATE, {})


def test_a_change_set_that_cannot_be_made_says_why() -> None:
    made, _ = stacks(FakeFormation("CREATE_COMPLETE", change_set="FAILED", why="No such role"))
    with pytest.raises(OperatorError, match="No such role"):
        apply(made, "s", TEMPLATE, {})


def test_taking_down_what_is_not_there_is_fine() -> None:
    made, said = stacks(FakeFormation())
    made.delete("s")
    assert said == ["s: not there"]
    made, said = stacks(FakeFormation("CREATE_COMPLETE"))
    made.delete("s")
    assert said[-1] == "s: deleted"
