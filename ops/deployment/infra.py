"""The two templates with their parameters: the hub’s resources, and its own account’s roles and rules."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chalicelib.config import Settings
from ops.deployment.stacks import Prepared, Stacks
from ops.deployment.templates import template, text_of, wrong_values
from ops.errors import OperatorError
from ops.hub import APP, Hub

OURS = frozenset(
    {"Stage", "CaseDefinition", "TargetAccountIds", "HubAccountId", "HubBusArn", "CreateRoles"}
    | {"Regions", "ErrorCodes", "RolesRegion"}
)
"""Parameters that follow from the settings and from where this is deployed."""


@dataclass(frozen=True)
class SealKey:
    """A key of infra/resources.yaml: its name there, the end of its alias, and the output with its ARN."""

    resource: str
    alias: str
    output: str


SEAL_KEYS: Mapping[str, SealKey] = {
    "INBOX_KEY_ID": SealKey("SealKey", "inbox", "InboxKeyArn"),
    "BODY_KEY_ID": SealKey("BodyKey", "body", "BodyKeyArn"),
}
"""By setting."""
OF_ONE_ACCOUNT = frozenset({"VpcId"})
MOST_SHOWN = 3
Say = Callable[[str], None]


def resources_stack(hub: Hub) -> str:
    return f"{hub.name}-resources"


def account_stack(hub: Hub) -> str:
    return f"{hub.name}-account"


def parameters_of(given: Sequence[str], project: Path, *, region: str = "") -> dict[str, str]:
    """NAME=VALUE words as a mapping. Raises OperatorError with all that no template takes."""
    takes: dict[str, Any] = {}
    for name in ("account.yaml", "resources.yaml"):
        takes |= template(project, name)["Parameters"]
    found, wrong = {}, []
    for word in given:
        name, sign, value = word.partition("=")
        if not sign:
            wrong.append(f"--parameter {word}: write NAME=VALUE")
        elif name in OURS:
            wrong.append(f"--parameter {name}: follows from the settings")
        elif name not in takes:
            wrong.append(f"--parameter {name}: no template has it")
        found[name] = value
    wrong += wrong_values(takes, found)
    topic = found.get("AlarmTopicArn", "")
    if topic.count(":") == 5 and region and topic.split(":")[3] != region:
        wrong.append(f"--parameter AlarmTopicArn: alarms of {region} reach topics of {region} only")
    if wrong:
        raise OperatorError("The parameters are not right.", *wrong)
    return found


def is_there(hub: Hub, *, roles: bool = False) -> bool:
    """The stack of resources, or else the one of roles and rules, in the hub’s own Region."""
    name = account_stack(hub) if roles else resources_stack(hub)
    return Stacks(hub.client("cloudformation"), lambda _: None).exists(name)


@dataclass
class Waiting:
    """The change sets of all stacks of the hub’s account, in the order in which they are executed."""

    made: list[tuple[Stacks, Prepared]]

    @property
    def prepared(self) -> list[Prepared]:
        return [prepared for _, prepared in self.made]

    def execute(self) -> None:
        while self.made:
            stacks, prepared = self.made.pop(0)
            stacks.execute(prepared)


@contextmanager
def prepared(
    hub: Hub, project: Path, *, settings: Settings, parameters: Mapping[str, str], say: Say
) -> Iterator[Waiting]:
    """What was not executed by the end is taken back."""
    waiting = Waiting([])
    try:
        for region, name, file, own in _wanted(hub, project, settings):
            stacks = Stacks(hub.client("cloudformation", region=region), say)
            takes = template(project, file)["Parameters"]
            given = own | {n: value for n, value in parameters.items() if n in takes}
            made = stacks.prepare(name, text_of(project, file), given)
            waiting.made.append((stacks, made))
        yield waiting
    finally:
        for stacks, left in waiting.made:
            stacks.discard(left)


def _wanted(
    hub: Hub, project: Path, settings: Settings
) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Region, stack, template and parameters of each stack in the hub’s account."""
    resources = {
        "Stage": hub.stage,
        "CaseDefinition": definition(project),
        "TargetAccountIds": ",".join(settings.accounts),
    }
    yield hub.region, resources_stack(hub), "resources.yaml", resources
    for region, own in _account_parameters(hub, settings):
        yield region, account_stack(hub), "account.yaml", own


def with_seal_keys(hub: Hub, variables: Mapping[str, str]) -> dict[str, str]:
    """The settings with the stack’s own keys by ARN, which no alias leads elsewhere; as given before there is a stack."""
    stacks = Stacks(hub.client("cloudformation"), lambda _: None)
    made = stacks.outputs(resources_stack(hub))
    arns = {
        name: made[SEAL_KEYS[name].output]
        for name in sealed_by_stack(hub.stage, variables)
        if SEAL_KEYS[name].output in made
    }
    return {**variables, **arns}


