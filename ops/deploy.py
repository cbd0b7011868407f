"""`unlatch deploy`: shows what will change, asks, then brings stacks, functions and what Chalice leaves out up to date."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from chalicelib import __version__, config
from chalicelib.config import Settings
from chalicelib.domain.rules.routes import Route
from ops.command_context import CommandContext
from ops.console import GREEN, YELLOW, Console
from ops.deployment import (
    chalice,
    changes,
    infra,
    organisation,
    quota,
    record,
    routing,
    runtime,
    settings,
)
from ops.deployment.build import BILL, Built, build, set_environment
from ops.deployment.changes import Changes
from ops.deployment.finish import finish
from ops.deployment.found import found
from ops.deployment.record import Record
from ops.errors import OperatorError
from ops.exits import Exit
from ops.expected import EXPECTED, trouble_of
from ops.hub import APP, Hub, connect, who
from ops.verb import Options, Verb, flag, option, place

SECRETS = {
    "slack-signing-secret": "Basic Information, Signing Secret",
    "slack-bot-token": "OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
}
TOPIC = "--parameter AlarmTopicArn=arn:…:sns:…; the stack remembers it"
MOST_BYTES = 4_000
"""Lambda takes 4 KB of environment for a function, names included."""


@dataclass(frozen=True)
class Job:
    """What is to be deployed where; checked, and nothing begun."""

    hub: Hub
    variables: dict[str, str]
    before: dict[str, str]
    given: dict[str, str]
    parameters: dict[str, str]
    last: Record | None
    routes: tuple[Route, ...] = ()

    @property
    def settings(self) -> Settings:
        return config.read(self.variables)


def run(options: Options, context: CommandContext) -> int:
    python = runtime.about(sys.version_info[:2], context.clock().date())
    job = _checked(options, context)
    hub, screen = job.hub, context.screen
    screen.title(f"Unlatch {__version__} as {hub.stage} in account {hub.account}, {hub.region}")
    screen.line(f"The functions run on {python}.")
    built = build(context, hub.stage, region=hub.region, environment=job.variables)
    existing = found(hub)
    with infra.prepared(
        hub, context.project, settings=job.settings, parameters=job.parameters, say=context.say
    ) as stacks:
        plan = Changes(
            tuple(settings.differences(job.before, job.variables)),
            tuple(stacks.prepared),
            tuple(changes.of_functions(hub, built, existing)),
        )
        changes.show(plan, screen)
        moved = _moved(job)
        routing.show(moved, screen)
        _warn_of_silence(job, context)
        if (plan or moved) and not options.yes:
            context.confirm("Deploy this? Type yes:", option="--yes")
        stacks.execute()
    url = _bring_up(job, built, existing, context)
    record.keep(hub, _record(job, built, url, context))
    made = _described(hub, built, context)
    next_steps = _what_next(job, context, url)
    screen.answer({"changes": changes.as_plain(plan), "url": url, **made, "next": next_steps})
    return 0


def _bring_up(job: Job, built: Built, existing: Mapping[str, Any], context: CommandContext) -> str:
    """The functions, and what Chalice leaves out. The URL of the API."""
    hub = job.hub
    # A first deployment has only now seal keys to name.
    set_environment(built.folder, hub.stage, infra.with_seal_keys(hub, job.variables))
    url = chalice.deploy(hub, context, built.folder, deployed=existing)
    finish(hub, error_codes=job.settings.error_codes, url=url, say=context.say)
    return url


def _checked(options: Options, context: CommandContext) -> Job:
    """Credentials, Region, settings and parameters; all that is wrong is said in one go."""
    wrong: list[OperatorError] = []
    hub, last = _hub(options, context, wrong)
    before = dict(hub.variables) if hub else {}
    remembered = last.settings if last else _unlike_config(context.project, options.stage, before)
    variables, given, parameters = dict[str, str](), dict[str, str](), dict[str, str]()
    routes = _routes(context, wrong)
    try:
        chosen = settings.chosen(
            context.project,
            options.stage,
            file=options.settings,
            environ=os.environ,
            remembered=remembered,
        )
        variables, given = chosen.variables, chosen.given
        if hub:
            variables = infra.with_seal_keys(hub, _with_accounts(hub, variables))
            quota.check(hub, context.project)
    except EXPECTED as error:
        wrong.append(trouble_of(error))
    try:
        region = hub.region if hub else ""
        parameters = infra.parameters_of(options.parameter, context.project, region=region)
    except OperatorError as trouble:
        wrong.append(trouble)
    if wrong or hub is None:
        raise _all_of(wrong)
    return Job(hub, variables, before, given, parameters, last, routes)


def _routes(context: CommandContext, wrong: list[OperatorError]) -> tuple[Route, ...]:
    try:
        return routing.prepared(context.project)
    except OperatorError as trouble:
        wrong.append(trouble)
    return ()


def _moved(job: Job) -> list[str]:
    """What the routes change for open cases; nothing if no stage is deployed yet."""
    return list(routing.effects(job.hub, job.routes, job.settings)) if job.last else []


def _all_of(wrong: list[OperatorError]) -> OperatorError:
    reasons = " ".join(trouble.reason for trouble in wrong)
    advice = [line for trouble in wrong for line in trouble.advice]
    code = wrong[0].code if len(wrong) == 1 else Exit.FAILED
    return OperatorError(f"Nothing was deployed. {reasons}", *advice, code=code)


def _hub(
    options: Options, context: CommandContext, wrong: list[OperatorError]
) -> tuple[Hub | None, Record | None]:
    try:
        hub = connect(options, context.clock)
        return hub, record.read(hub)
    except EXPECTED as error:
        wrong.append(trouble_of(error))
    return None, None


def _unlike_config(project: Path, stage: str, deployed: dict[str, str]) -> dict[str, str]:
    """What somebody must have given to a deployment that kept no record."""
    try:
        shipped = settings.of_config(project, stage)
    except EXPECTED:  # which is said where the settings are chosen
        return {}
    return {
        name: value
        for name, value in deployed.items()
        if name in settings.NAMES and value != shipped.get(name, "")
    }


def _with_accounts(hub: Hub, variables: dict[str, str]) -> dict[str, str]:
    """With the ids that ACCOUNTS means now, as the functions are told them."""
    words = config.words(variables.get("ACCOUNTS", ""))
    told = ",".join(organisation.accounts(hub, words))
    size = sum(len(n) + len(v) for n, v in {**variables, "ACCOUNTS": told}.items())
    if size > MOST_BYTES:
        raise OperatorError(
            f"The settings take {size} bytes, and Lambda takes {MOST_BYTES}.",
            "Serve fewer ACCOUNTS from this stage, or shorten PEOPLE",
        )
    return {**variables, "ACCOUNTS": told}


def _warn_of_silence(job: Job, context: CommandContext) -> None:
    if not infra.alarm_topic(job.hub, job.parameters):
        context.screen.line("Nobody hears the alarms yet: no SNS topic is named.", colour=YELLOW)
        context.screen.line(f"  → {TOPIC}")


def _described(hub: Hub, built: Built, context: CommandContext) -> dict[str, str]:
    """The bill of materials and the digest of what was deployed, beside what was built."""
    folder = context.workshop / f"deployed-{hub.stage}"
    built.describe(folder)
    context.say(f"what is in the package, and its digest: {folder}")
    return {"sha256": built.digest, "sbom": str(folder / BILL)}


def _record(job: Job, built: Built, url: str, context: CommandContext) -> Record:
    return Record(
        version=__version__,
        code_sha256=built.code_sha256,
        runtime=runtime.runtime(sys.version_info[:2], context.clock().date()),
        url=url,
        by=who(job.hub.caller),
        at=context.clock().isoformat(timespec="seconds"),
        settings=job.given,
    )


def _tell_urls(job: Job, screen: Console, url: str) -> None:
    """Those that the Slack app needs, if it can't have them yet."""
    if job.last and job.last.url and job.last.url != url:
        screen.line(
            "The URLs have CHANGED. No click arrives until the Slack app has them:", colour=YELLOW
        )
    if not (job.last and job.last.url == url):
        screen.title(
            "For the Slack app (api.slack.com/apps; infra/slack-manifest.yaml has the rest)"
        )
        screen.line(f"  Interactivity, Request URL:   {url}slack/interactions")
        screen.line(f"  Slash command, Request URL:   {url}slack/commands")
        screen.line(f"  Event Subscriptions, Request URL: {url}slack/events")


