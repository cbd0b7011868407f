"""`unlatch audit`: a case’s log written out, checked for tampering, and held against CloudTrail. Changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path
from typing import Any

import click

from chalicelib.aws.rate_limit import Paces
from chalicelib.config import EXECUTOR_ROLE, READER_ROLE, RESTORER_ROLE
from chalicelib.domain.state.audit_log import Entry, flaws
from chalicelib.domain.state.case import Case
from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, Console, count
from ops.errors import OperatorError
from ops.evidence import export
from ops.evidence.approved import unapproved, unbound, unknown
from ops.evidence.compare import Comparison, compare
from ops.evidence.trail import seen
from ops.exits import Exit
from ops.hub import Hub, connect_to_stage
from ops.target_access import accounts
from ops.verb import Options, Verb, argument, flag, option, place

HEAD = re.compile(r"[0-9a-f]{12,64}")
UNANCHORED = (
    "Unanchored: whoever wrote this file could have made up or cut the log. Give CASE, or the log "
    "head of the thread’s last line as --head."
)
EXPORTED = "Give a file that unlatch audit export wrote, whole and unchanged"
SHARE = 0.5
"""Of LookupEvents’ two requests a second; others in the account need it too."""


def run_export(options: Options, context: CommandContext) -> int:
    hub = connect_to_stage(options, context.clock)
    case, entries = _logged(hub, options.case)
    write = export.jsonl if options.format == "jsonl" else export.as_csv
    for line in () if options.json else write(case, entries):
        context.screen.data(line)
    context.screen.answer([json.loads(line) for line in export.jsonl(case, entries)])
    return 0


def run_verify(options: Options, context: CommandContext) -> int:
    if not options.file and not options.case:
        raise click.UsageError("Say CASE, --file EXPORT, or both.", click.get_current_context())
    if options.head and not HEAD.fullmatch(options.head):
        raise click.UsageError(
            "--head is 12 to 64 characters of 0-9 and a-f.", click.get_current_context()
        )
    if options.file:
        return _verify_file(options, context)
    hub = connect_to_stage(options, context.clock)
    case, entries = _logged(hub, options.case)
    place = (case.account, case.region, case.cluster_id)
    wrong = [*flaws(entries, head=case.log_head)]
    wrong += unbound(entries, case_id=options.case, place=place)
    if case.case_id != options.case:
        wrong.append(f"the stored case says that it is {case.case_id}, not {options.case}")
    if options.head and not any(e.hash.startswith(options.head) for e in entries):
        wrong.append("no entry has the hash that was given: the log is another, or was cut")
    wrong += unapproved(entries)
    pace = _telling(context, Paces(SHARE, sleep=context.pause)("cloudtrail:LookupEvents"))
    compared = _compared(hub, case, entries, assume=options.assume, pace=pace)
    verdict = Verdict(options.case, entries, tuple(wrong), compared)
    return _told(context.screen, verdict)


def _verify_file(options: Options, context: CommandContext) -> int:
    try:
        text = options.file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise OperatorError(f"{options.file} can’t be read: {why}.", EXPORTED) from None
    found = export.read(text)
    if not found.entries:
        raise OperatorError(f"{options.file} holds no log entries.", EXPORTED)
    head = options.head
    if options.case:
        head = connect_to_stage(options, context.clock).case(options.case).log_head
    wrong = [*found.flaws(head=head, case_id=options.case or "")]
    if options.head and head != options.head and not head.startswith(options.head):
        wrong.append("the hash that was given is not the one that the stored case names")
    verdict = Verdict(found.case_id, found.entries, tuple(wrong), is_anchored=bool(head))
    return _told(context.screen, verdict)


def _logged(hub: Hub, case_id: str) -> tuple[Case, tuple[Entry, ...]]:
    """A case and its log. A running bot may add to the log between the two reads: it is cut to fit."""
    case = hub.case(case_id)
    entries = tuple(hub.cases.entries(case_id))
    return case, entries[: case.log_length]


def _telling(context: CommandContext, pace: Callable[[], None]) -> Callable[[], None]:
    """A request a second: weeks of calls take minutes."""
    pages = count_from(1)

    def told() -> None:
        context.screen.passing(f"reading CloudTrail’s memory, page {next(pages)}")
        pace()

    return told


def _compared(
    hub: Hub,
    case: Case,
    entries: tuple[Entry, ...],
    *,
    assume: bool,
    pace: Callable[[], None],
) -> Comparison:
    clients = accounts(hub, assume=assume).clients(
        READER_ROLE,
        account=case.account,
        region=case.region,
        session_name="unlatch-audit",
    )
    roles = (EXECUTOR_ROLE, RESTORER_ROLE)
    now = hub.clock()
    calls = seen(clients("cloudtrail"), case, roles=roles, pace=pace, now=now)
    return compare(entries, calls, roles=roles, now=now)


@dataclass(frozen=True)
class Verdict:
    """What a check found. `compared` is None if there was no CloudTrail to hold it against.

    Anchored is a log whose end something outside it names: without that it may be made up, or cut.
    """

    case_id: str
    entries: tuple[Entry, ...]
    flaws: tuple[str, ...]
    compared: Comparison | None = None
    is_anchored: bool = True

    @property
    def exit(self) -> Exit:
        if self.flaws or (self.compared and self.compared.differences):
            return Exit.FOUND
        return Exit.DONE if self.is_anchored else Exit.UNANCHORED


def _told(screen: Console, verdict: Verdict) -> int:
    compared = verdict.compared
    screen.title(f"{verdict.case_id or 'A log'}: {len(verdict.entries)} entries")
    for flaw in verdict.flaws:
        screen.line(f"  {flaw}", colour=RED)
    if not verdict.flaws:
        screen.line(f"  The chain is whole. Last hash: {_last(verdict)}", colour=GREEN)
    for note in unknown(verdict.entries):
        screen.line(f"  Not known: {note}", colour=YELLOW)
    if compared:
        _tell(screen, compared)
    if not verdict.is_anchored:
        screen.line(f"  {UNANCHORED}", colour=YELLOW)
    screen.answer(_plain(verdict))
    return verdict.exit


def _last(verdict: Verdict) -> str:
    return verdict.entries[-1].hash if verdict.entries else ""


def _plain(verdict: Verdict) -> dict[str, Any]:
    compared = verdict.compared
    about = {
        "case_id": verdict.case_id,
        "entries": len(verdict.entries),
        "last_hash": _last(verdict),
        "flaws": verdict.flaws,
        "not_known": unknown(verdict.entries),
        "anchored": verdict.is_anchored,
    }
    if compared:
        about |= {
            "calls_matched": compared.matched,
            "calls_pending": compared.pending,
            "calls_forgotten": compared.forgotten,
            "differences": compared.differences,
        }
    return about


def _tell(screen: Console, compared: Comparison) -> None:
    for difference in compared.differences:
        screen.line(f"  {difference}", colour=RED)
    if not compared.differences:
        calls = count(compared.matched, "call")
        screen.line(f"  CloudTrail agrees: {calls}, each with its entry.", colour=GREEN)
    if compared.pending:
        screen.line(f"  Too young for CloudTrail to know of: {count(compared.pending, 'call')}.")
    if compared.forgotten:
        screen.line(f"  Older than CloudTrail’s 90 days: {count(compared.forgotten, 'call')}.")


VERB = click.Group("audit", help="A case’s log, written out or checked. Changes nothing.")
VERB.add_command(
    Verb(
        "verify",
        run_verify,
        about="With CASE: the log’s chain, the approvals in it, and each mutating call against "
        "CloudTrail in the target account. With --file: an export, without AWS; with CASE too: "
        "whether its end is that of the stored case.",
        params=[
            argument("case", required=False),
            option(
                "--file",
                type=click.Path(path_type=Path),
                metavar="EXPORT",
                help="What `audit export` wrote.",
            ),
            option(
                "--head",
                default="",
                help="The last hash or its first 12 characters, noted down elsewhere: the thread’s "
                "last line has them.",
            ),
            flag("--assume", "Read as Unlatch’s reader role."),
            *place(),
        ],
    )
)
VERB.add_command(
    Verb(
        "export",
        run_export,
        about="Writes a case’s log to standard output.",
        params=[
            argument("case"),
            option(
                "--format", type=click.Choice(export.FORMATS), default="jsonl", show_default=True
            ),
            *place(),
        ],
    )
)
