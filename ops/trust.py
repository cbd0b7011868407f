"""`unlatch trust CASE`: vouches for a stored case that no run remembers, so that its turns go on with it.

Shows what the case says of itself and what AWS says, and wants a reason. Whoever may start the
state machine's runs may do this, and with it make the bot believe anything: few should.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from chalicelib.aws.store.body import mark_of
from chalicelib.aws.store.cases import NoCaseError, Stored, readable
from chalicelib.domain.rules.approval import is_reason
from chalicelib.domain.rules.trust import Mark
from chalicelib.domain.state.case import Case
from chalicelib.failures import ConflictError
from chalicelib.flows.remembering import MOST_RUNS
from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, Console
from ops.diagnose import diagnosis_of
from ops.diagnosis import show
from ops.errors import OperatorError
from ops.exits import Exit
from ops.hub import Hub, connect_to_stage
from ops.verb import Options, Verb, argument, flag, option, place


def run(options: Options, context: CommandContext) -> int:
    if not is_reason(options.reason):
        raise OperatorError("The reason says nothing.", "Write why, for those who read the log.")
    hub = connect_to_stage(options, context.clock)
    stored = _stored(hub, options.case)
    case, mark = stored.base, mark_of(stored.body)
    _tell(context.screen, case, mark)
    known = remembered(hub, options.case, stored.inbox.generation)
    if mark.digest == next((digest for _, digest in known if digest), ""):
        context.screen.line("Its run remembers this body: there is nothing to trust.", colour=GREEN)
        context.screen.answer({"case_id": options.case, "is_remembered": True})
        return Exit.DONE
    for generation, digest in known:
        words = digest[:12] or "no body yet"
        context.screen.line(f"  Run {generation} remembers {words}", colour=RED)
    if not known:
        context.screen.line("  No run remembers it any more.", colour=YELLOW)
    _show_aws(hub, options, case, context)
    if options.yes != options.case:
        context.confirm(
            f"Type {options.case} to vouch for this body:",
            option=f"--yes {options.case}",
            wanted=options.case,
        )
    _trust(hub, options, stored, mark)
    by = hub.caller.arn
    context.screen.line(f"{by} vouches for {mark.digest[:12]}. The case goes on.", colour=GREEN)
    context.screen.answer({"case_id": options.case, "body": mark.digest, "trusted_by": by})
    return Exit.DONE


def _stored(hub: Hub, case_id: str) -> Stored:
    try:
        with readable(case_id):
            stored: Stored = hub.cases.stored(case_id)
            said = stored.base.case_id
    except NoCaseError:
        raise OperatorError(f"There is no case {case_id} in stage {hub.stage}.") from None
    if stored.body is None:
        raise OperatorError(f"{case_id} has no body: its first turn makes one from the trigger.")
    if said != case_id:
        raise OperatorError(f"The stored body is of {said}, not of {case_id}: it can’t be trusted.")
    return stored


def remembered(hub: Hub, case_id: str, generation: int) -> list[tuple[int, str]]:
    """Generation and digest of what the newest runs remember, the newest first; "" if none was given."""
    runs: Any = hub.by_name.ports.runs
    found = []
    for one in range(generation, max(generation - MOST_RUNS, -1), -1):
        digest = runs.remembered(case_id, one)
        if digest is not None:
            found.append((one, str(digest)))
    return found


def _tell(screen: Console, case: Case, mark: Mark) -> None:
    """What the stored body says; nobody vouches for it yet."""
    screen.title(f"{case.case_id}, as it is stored (body {mark.digest[:12]})")
    screen.line(f"  {case.cluster_id} in {case.account} {case.region}, {case.phase}")
    plan = case.current_plan
    if plan:
        where = f"{plan.cluster_id} in {plan.account} {plan.region}"
        screen.line(f"  Plan {plan.plan_hash[:8]}: {plan.remedy} {where}")
    for click in (*case.approved, *case.confirmed):
        screen.line(f"  {click.act} by {click.by}, round {click.round}")
    for call in case.calls:
        screen.line(f"  {call.operation} of {call.target}: {call.status}")


def _show_aws(hub: Hub, options: Options, case: Case, context: CommandContext) -> None:
    about = SimpleNamespace(
        account=case.account, where=case.region, cluster=case.cluster_id, assume=options.assume
    )
    show(diagnosis_of(hub, about, hub.by_name.settings), context.screen, "")


def _trust(hub: Hub, options: Options, stored: Stored, mark: Mark) -> None:
    """The next generation is of a run that was given this digest: another body it would refuse."""
    generation = stored.inbox.generation
    moved = hub.cases.writes.update(
        options.case,
        UpdateExpression="ADD generation :one, version :one",
        ConditionExpression="generation=:generation",
        ExpressionAttributeValues={":one": 1, ":generation": generation},
    )
    if moved is None:
        raise ConflictError(options.case)
    trusted = {"by": hub.caller.arn, "why": options.reason}
    runs: Any = hub.by_name.ports.runs
    if not runs.start(options.case, generation + 1, body=mark.digest, trusted=trusted):
        raise ConflictError(options.case)


VERB = Verb(
    "trust",
    run,
    about=__doc__,
    params=[
        argument("case"),
        option("--reason", required=True, help="Why, for the log."),
        option("--yes", default="", metavar="CASE", help="The case once more, for scripts."),
        flag("--assume", "Read as Unlatch’s reader role."),
        *place(),
    ],
)
