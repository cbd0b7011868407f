"""`unlatch destroy`: takes functions, API, rules and roles down. Keeps what holds data unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.config import Settings
from chalicelib.domain.rules.waiting import scheduled
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.plan import Operation
from ops.command_context import CommandContext
from ops.console import GREEN, YELLOW, count, moment
from ops.deployment import chalice, infra, remains
from ops.deployment.found import NOT_THERE, found
from ops.errors import OperatorError
from ops.exits import Exit
from ops.hub import Hub, connect
from ops.verb import Options, Verb, flag, option, place

LONGEST_WINDOW = timedelta(days=31)
"""KMS makes a key wait 30 days at most, and takes up to a day more to delete it."""


def run(options: Options, context: CommandContext) -> int:
    hub, screen = connect(options, context.clock), context.screen
    if not remains.anything(hub, with_data=options.also_data):
        raise hub.not_deployed()
    screen.title(f"Taking down Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    cases = _cases(hub)
    _refuse_waiting_keys(cases, context.clock())
    if not options.leave_cases:
        _refuse_open_cases(hub, cases)
    for line in _what_dies(hub, cases, also_data=options.also_data):
        screen.line(f"  {line}", colour=YELLOW)
    _confirm(options, context, hub)
    settings = _settings(hub)
    seal_keys = remains.seal_keys(hub)
    chalice.delete(hub, context, deployed=found(hub))
    infra.delete_accounts(hub, settings=settings, say=context.say)
    if options.also_data:
        infra.delete_resources(hub, say=context.say)
        for line in remains.delete_data(hub, seal_keys):
            context.say(line)
    left = [f"{r['resource_type']} {r['name']}" for r in found(hub)["resources"]]
    for line in left:
        screen.line(f"Still there: {line}", colour=YELLOW)
    kept = list(remains.elsewhere(hub, settings, with_data=options.also_data))
    screen.line("Done." if not left else "Not all of it is gone. Run it again.", colour=GREEN)
    screen.title("What remains, for you to take away")
    for line in kept:
        screen.line(f"  {line}")
    screen.answer({"left": left, "remains": kept})
    return Exit.FOUND if left else Exit.DONE


def _confirm(options: Options, context: CommandContext, hub: Hub) -> None:
    """The stage’s name, typed; a yes is typed too easily."""
    given = options.yes_destroy
    if given == hub.stage:
        return
    if given:
        reason = f"--yes-destroy names {given}, and the stage is {hub.stage}. Nothing was done."
        raise OperatorError(reason, code=Exit.DECLINED)
    context.confirm(
        f"Type the stage’s name ({hub.stage}) to take it down:",
        option=f"--yes-destroy {hub.stage}",
        wanted=hub.stage,
    )


def _cases(hub: Hub) -> list[Case]:
    """All there ever were; none if the table is gone already."""
    try:
        return list(hub.cases.everything())
    except ClientError as error:
        if code_of(error) in NOT_THERE:
            return []
        raise


def _refuse_waiting_keys(cases: Iterable[Case], now: datetime) -> None:
    """Nobody would watch their use, give the last call, or bring them back."""
    waiting = {case.case_id: until for case in cases if (until := _wait_until(case)) > now}
    if waiting:
        listed = ", ".join(f"{case_id} (until {moment(at)})" for case_id, at in waiting.items())
        raise OperatorError(
            f"Keys whose deletion Unlatch scheduled may still wait: {listed}. Nothing was done.",
            "Cancel those cases, which brings the keys back, or wait until the keys are gone",
            code=Exit.DECLINED,
        )


def _wait_until(case: Case) -> datetime:
    """When the last key that this case scheduled is gone at the latest; long ago if none waits."""
    if case.outcome is Outcome.RETIRED:  # the cluster is gone, and its keys went before it
        return case.opened_at
    calls = (case.call(Operation.SCHEDULE_KEY_DELETION, key) for key in scheduled(case))
    ends = (call.at + LONGEST_WINDOW for call in calls if call)
    return max(ends, default=case.opened_at)


def _refuse_open_cases(hub: Hub, cases: Iterable[Case]) -> None:
    still_open = [case.case_id for case in cases if not case.is_closed]
    if still_open:
        raise OperatorError(
            f"{count(len(still_open), 'case')} still open: {', '.join(still_open)}",
            f"See them: unlatch cases --stage {hub.stage}",
            "Close them in Slack, or say --leave-cases",
            code=Exit.DECLINED,
        )


def _what_dies(hub: Hub, cases: list[Case], *, also_data: bool) -> Iterator[str]:
    yield "functions, API, rules and roles of the stage: nobody hears of failed deletes any more"
    undoable = [case for case in cases if case.outcome in (Outcome.PARKED, Outcome.REPOINTED)]
    if undoable:
        yield f"the way back by a button of {count(len(undoable), 'case')} (parked, repointed)"
    if not also_data:
        if infra.is_there(hub):
            stack = infra.resources_stack(hub)
            yield f"kept: the stack {stack} with all cases, secrets and seal keys"
        return
    yield f"the table with {count(len(cases), 'case')}, and so all evidence of who approved what"
    yield "  to keep it: unlatch audit export CASE, for each"
    yield "both secrets, the dead letters, the API’s log, the record of what is deployed"
    yield f"both seal keys, in {remains.WINDOW_DAYS} days: then no seal can be verified any more"


def _settings(hub: Hub) -> Settings:
    """Those of the functions; if they are gone already, the names alone."""
    try:
        return hub.settings
    except OperatorError:
        return hub.by_name.settings


VERB = Verb(
    "destroy",
    run,
    about=f"{__doc__} The stack with the table, the secrets and the seal keys stays, so that a "
    "later deploy goes on with all cases.",
    params=[
        option(
            "--yes-destroy",
            metavar="STAGE",
            help="Don’t ask; names the stage once more. For scripts.",
        ),
        flag(
            "--also-data",
            "Also delete that stack, and the table with all cases, both secrets, the dead letters "
            f"and the API’s log at once, the seal keys in {remains.WINDOW_DAYS} days.",
        ),
        flag(
            "--leave-cases",
            "Go ahead although cases are open: nobody finishes or undoes what has begun.",
        ),
        *place(),
    ],
)
