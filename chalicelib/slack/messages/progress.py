"""How far a plan is, as Slack's plan block: each step with its state, its times, and the last way back."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.overdue import USUALLY
from chalicelib.domain.progress import LongWait, Milestone, Standing, place_now, progress, records
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.slack.messages import facts, steps
from chalicelib.slack.messages.blocks import Piece, bold, date, plan, task, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import TIME, Block, all_of, be, clean, count, upper_first

STATUS = {
    Standing.DONE: "complete",
    Standing.NOW: "in_progress",
    Standing.NEXT: "pending",
    Standing.FAILED: "error",
}


def block(shown: Shown) -> list[Block]:
    """The plan in force with its steps; nothing if a case has no plan."""
    found = shown.case.current_plan
    if not found or not found.calls:
        return []
    context = shown.situation.on(found)
    milestones = progress(context)
    tasks = [
        task(number, steps.title(step, found), STATUS[step.standing], output(step, context))
        for number, step in enumerate(milestones, start=1)
    ]
    title = f"{found.remedy.capitalize()}: step {place_now(milestones)} of {len(milestones)}"
    return [plan(f"plan:{shown.version}", title, tasks)]


def output(step: Milestone, context: PlanContext) -> list[Piece]:
    """What there is to say of one step."""
    found = context.plan
    if step.standing is Standing.DONE:
        calls = records(step, context)
        return [date(calls[-1].at)] if calls else _without_call(step, found)
    pieces = _ahead(step, found) if step.standing is Standing.NEXT else _now(step, context)
    warning = [bold(last_way_back(step, found))] if step.is_final else _store_goes(step)
    return [*pieces, text(" "), *warning] if pieces and warning else [*pieces, *warning]


def _ahead(step: Milestone, found: Plan) -> list[Piece]:
    if found.quarantine_days and step.operation is Operation.SCHEDULE_KEY_DELETION:
        return [text("Only after Unlatch has asked again.")]
    if found.remedy is Remedy.RESCUE and step.operation is Operation.CONNECT_KEY_STORE:
        usual = count(int(USUALLY[step.operation].total_seconds() // 60), "minute")
        officer = "If AWS can’t log in, a crypto officer is needed."
        return [text(f"Usually {usual}, at most 20. {officer}")]
    return []


def _now(step: Milestone, context: PlanContext) -> list[Piece]:
    """Since when or until when; before the step's own call, what it waits for."""
    case, calls = context.case, records(step, context)
    if step.operation is None or step.operation is Operation.DISABLE_KEY:
        return _until(_end_of_wait(step, context))
    if calls:
        return [text("Started "), date(calls[0].at, TIME), text(f".{_usually(step)}")]
    if case.waiting_for and not case.is_closed:
        return [text(f"First: {clean(case.waiting_for, 150)}.")]
    return []


def _end_of_wait(step: Milestone, context: PlanContext) -> datetime | None:
    case, found = context.case, context.plan
    if step.wait is LongWait.KEYS_GO:
        return facts.keys_end(case)
    if step.operation is Operation.DISABLE_KEY:
        calls = records(step, context)
        return calls[0].at + timedelta(days=found.quarantine_days) if calls else None
    since = case.soaking_since
    return since + timedelta(days=found.soak_days) if since else None


def _until(end: datetime | None) -> list[Piece]:
    return [text("Until "), date(end), text(".")] if end else []


def _store_goes(step: Milestone) -> list[Piece]:
    if step.operation is not Operation.DELETE_KEY_STORE:
        return []
    return [text("After this step the store can’t be reconnected.")]


def _without_call(step: Milestone, found: Plan) -> list[Piece]:
    if step.wait is not LongWait.KEYS_GO:
        return []
    number = len(found.basis.keys)
    return [text(f"{upper_first(all_of(number, 'key'))} {be(number)} gone.")]


def _usually(step: Milestone) -> str:
    """How long it takes; of what has failed it would promise an end."""
    usual = USUALLY.get(step.operation) if step.operation else None
    if usual is None or step.standing is Standing.FAILED:
        return ""
    return f" Usually {count(int(usual.total_seconds() // 60), 'minute')}."


def last_way_back(step: Milestone, found: Plan) -> str:
    """What can't be undone once this step is over."""
    if step.operation is Operation.DELETE_KEY_STORE:
        return "After this step the store can’t be reconnected."
    if found.remedy.deletes_keys and step.operation is None:
        return "No way back for the keys after this step."
    return "After this step only a backup brings this cluster back."
