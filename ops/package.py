"""`unlatch package`: writes what a pipeline deploys without a laptop: the code, one template, its bill of materials. Changes nothing in AWS."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import click

from chalicelib import __version__, config
from ops.command_context import CommandContext
from ops.console import GREEN
from ops.deployment import infra, one_template, organisation, routing, runtime, settings
from ops.deployment.build import BILL, CODE, SUMS, Built, build
from ops.deployment.ids import ACCOUNT
from ops.deployment.record import Record
from ops.hub import connect
from ops.verb import Options, Verb, option, place

TEMPLATE = "template.json"


def run(options: Options, context: CommandContext) -> int:
    python = runtime.runtime(sys.version_info[:2], context.clock().date())
    chosen = settings.chosen(
        context.project, options.stage, file=options.settings, environ=os.environ, remembered={}
    )
    routing.prepared(context.project)
    parameters = infra.parameters_of(options.parameter, context.project)
    variables = {**chosen.variables, "ACCOUNTS": _accounts(options, context, chosen.variables)}
    region = options.region or "us-east-1"  # Chalice wants one; the template names none
    plain = build(context, options.stage, region=region, environment=variables)
    made = Record(
        version=__version__,
        code_sha256=plain.code_sha256,
        runtime=python,
        by="a pipeline",
        at=f"from {TEMPLATE}",
        settings=chosen.given,
    )
    merged = one_template.extras(
        context.project, options.stage, variables=variables, parameters=parameters
    )
    extra = plain.folder / "extras.json"
    extra.write_text(json.dumps(one_template.with_record(merged, options.stage, made)))
    built = build(context, options.stage, region=region, environment=variables, merge=extra)
    folder: Path = options.out
    _write(built, folder)
    for line in _told(options, folder, built.digest):
        context.screen.line(line, colour=GREEN if line.startswith("Written") else "")
    context.screen.answer({"folder": str(folder), "sha256": built.digest, "runtime": python})
    return 0


def _write(built: Built, folder: Path) -> None:
    built.describe(folder)
    shutil.copy(built.package, folder / CODE)
    (folder / TEMPLATE).write_text(json.dumps(built.template, indent=1))


def _told(options: Options, folder: Path, digest: str) -> list[str]:
    packaged = folder / "packaged.yaml"
    given = f"--template-file {folder / TEMPLATE} --s3-bucket BUCKET"
    rights = "--capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND"
    where = f"--template-file {packaged} --s3-bucket BUCKET --stack-name unlatch-{options.stage}"
    return [
        f"Written to {folder}: {CODE} (SHA-256 {digest}), {TEMPLATE}, {BILL}, {SUMS}",
        "To deploy it, anywhere:",
        f"  aws cloudformation package {given} --output-template-file {packaged}",
        f"  aws cloudformation deploy {where} {rights}",
    ]


def _accounts(options: Options, context: CommandContext, variables: dict[str, str]) -> str:
    """The ids; only organisation units and `all` need somebody who may ask for them."""
    words = config.words(variables.get("ACCOUNTS", ""))
    if all(re.fullmatch(ACCOUNT, word) for word in words):
        return ",".join(words)
    return ",".join(organisation.accounts(connect(options, context.clock), words))


VERB = Verb(
    "package",
    run,
    about=f"{__doc__} {settings.HELP}",
    params=[
        option(
            "--settings", type=click.Path(path_type=Path), metavar="FILE", help="Lines NAME=value."
        ),
        option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            default=Path("build/package"),
            show_default=True,
            help="Where to write it.",
        ),
        option(
            "--parameter",
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter’s default in the template.",
        ),
        *place(),
    ],
)
