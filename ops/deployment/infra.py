"""The two templates with their parameters: the hub’s resources, and its own account’s roles and rules."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from chalicelib.config import Settings
from ops.deployment.stacks import Stacks
from ops.hub import Hub
from ops.trouble import Trouble

OURS = frozenset(
    {"Stage", "CaseDefinition", "TargetAccountIds", "HubAccountId", "HubBusArn", "CreateRoles"}
    | {"Regions", "ErrorCodes"}
)
"""Parameters that follow from the settings and from where this is deployed."""
OF_ONE_ACCOUNT = frozenset({"VpcId"})
Say = Callable[[str], None]


def resources_stack(hub: Hub) -> str:
    return f"{hub.name}-resources"


def account_stack(hub: Hub) -> str:
    return f"{hub.name}-account"


def parameters_of(given: Sequence[str], project: Path) -> dict[str, str]:
    """NAME=VALUE words as a mapping. Raises Trouble with all that no template takes."""
    texts = _template(project, "resources.yaml") + _template(project, "account.yaml")
    found, wrong = {}, []
    for word in given:
        name, sign, value = word.partition("=")
        if not sign:
            wrong.append(f"--parameter {word}: write NAME=VALUE")
        elif name in OURS:
            wrong.append(f"--parameter {name}: follows from the settings")
        elif not _takes(texts, name):
            wrong.append(f"--parameter {name}: no template has it")
        found[name] = value
    if wrong:
        raise Trouble("The parameters are not right.", *wrong)
    return found


def apply(
    hub: Hub, project: Path, *, settings: Settings, parameters: Mapping[str, str], say: Say
) -> None:
    """Brings all stacks of the hub’s account up to date."""
    template = _template(project, "resources.yaml")
    own = {
        "Stage": hub.stage,
        "CaseDefinition": _definition(project),
        "TargetAccountIds": ",".join(settings.accounts),
    }
    stacks = Stacks(hub.client("cloudformation"), say)
    stacks.apply(resources_stack(hub), template, own | _for(template, parameters))
    template = _template(project, "account.yaml")
    for region, own in _account_parameters(hub, settings):
        stacks = Stacks(hub.client("cloudformation", region=region), say)
        stacks.apply(account_stack(hub), template, own | _for(template, parameters))


def delete_accounts(hub: Hub, *, settings: Settings, say: Say) -> None:
    """The roles and rules in the hub’s own account."""
    for region, _ in _account_parameters(hub, settings):
        Stacks(hub.client("cloudformation", region=region), say).delete(account_stack(hub))


def delete_resources(hub: Hub, *, say: Say) -> None:
    """The template retains what holds data: it stays behind."""
    Stacks(hub.client("cloudformation"), say).delete(resources_stack(hub))


def elsewhere(hub: Hub, settings: Settings, say: Say) -> Iterator[str]:
    """What to run with the credentials of each other account that is served.

    What narrows or opens the roles in the hub's account does so there too.
    """
    here = Stacks(hub.client("cloudformation"), say).parameters(account_stack(hub))
    guards = {name: here[name] for name in sorted(here.keys() - OURS - OF_ONE_ACCOUNT)}
    for account in settings.accounts:
        for region, own in _account_parameters(hub, settings):
            values = {**own, "HubBusArn": bus(hub), **guards}
            words = shlex.join(f"{name}={value}" for name, value in values.items() if value)
            yield (
                f"for {account}: aws cloudformation deploy --region {region} "
                f"--template-file infra/account.yaml --stack-name {account_stack(hub)} "
                f"--capabilities CAPABILITY_NAMED_IAM --parameter-overrides {words}"
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


def _definition(project: Path) -> str:
    """Without its indentation: CloudFormation takes 4,096 characters."""
    text = (project / "infra/case.asl.json").read_text()
    return json.dumps(json.loads(text), separators=(",", ":"))


def _template(project: Path, name: str) -> str:
    return (project / "infra" / name).read_text()


def _takes(template: str, name: str) -> bool:
    return f"\n  {name}:\n    Type: " in template


def _for(template: str, given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if _takes(template, name)}
