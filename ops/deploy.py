"""`ops deploy`: stacks, functions and what Chalice leaves out; then says what is left to do by hand."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import Settings
from ops.deployment import chalice, infra, settings
from ops.deployment.finish import finish
from ops.deployment.found import found
from ops.desk import Desk
from ops.hub import APP, Hub, add_place, connect
from ops.screen import GREEN
from ops.trouble import EXPECTED, Trouble, trouble_of

SECRETS = {
    "slack-signing-secret": "Basic Information, Signing Secret",
    "slack-bot-token": "OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
}


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "deploy",
        help="bring this checkout to AWS, or bring what is there up to date",
        description=f"{__doc__} Can be repeated at any time. {settings.HELP}",
    )
    add_place(parser)
    parser.add_argument("--settings", type=Path, metavar="FILE", help="lines NAME=value")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of infra/resources.yaml or infra/account.yaml, like OrganizationId=o-…; "
        "remembered by the stack",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, desk: Desk) -> int:
    hub, environment, parameters = _checked(options, desk)
    desk.screen.title(f"Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    chosen = config.read(environment)
    say = desk.say
    infra.apply(hub, desk.project, settings=chosen, parameters=parameters, say=say)
    url = chalice.deploy(hub, desk.project, environment=environment, deployed=found(hub), say=say)
    finish(hub, error_codes=chosen.error_codes, say=say)
    _what_next(hub, desk, chosen=chosen, url=url)
    return 0


def _checked(options: argparse.Namespace, desk: Desk) -> tuple[Hub, dict[str, str], dict[str, str]]:
    """Credentials, Region, settings and parameters; all that is wrong is said in one go."""
    wrong: list[Trouble] = []
    environment: dict[str, str] = {}
    parameters: dict[str, str] = {}
    try:
        environment = settings.merged(
            desk.project, options.stage, file=options.settings, environ=os.environ
        )
    except Trouble as trouble:
        wrong.append(trouble)
    try:
        parameters = infra.parameters_of(options.parameter, desk.project)
    except Trouble as trouble:
        wrong.append(trouble)
    hub = _hub(options, desk, wrong)
    if wrong or hub is None:
        reasons = " ".join(trouble.reason for trouble in wrong)
        advice = [line for trouble in wrong for line in trouble.advice]
        raise Trouble(f"Nothing was deployed. {reasons}", *advice)
    return hub, environment, parameters


def _hub(options: argparse.Namespace, desk: Desk, wrong: list[Trouble]) -> Hub | None:
    try:
        return connect(options, desk.clock)
    except EXPECTED as error:
        wrong.append(trouble_of(error))
    return None


def _what_next(hub: Hub, desk: Desk, *, chosen: Settings, url: str) -> None:
    screen = desk.screen
    screen.line("Deployed.", colour=GREEN)
    screen.title("For the Slack app (api.slack.com/apps; infra/slack-manifest.yaml has the rest)")
    screen.line(f"  Interactivity, Request URL:   {url}slack/interactions")
    screen.line(f"  Slash command, Request URL:   {url}slack/commands")
    steps = [
        f"aws secretsmanager put-secret-value --region {hub.region} --secret-id {secret} "
        f"--secret-string …   (Slack: {where})"
        for secret, where in _empty_secrets(hub)
    ]
    steps += infra.elsewhere(hub, chosen, desk.say)
    if chosen.dry_run:
        steps.append(
            "dry_run is on: plans are played and nothing is changed. UNLATCH_DRY_RUN=false"
        )
    steps.append(f"python -m ops doctor --stage {hub.stage}")
    screen.title("Next")
    for number, step in enumerate(steps, start=1):
        screen.line(f"  {number}. {step}")


def _empty_secrets(hub: Hub) -> Iterator[tuple[str, str]]:
    """Secrets that nobody has put a value into yet. Values are never read here."""
    secrets = hub.client("secretsmanager")
    for name, where in SECRETS.items():
        secret = f"{APP}/{hub.stage}/{name}"
        if not secrets.describe_secret(SecretId=secret).get("VersionIdsToStages"):
            yield secret, where
