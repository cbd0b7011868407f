"""`unlatch doctor`: one screen that says whether Unlatch can do its work, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ops.checks import chat, events, laptop, machinery, release, rights, roles, routes
from ops.checks.finding import Check, Finding, asked
from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, Console, count
from ops.exits import Exit
from ops.hub import Hub, connect
from ops.probing import live
from ops.probing.assumptions import Probe
from ops.probing.filing import Filed, file_report
from ops.probing.report import Findings
from ops.verb import Options, Verb, flag, option, place

CHECKS: tuple[tuple[str, Check], ...] = (
    ("boto3", laptop.sdk),
    ("clock", laptop.clock),
    ("fips", laptop.fips),
    ("functions", machinery.functions),
    ("code", release.code),
    ("settings", machinery.settings),
    ("state machine", machinery.state_machine),
    ("table", machinery.table),
    ("stages", machinery.stages),
    ("brake", machinery.brake),
    ("seal keys", machinery.seal_keys),
    ("secrets", machinery.secrets),
    ("dead letters", machinery.dead_letters),
    ("alarms", release.alarms),
    ("trail", events.trails),
    ("rules", events.rules),
    ("reader", roles.readers),
    ("trust", roles.may_take_executor),
    ("slack secrets", chat.secrets),
    ("slack token", chat.token),
    ("slack channel", chat.channel),
    ("slack messages", chat.shown),
    ("approvers", chat.approvers),
    ("routes", routes.all_of_them),
)
MARKS = {True: ("ok", GREEN), False: ("WRONG", RED), None: ("unknown", YELLOW)}


def run(options: Options, context: CommandContext) -> int:
    hub = connect(options, context.clock)
    context.screen.title(f"Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    hub.require_deployed()
    found = []
    for finding in _findings(hub, context.screen):
        found.append(finding)
        if not finding.account or finding.ok is False:
            _show(finding, context.screen)
    _show_accounts(found, context.screen)
    filed = _live(hub, context, found, folder=Path(options.report)) if options.live else None
    wrong = [finding for finding in found if finding.ok is False]
    differs = bool(filed and filed.differing)
    well = "All is in place, but AWS differs: see above." if differs else _well(found)
    context.screen.line(f"{count(len(wrong), 'thing')} to fix." if wrong else well)
    checks = [
        {
            "name": f.name,
            "ok": f.ok,
            "warns": f.warns,
            "says": f.says,
            "do": f.do,
            "account": f.account,
        }
        for f in found
    ]
    told = {"report": str(filed.machine)} if filed else {}
    context.screen.answer({"ok": not wrong, "checks": checks, **told})
    return Exit.FOUND if wrong or differs else Exit.DONE


def _well(found: list[Finding]) -> str:
    """What nobody could find out is not called well."""
    warnings, unknown = sum(f.warns for f in found), sum(f.ok is None for f in found)
    left = [count(warnings, "warning")] * bool(warnings) + [f"{unknown} unknown"] * bool(unknown)
    return f"Nothing is wrong; {' and '.join(left)}: see above." if left else "All is well."


def _live(hub: Hub, context: CommandContext, found: list[Finding], *, folder: Path) -> Filed:
    """Adds to `found` what only a try can tell."""
    context.screen.title("Live: one call that must fail, and one message that deletes itself")
    seen = Findings()
    tried = []
    for finding in live.of_stage(hub, context, seen):
        tried.append(finding)
        if not finding.account or finding.ok is False:
            _show(finding, context.screen)
    _show_accounts(tried, context.screen)
    found += tried
    return file_report(hub, context, seen, Probe.LIVE, folder=folder)


def _findings(hub: Hub, screen: Console) -> Iterator[Finding]:
    in_accounts: Check = partial(rights.of_acting_roles, screen=screen)
    for name, check in (*CHECKS, ("rights", in_accounts)):
        screen.passing(f"looking at: {name}")
        yield from asked(name, check, hub)


def _show_accounts(found: list[Finding], screen: Console) -> None:
    """A row for each other account, a column for each question; what helps, once for all."""
    others = [finding for finding in found if finding.account]
    if not others:
        return
    worst = (True, None, False)
    by_place: dict[tuple[str, str], Finding] = {}
    for one in others:  # of several Regions the one that is worst off
        key = (one.account, one.name.partition(" ")[0])
        before = by_place.setdefault(key, one)
        by_place[key] = max(before, one, key=lambda f: worst.index(f.ok))
    asked_there = list(dict.fromkeys(kind for _, kind in by_place))
    rows = []
    for account in dict.fromkeys(f.account for f in others):
        cells = (by_place.get((account, kind)) for kind in asked_there)
        rows.append([account, *(MARKS[cell.ok][0] if cell else "-" for cell in cells)])
    screen.title("Other accounts")
    screen.table(["account", *asked_there], rows)
    for helps in dict.fromkeys(f"{f.says}: {f.do}" for f in others if f.ok is None):
        screen.line(f"  unknown: {helps}", colour=YELLOW)


def _show(finding: Finding, screen: Console) -> None:
    word, colour = ("warning", YELLOW) if finding.warns else MARKS[finding.ok]
    mark = screen.painted(f"{word:8}", colour)
    screen.line(f"{mark}{finding.name:22} {finding.says}")
    if finding.do and (finding.warns or finding.ok is not True):
        screen.line(f"{'':8}{'':22} → {finding.do}")


VERB = Verb(
    "doctor",
    run,
    about=f"{__doc__} It changes nothing, but lets the hourly sweep run once more.",
    params=[
        *place(),
        flag(
            "--live",
            "Try what only a try can tell, free and in up to 15 minutes: does an event reach the bot? "
            "Calls DeleteCluster for a cluster that can’t exist, posts a message and deletes it.",
        ),
        option(
            "--report", default=".", metavar="FOLDER", help="Where --live writes its report [.]."
        ),
    ],
)
