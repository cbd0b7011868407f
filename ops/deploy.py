"""`unlatch deploy`: stacks, functions and what Chalice leaves out; then says what is left to do by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from chalicelib import config
from chalicelib.config import Settings
from ops.deployment import chalice, infra, settings
from ops.deployment.finish import finish
from ops.deployment.found import found
from ops.desk import Desk
from ops.exits import Exit
from ops.expected import EXPECTED, trouble_of
from ops.hub import APP, Hub, connect
from ops.screen import GREEN
from ops.trouble import Trouble
from ops.verb import Options, Verb, option, place

SECRETS = {
    "slack-signing-secret": "Basic Information, Signing Secret",
    "slack-bot-token": "OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
}


def run(options: Options, desk: Desk) -> int:
    hub, environment, parameters = _checked(options, desk)
    desk.screen.title(f"Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    chosen = config.read(environment)
    say = desk.say
    infra.apply(hub, desk.project, settings=chosen, parameters=parameters, say=say)
    url = chalice.deploy(hub, desk.project, environment=environment, deployed=found(hub), say=say)
    finish(hub, error_codes=chosen.error_codes, say=say)
    _what_next(hub, desk, chosen=chosen, url=url)
    return 0


def _checked(options: Options, desk: Desk) -> tuple[Hub, dict[str, str], dict[str, str]]:
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
        code = wrong[0].code if len(wrong) == 1 else Exit.FAILED
        raise Trouble(f"Nothing was deployed. {reasons}", *advice, code=code)
    return hub, environment, parameters


def _hub(options: Options, desk: Desk, wrong: list[Trouble]) -> Hub | None:
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
    steps.append(f"unlatch doctor --stage {hub.stage}")
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


VERB = Verb(
    "deploy",
    run,
    about=f"{__doc__} Can be repeated at any time. {settings.HELP}",
    params=[
        option(
            "--settings", type=click.Path(path_type=Path), metavar="FILE", help="Lines NAME=value."
        ),
        option(
            "--parameter",
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter of infra/resources.yaml or infra/account.yaml, like OrganizationId=o-…; remembered by the stack.",
        ),
        *place(),
    ],
)
