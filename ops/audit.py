"""`ops audit`: a case’s log written out, checked for tampering, and held against CloudTrail. Changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.aws.pace import Paces
from chalicelib.config import EXECUTOR_ROLE, READER_ROLE, RESTORER_ROLE
from chalicelib.domain.case import Case
from chalicelib.domain.log import Entry, flaws
from ops.cancel import load
from ops.desk import Desk
from ops.evidence import export
from ops.evidence.compare import Comparison, compare
from ops.evidence.trail import seen
from ops.hub import Hub, add_place, connect
from ops.reach import accounts
from ops.screen import GREEN, RED, Screen, count
from ops.trouble import Trouble

SHARE = 0.5
"""Of LookupEvents’ two requests a second; others in the account need it too."""


def add(commands: Any) -> None:
    parser = commands.add_parser("audit", help="export and check a case’s log", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="check a case against CloudTrail, or an export by itself",
        description="With CASE: the log’s chain, and each mutating call against CloudTrail in the "
        "target account. With --file: the chain of an export, without AWS.",
    )
    add_place(verify)
    what = verify.add_mutually_exclusive_group(required=True)
    what.add_argument("case", nargs="?", metavar="CASE", help="a case id")
    what.add_argument("--file", type=Path, metavar="EXPORT", help="what `audit export` wrote")
    verify.add_argument(
        "--head", default="", help="with --file: the last hash, noted down elsewhere"
    )
    verify.add_argument("--assume", action="store_true", help="read as Unlatch’s reader role")
    verify.add_argument("--json", action="store_true", help="one JSON object")
    verify.set_defaults(run=run_verify)
    write = actions.add_parser("export", help="write a case’s log to standard output")
    add_place(write)
    write.add_argument("case", metavar="CASE", help="a case id")
    write.add_argument("--format", choices=export.FORMATS, default="jsonl")
    write.set_defaults(run=run_export)


def run_export(options: argparse.Namespace, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    case, entries = _logged(hub, options.case)
    write = export.jsonl if options.format == "jsonl" else export.as_csv
    for line in write(case, entries):
        desk.screen.line(line)
    return 0


def run_verify(options: argparse.Namespace, desk: Desk) -> int:
    if options.file:
        return _verify_file(options, desk)
    hub = connect(options, desk.clock)
    case, entries = _logged(hub, options.case)
    wrong = flaws(entries, head=case.log_head)
    pace = Paces(SHARE, sleep=desk.pause)("cloudtrail:LookupEvents")
    compared = _compared(hub, case, entries, assume=options.assume, pace=pace)
    verdict = Verdict(case.case_id, entries, wrong, compared)
    return _told(desk.screen, verdict, as_json=options.json)


def _verify_file(options: argparse.Namespace, desk: Desk) -> int:
    try:
        text = options.file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{options.file} can’t be read: {error}") from None
    found = export.read(text)
    if not found.entries and not found.unread:
        raise Trouble(f"{options.file} holds no log entries.")
    wrong = found.flaws(head=options.head)
    return _told(desk.screen, Verdict(found.case_id, found.entries, wrong), as_json=options.json)


def _logged(hub: Hub, case_id: str) -> tuple[Case, tuple[Entry, ...]]:
    """A case and its log. A running bot may add to the log between the two reads: it is cut to fit."""
    case = load(hub, case_id)
    entries = tuple(hub.cases.entries(case_id))
    return case, entries[: case.log_length]


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
    """What a check found. `compared` is None where there was no CloudTrail to hold it against."""

    case_id: str
    entries: tuple[Entry, ...]
    flaws: tuple[str, ...]
    compared: Comparison | None = None


def _told(screen: Screen, verdict: Verdict, *, as_json: bool) -> int:
    compared = verdict.compared
    if as_json:
        screen.json(_plain(verdict))
    else:
        screen.title(f"{verdict.case_id or 'A log'}: {len(verdict.entries)} entries")
        for flaw in verdict.flaws:
            screen.line(f"  {flaw}", colour=RED)
        if not verdict.flaws:
            screen.line(f"  The chain is whole. Last hash: {_last(verdict)}", colour=GREEN)
        if compared:
            _tell(screen, compared)
    return 1 if verdict.flaws or (compared and compared.differences) else 0


def _last(verdict: Verdict) -> str:
    return verdict.entries[-1].hash if verdict.entries else ""


def _plain(verdict: Verdict) -> dict[str, Any]:
    compared = verdict.compared
    about = {
        "case_id": verdict.case_id,
        "entries": len(verdict.entries),
        "last_hash": _last(verdict),
        "flaws": verdict.flaws,
    }
    if compared:
        about |= {
            "calls_matched": compared.matched,
            "calls_pending": compared.pending,
            "calls_forgotten": compared.forgotten,
            "differences": compared.differences,
        }
    return about


def _tell(screen: Screen, compared: Comparison) -> None:
    for difference in compared.differences:
        screen.line(f"  {difference}", colour=RED)
    if not compared.differences:
        calls = count(compared.matched, "call")
        screen.line(f"  CloudTrail agrees: {calls}, each with its entry.", colour=GREEN)
    if compared.pending:
        screen.line(f"  Too young for CloudTrail to know of: {count(compared.pending, 'call')}.")
    if compared.forgotten:
        screen.line(f"  Older than CloudTrail’s 90 days: {count(compared.forgotten, 'call')}.")