def sealed_by_stack(stage: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The settings that name a seal key by the alias of the stack, as .chalice/config.json has them."""
    aliases = {name: f"alias/{APP}-{stage}-{key.alias}" for name, key in SEAL_KEYS.items()}
    return tuple(name for name, alias in aliases.items() if variables.get(name) == alias)


def alarm_topic(hub: Hub, parameters: Mapping[str, str] = MappingProxyType({})) -> str:
    """Where alarms go: as given now, else as the stack has it; "" for nowhere."""
    here = Stacks(hub.client("cloudformation"), lambda _: None).parameters(resources_stack(hub))
    return parameters.get("AlarmTopicArn", here.get("AlarmTopicArn", ""))


def delete_accounts(hub: Hub, *, settings: Settings, say: Say) -> None:
    """The roles and rules in the hub’s own account."""
    for region, _ in _account_parameters(hub, settings):
        Stacks(hub.client("cloudformation", region=region), say).delete(account_stack(hub))


def delete_resources(hub: Hub, *, say: Say) -> None:
    """The template retains what holds data: it stays behind."""
    Stacks(hub.client("cloudformation"), say).delete(resources_stack(hub))


def elsewhere(hub: Hub, settings: Settings, say: Say, *, named: Sequence[str]) -> Iterator[str]:
    """What to run for the other accounts that are served; `named` is what ACCOUNTS says of them.

    What narrows or opens the roles in the hub's account does so there too.
    """
    if not settings.accounts:
        return
    here = Stacks(hub.client("cloudformation"), say).parameters(account_stack(hub))
    guards = {name: here[name] for name in sorted(here.keys() - OURS - OF_ONE_ACCOUNT)}
    yield from _stack_set(hub, settings, guards, units=[word for word in named if "-" in word])
    shown = settings.accounts if len(settings.accounts) <= MOST_SHOWN else ("ACCOUNT",)
    for account in shown:
        for region, own in _account_parameters(hub, settings):
            values = {**own, "HubBusArn": bus(hub), **guards}
            words = shlex.join(f"{name}={value}" for name, value in values.items() if value)
            yield (
                f"or for {account} alone: aws cloudformation deploy --region {region} "
                f"--template-file infra/account.yaml --stack-name {account_stack(hub)} "
                f"--capabilities CAPABILITY_NAMED_IAM --parameter-overrides {words}"
            )


def _stack_set(
    hub: Hub, settings: Settings, guards: Mapping[str, str], *, units: Sequence[str]
) -> Iterator[str]:
    """One StackSet for all accounts of an organisation unit, those that join later included."""
    (_, own), *_ = _account_parameters(hub, settings)
    values = {**own, "HubBusArn": bus(hub), "RolesRegion": hub.region, **guards}
    del values["CreateRoles"]
    given = [{"ParameterKey": n, "ParameterValue": v} for n, v in values.items() if v]
    name = f"--stack-set-name {account_stack(hub)} --region {hub.region}"
    yield (
        "for all other accounts at once, in the organisation’s management account: "
        f"aws cloudformation create-stack-set {name} --template-body file://infra/account.yaml "
        "--permission-model SERVICE_MANAGED "
        "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false "
        f"--capabilities CAPABILITY_NAMED_IAM --parameters {shlex.quote(json.dumps(given))}"
    )
    targets = f"OrganizationalUnitIds={','.join(units) or 'OU'}"
    targets += f",AccountFilterType=DIFFERENCE,Accounts={hub.account}"
    regions = " ".join(dict.fromkeys((hub.region, *settings.regions)))
    yield (
        f"aws cloudformation create-stack-instances {name} --deployment-targets {targets} "
        f"--regions {regions}"
    )


def bus(hub: Hub) -> str:
    return hub.arn("events", "event-bus/default")


def _account_parameters(hub: Hub, settings: Settings) -> Iterator[tuple[str, dict[str, str]]]:
    """For each Region that is served, the hub’s first: roles are global, so one makes them."""
    regions = list(dict.fromkeys((hub.region, *settings.regions)))
    for region in regions:
        is_home = region == hub.region
        yield (
            region,
            {
                "HubAccountId": hub.account,
                "Stage": hub.stage,
                "HubBusArn": "" if is_home else bus(hub),
                "CreateRoles": "yes" if is_home else "no",
                "Regions": ",".join(regions),
                "ErrorCodes": ",".join(settings.error_codes),
            },
        )


def definition(project: Path) -> str:
    """Without its indentation: CloudFormation takes 4,096 characters."""
    return json.dumps(json.loads(text_of(project, "case.asl.json")), separators=(",", ":"))