def _what_next(job: Job, context: CommandContext, url: str) -> list[str]:
    hub, screen = job.hub, context.screen
    screen.line("Deployed.", colour=GREEN)
    _tell_urls(job, screen, url)
    steps = [
        f"aws secretsmanager put-secret-value --region {hub.region} --secret-id {secret} "
        f"--secret-string …   (Slack: {where})"
        for secret, where in _empty_secrets(hub)
    ]
    named = config.words(job.given.get("ACCOUNTS", ""))
    steps += infra.elsewhere(hub, job.settings, context.say, named=named)
    if job.settings.dry_run:
        steps.append(
            "DRY_RUN is on: plans are played and nothing is changed. UNLATCH_DRY_RUN=false"
        )
    if not infra.alarm_topic(hub, job.parameters):
        steps.append(f"Name an SNS topic, or nobody hears the alarms: {TOPIC}")
    steps.append(f"unlatch doctor --stage {hub.stage}")
    screen.title("Next")
    for number, step in enumerate(steps, start=1):
        screen.line(f"  {number}. {step}")
    return steps


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
            "--settings",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Lines NAME=value; infra/example.env shows them all.",
        ),
        option(
            "--parameter",
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter of infra/resources.yaml or infra/account.yaml, like "
            "OrganizationId=o-…; remembered by the stack.",
        ),
        flag("--yes", "Don’t ask; for pipelines."),
        *place(),
    ],
)
