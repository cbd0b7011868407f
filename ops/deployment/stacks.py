"""CloudFormation stacks by change sets: made, brought up to date, taken down, with their progress told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.errors import OperatorError

SECONDS = 3.0
UNFINISHED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
BAD = ("FAILED", "ROLLBACK")


@dataclass(frozen=True)
class Prepared:
    """A change set that waits; an empty name if nothing would change. `changes` are for people."""

    name: str
    change_set: str
    changes: tuple[str, ...]
    is_new: bool


@dataclass
class Stacks:
    """`cfn` is CloudFormation in one account and Region; `say` hears each resource as it gets on."""

    cfn: Any
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    _told: set[str] = field(default_factory=set)

    def prepare(self, name: str, template: str, parameters: Mapping[str, str]) -> Prepared:
        """What would change. Nothing does, until it is executed. Safe to repeat at any time."""
        self._remember_events(name)
        status = self._settled(name)
        self._refuse_unfinished(name, status)
        exists = status not in ("", "REVIEW_IN_PROGRESS")
        before = self.parameters(name) if exists else {}
        given = _parameters(template, parameters, before)
        change_set = self._create_change_set(name, template, given, exists=exists)
        changes = [
            f"{key}: {before[key]} → {value}"
            for key, value in parameters.items()
            if value != before.get(key, value)
        ]
        changes += self._changes(name, change_set) if change_set else ()
        return Prepared(name, change_set, tuple(changes), is_new=not exists)

    def execute(self, prepared: Prepared) -> None:
        """Returns once the stack is as its template says."""
        name = prepared.name
        if not prepared.change_set:
            self.say(f"{name}: up to date")
            return
        # Else a first deployment that fails would leave its table and secrets in the way.
        self.cfn.execute_change_set(
            StackName=name, ChangeSetName=prepared.change_set, RetainExceptOnCreate=True
        )
        status = self._settled(name)
        if not status.endswith("_COMPLETE") or "ROLLBACK" in status:
            raise self._failed(name, status)

    def discard(self, prepared: Prepared) -> None:
        """Takes back what `prepare` made."""
        if prepared.is_new:
            self.cfn.delete_stack(StackName=prepared.name)
        elif prepared.change_set:
            self.cfn.delete_change_set(StackName=prepared.name, ChangeSetName=prepared.change_set)

    def _changes(self, name: str, change_set: str) -> Iterator[str]:
        """`Modify Table (AWS::DynamoDB::Table)`, with a word if a thing is made anew."""
        asked = {"StackName": name, "ChangeSetName": change_set}
        while True:
            page = self.cfn.describe_change_set(**asked)
            for change in page.get("Changes", ()):
                about = change.get("ResourceChange", {})
                anew = ", MADE ANEW" if about.get("Replacement") == "True" else ""
                what = f"{about.get('LogicalResourceId')} ({about.get('ResourceType')}{anew})"
                yield f"{about.get('Action')} {what}"
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def delete(self, name: str) -> None:
        """Takes the stack down; what it retains stays. A stack that does not exist is fine."""
        self._remember_events(name)
        if not self._settled(name):
            self.say(f"{name}: not there")
            return
        self.cfn.delete_stack(StackName=name)
        status = self._settled(name)
        if status not in ("", "DELETE_COMPLETE"):
            raise self._failed(name, status)
        self.say(f"{name}: deleted")

    def parameters(self, name: str) -> dict[str, str]:
        """As the stack has them now."""
        kept = self._stack(name).get("Parameters", ())
        return {p["ParameterKey"]: p["ParameterValue"] for p in kept}

    def outputs(self, name: str) -> dict[str, str]:
        """{} if there is no stack."""
        made = self._stack(name).get("Outputs", ())
        return {output["OutputKey"]: output["OutputValue"] for output in made}

    def exists(self, name: str) -> bool:
        found = self._stack(name)
        return bool(found) and str(found["StackStatus"]) != "DELETE_COMPLETE"

    def _stack(self, name: str) -> dict[str, Any]:
        """The stack’s description; {} if it does not exist."""
        try:
            found: dict[str, Any] = self.cfn.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return {}
            raise
        return found

    def _settled(self, name: str) -> str:
        """The stack’s status once nothing moves; "" if there is no stack."""
        while True:
            status = str(self._stack(name).get("StackStatus", ""))
            if status:
                self._tell(name)
            if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
                return "" if status == "DELETE_COMPLETE" else status
            self.pause(SECONDS)

    def _create_change_set(
        self, name: str, template: str, parameters: list[dict[str, Any]], *, exists: bool
    ) -> str:
        """The name of a change set that is ready to run; "" if nothing would change."""
        change_set = f"deploy-{uuid.uuid4().hex[:12]}"
        self.cfn.create_change_set(
            StackName=name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=template,
            Parameters=parameters,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        while True:
            found = self.cfn.describe_change_set(StackName=name, ChangeSetName=change_set)
            match found["Status"]:
                case "CREATE_COMPLETE":
                    return change_set
                case "FAILED":
                    reason = str(found.get("StatusReason", ""))
                    self.cfn.delete_change_set(StackName=name, ChangeSetName=change_set)
                    if any(words in reason for words in NO_CHANGES):
                        return ""
                    raise OperatorError(f"{name} can’t be changed: {reason}")
            self.pause(SECONDS)

    def _refuse_unfinished(self, name: str, status: str) -> None:
        if status in UNFINISHED:
            raise OperatorError(
                f"The stack {name} never came up ({status}). {self._why(name)}",
                "Fix the cause",
                f"aws cloudformation delete-stack --stack-name {name}",
                f"aws cloudformation wait stack-delete-complete --stack-name {name}",
                "Then run this command again",
            )
        if status == "UPDATE_ROLLBACK_FAILED":
            raise OperatorError(
                f"The stack {name} could not go back after a failed update. {self._why(name)}",
                "Fix the cause",
                f"aws cloudformation continue-update-rollback --stack-name {name}",
                "Then run this command again",
            )

    def _failed(self, name: str, status: str) -> OperatorError:
        advice = ["Fix the cause and run this command again"]
        if status in UNFINISHED:
            advice = [
                "Fix the cause",
                f"aws cloudformation delete-stack --stack-name {name}",
                "Then run this command again",
            ]
        return OperatorError(f"The stack {name} failed ({status}). {self._why(name)}", *advice)

    def _why(self, name: str) -> str:
        """The first failure of the last change: what came after is its consequence."""
        for event in reversed(self._events(name)):
            reason = str(event.get("ResourceStatusReason", ""))
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                return f"{event['LogicalResourceId']}: {reason}"
        return "CloudFormation gives no reason."

    def _events(self, name: str) -> list[dict[str, Any]]:
        """Newest first, back to where the last change began."""
        events: list[dict[str, Any]] = []
        for event in self.cfn.describe_stack_events(StackName=name)["StackEvents"]:
            events.append(event)
            began = event.get("ResourceStatusReason") == "User Initiated"
            if event["LogicalResourceId"] == name and began:
                break
        return events

    def _remember_events(self, name: str) -> None:
        """What happened before this command is no news."""
        if self._stack(name):
            self._told |= {event["EventId"] for event in self._events(name)}

    def _tell(self, name: str) -> None:
        for event in reversed(self._events(name)):
            if event["EventId"] not in self._told:
                self._told.add(event["EventId"])
                why = event.get("ResourceStatusReason", "")
                more = f" ({why})" if why and any(w in event["ResourceStatus"] for w in BAD) else ""
                self.say(f"{name}: {event['LogicalResourceId']} {event['ResourceStatus']}{more}")


def _parameters(
    template: str, given: Mapping[str, str], before: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Those given now; all others that the template still knows stay as they were."""
    kept = [key for key in before if key not in given and f"\n  {key}:\n" in template]
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in given.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in kept),
    ]
