"""`unlatch rehearse`: try everything in a throwaway account: on a cluster that it makes, or on a key store of yours."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from ops.checks.finding import Finding
from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, count, moment
from ops.errors import OperatorError
from ops.exits import Exit
from ops.expected import EXPECTED, trouble_of
from ops.hub import connect
from ops.probing import before, cluster, store, there
from ops.probing.assumptions import Probe
from ops.probing.filing import file_report
from ops.probing.report import Findings, span
from ops.probing.there import There
from ops.verb import Options, Verb, account_id, flag, option, place

MARKS = {True: ("ok", GREEN), False: ("WRONG", RED), None: ("unknown", YELLOW)}
COPY_MOST = timedelta(minutes=75)
"""Of the life of a copy’s HSM: until it is made, until the cluster shows what it is, and its removal."""
WAYS = "Say one of --subnets (a cluster of its own), --key-store and --clean"


def run(options: Options, context: CommandContext) -> int:
    ways = [bool(options.subnets), bool(options.key_store), options.clean]
    if sum(ways) != 1:
        raise OperatorError("It is not clear what to rehearse.", WAYS, code=Exit.USAGE)
    if options.copy and not options.key_store:
        raise OperatorError("--copy belongs to --key-store.", WAYS, code=Exit.USAGE)
    hub = connect(options, context.clock)
    hub.require_deployed()
    account, region = options.account or hub.account, options.where or hub.region
    target = there.go_there(hub, account, region, profile=options.account_profile)
    if options.clean:
        return _clean(options, context, target)
    before.require_ready(target)
    if options.key_store:
        return _rehearse_store(options, context, target)
    return _rehearse_cluster(options, context, target)


def _rehearse_cluster(options: Options, context: CommandContext, target: There) -> int:
    subnets = [one.strip() for one in options.subnets.split(",") if one.strip()]
    context.screen.title(f"Rehearsal in account {target.account}, {target.region}")
    _require_all(
        context,
        *before.of_leftovers(target),
        *before.of_subnets(target, subnets),
        *before.of_operator(target, before.MAKES),
        *before.of_bot(target),
        *before.of_people(target.hub, target.hub.settings.quorum_irreversible),
    )
    costs = before.most_dollars(target.hub, target.region, most=_most(options))
    context.screen.line(
        f"It makes a cluster and one HSM, and lets the bot take both down again. "
        f"That takes one to two hours and costs up to {costs}."
    )
    _confirm(
        options, context, f"Type the account’s id, {target.account}, to begin:", target.account
    )
    rehearsal = cluster.Rehearsal(target, context, Findings(), _name(), _most(options))
    return _played(
        options, context, rehearsal, Probe.REHEARSAL, play=lambda: rehearsal.play(subnets)
    )


def _rehearse_store(options: Options, context: CommandContext, target: There) -> int:
    one = store.look_at(target, options.key_store)
    context.screen.title(f"Rehearsal on key store {one.name} ({one.id}), {target.region}")
    _require_all(
        context,
        *before.of_operator(target, before.OF_STORE + (before.MAKES if options.copy else ())),
        *before.of_bot(target),
        *before.of_people(target.hub, target.hub.settings.quorum_reversible),
    )
    used = f"last used {moment(one.last_use)}" if one.last_use else "no use of them is known"
    context.screen.line(
        f"{count(one.keys, 'key')} will be off for about {span(one.off_for)} and as long as people take to "
        f"click ({used}): the store is disconnected, its {count(len(one.hsms), 'HSM')} removed, made again, "
        f"and the store connected. Whatever needs these keys fails meanwhile.",
        colour=YELLOW,
    )
    context.screen.line("A key of its own is made there, and goes seven days later.")
    if options.copy:
        costs = before.most_dollars(target.hub, target.region, most=COPY_MOST)
        context.screen.line(
            f"Then a cluster is made from a backup, with one HSM, and removed. That costs up to {costs}."
        )
    _confirm(options, context, f"Type the store’s id, {one.id}, to begin:", one.id)
    rehearsal = store.StoreRehearsal(
        target, context, Findings(), _name(), _most(options), one, copies=options.copy
    )
    probe = Probe.COPY if options.copy else Probe.KEY_STORE
    return _played(options, context, rehearsal, probe, play=rehearsal.play)


def _played(
    options: Options, context: CommandContext, rehearsal: Any, probe: Probe, *, play: Any
) -> int:
    """Plays, cleans up whatever happens, and files what was seen. A second Ctrl-C stops the cleaning."""
    trouble: OperatorError | None = None
    try:
        play()
    except EXPECTED as error:
        trouble = trouble_of(error)
        context.screen.line(f"It stops here: {trouble.reason} Cleaning up.", colour=YELLOW)
    except KeyboardInterrupt:
        trouble = OperatorError("Interrupted.", code=Exit.INTERRUPTED)
        context.screen.line("Interrupted. Cleaning up; press Ctrl-C again to leave it for later.")
    finally:
        left = _leave_nothing(context, rehearsal)
    rehearsal.conclude()
    filed = file_report(
        rehearsal.there.hub, context, rehearsal.found, probe, folder=Path(options.report)
    )
    kept = f"What was seen until then is in {filed.machine}"
    if left:
        reason = f"Not all is as before: {'; '.join(left)}."
        raise OperatorError(reason, rehearsal.there.clean_command, kept)
    if trouble:
        raise OperatorError(trouble.reason, *trouble.advice, kept, code=trouble.code)
    context.screen.line("Done, and nothing is left of it.", colour=GREEN)
    context.screen.answer({"report": str(filed.machine)})
    return Exit.FOUND if filed.differing else Exit.DONE


def _leave_nothing(context: CommandContext, rehearsal: Any) -> list[str]:
    """What is left, in words; empty if all is as before."""
    target = rehearsal.there
    try:
        left = there.clean(target, context, made=rehearsal.unseen)
    except KeyboardInterrupt:
        raise OperatorError(
            "Interrupted while cleaning up. An HSM may still cost money.",
            target.clean_command,
            code=Exit.INTERRUPTED,
        ) from None
    return [*left, *rehearsal.not_restored]


def _clean(options: Options, context: CommandContext, target: There) -> int:
    """What earlier rehearsals left here, by their tag."""
    clusters, keys = there.rehearsed(target), there.rehearsed_keys(target)
    backups = there.rehearsed_backups(target)
    for one in clusters:
        context.screen.line(
            f"{one['ClusterId']}: {one['State']}, {count(len(one.get('Hsms', ())), 'HSM')}"
        )
    for thing in (*(f"key {one}" for one in keys), *backups):
        context.screen.line(thing)
    if not clusters and not keys and not backups:
        context.screen.line(f"No rehearsal left anything in {target.account}, {target.region}.")
        context.screen.answer({"left": []})
        return Exit.DONE
    _confirm(
        options,
        context,
        f"Type the account’s id, {target.account}, to remove them:",
        target.account,
    )
    left = there.clean(target, context)
    context.screen.line("Gone." if not left else f"Still there: {'; '.join(left)}. Run it again.")
    context.screen.answer({"left": left})
    return Exit.FOUND if left else Exit.DONE


def _require_all(context: CommandContext, *findings: Finding) -> None:
    """Shows each; raises OperatorError if one is wrong, before anything is made."""
    for one in findings:
        word, colour = MARKS[one.ok]
        context.screen.line(
            f"{context.screen.painted(f'{word:8}', colour)}{one.name:22} {one.says}"
        )
    wrong: Iterable[Finding] = [one for one in findings if one.ok is False]
    if wrong:
        advice: Sequence[str] = [one.do for one in wrong if one.do]
        raise OperatorError("Nothing was begun.", *advice, code=Exit.DECLINED)


def _confirm(options: Options, context: CommandContext, question: str, wanted: str) -> None:
    if options.yes != wanted:
        context.confirm(question, option=f"--yes {wanted}", wanted=wanted)


def _name() -> str:
    return f"rehearsal-{uuid.uuid4().hex[:8]}"


def _most(options: Options) -> timedelta:
    return timedelta(hours=options.hours)


VERB = Verb(
    "rehearse",
    run,
    about=f"{__doc__} People click in Slack as they would; it says who is needed. Asks before it begins, and cleans up whatever happens.",
    params=[
        option("--account", type=account_id, help="The account to rehearse in [the hub’s]."),
        option("--region", "where", metavar="REGION", help="Its Region [the hub’s]."),
        option(
            "--subnets", metavar="A,B", help="Make a cluster in these private subnets, one a zone."
        ),
        option("--key-store", metavar="CKS", help="Park this throwaway store, and put it back."),
        flag("--copy", "With --key-store: make a cluster from a backup of it too, with one HSM."),
        flag("--clean", "Remove what an earlier rehearsal left."),
        option("--account-profile", metavar="PROFILE", help="An AWS profile of that account."),
        option(
            "--hours",
            type=click.FloatRange(0.25, 24),
            default=1.75,
            show_default=True,
            help="How long an HSM of its own may live, or a store stay off.",
        ),
        option("--yes", metavar="ID", help="The id that it asks for, for scripts."),
        option("--report", default=".", metavar="FOLDER", help="Where the report is written [.]."),
        *place(region="--hub-region"),
    ],
)
