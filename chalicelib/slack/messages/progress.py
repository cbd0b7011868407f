"""How far a plan is, as Slack's plan block: each step with its state, its times, and the last way back."""

from __future__ import annotations

from chalicelib.domain.case import Case
from chalicelib.domain.model import Durations
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import Piece, bold, date, plan, task, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.steps import KEYS_GONE, Stage, Standing, place_now, records, standing
from chalicelib.slack.messages.text import TIME, Block, all_of, be, clean, count, upper_first

STATUS = {
    Standing.DONE: "complete",
    Standing.NOW: "in_progress",
    Standing.NEXT: "pending",
    Standing.FAILED: "error",
}
USUAL = Durations()
USUALLY = {
    Operation.DISCONNECT_KEY_STORE: USUAL.disconnect,
    Operation.CONNECT_KEY_STORE: USUAL.connect,
    Operation.DELETE_HSM: USUAL.delete_hsm,
    Operation.DELETE_CLUSTER: USUAL.delete_cluster,
}


def block(shown: Shown) -> list[Block]:
    """The plan in force with its steps; nothing where a case has no plan."""
    found = facts.plan_of(shown.case)
    steps = standing(shown.case, found, shown.now) if found else []
    if not found or not steps:
        return []
    tasks = [
        task(number, step.title, STATUS[step.standing], output(step, shown.case, found))
        for number, step in enumerate(steps, start=1)
    ]
    title = f"{found.remedy.capitalize()}: step {place_now(steps)} of {len(steps)}"
    return [plan(f"plan:{shown.version}", title, tasks)]


def output(step: Stage, case: Case, found: Plan) -> list[Piece]:
    """What there is to say of one step."""
    calls = records(step, case, found)
    pieces: list[Piece] = []
    if step.standing is Standing.DONE:
        return [date(calls[-1].at)] if calls else _without_call(step, found)
    if step.standing is not Standing.NEXT:
        if step.title == KEYS_GONE.title:
            pieces += _until_keys_gone(case)
        elif calls:
            pieces += [text("Started "), date(calls[0].at, TIME), text(f".{_usually(step)}")]
        elif case.waiting_for and not case.is_closed:
            pieces.append(text(f"First: {clean(case.waiting_for, 150)}."))
    warning = [bold(last_way_back(step, found))] if step.is_final else _store_goes(step)
    return [*pieces, text(" "), *warning] if pieces and warning else [*pieces, *warning]


def _store_goes(step: Stage) -> list[Piece]:
    if step.operation is not Operation.DELETE_KEY_STORE:
        return []
    return [text("After this step the store can’t be reconnected.")]


def _without_call(step: Stage, found: Plan) -> list[Piece]:
    if step.title != KEYS_GONE.title:
        return []
    number = len(found.basis.keys)
    return [text(f"{upper_first(all_of(number, 'key'))} {be(number)} gone.")]


def _until_keys_gone(case: Case) -> list[Piece]:
    end = facts.keys_end(case)
    return [text("Until "), date(end), text(".")] if end else [text("As soon as AWS shows it.")]


def _usually(step: Stage) -> str:
    usual = USUALLY.get(step.operation) if step.operation else None
    if usual is None:
        return ""
    return f" Usually {count(int(usual.total_seconds() // 60), 'minute')}."


def last_way_back(step: Stage, found: Plan) -> str:
    """What can't be undone once this step is over."""
    if step.operation is Operation.DELETE_KEY_STORE:
        return "After this step the store can’t be reconnected."
    if found.remedy is Remedy.RETIRE and step.operation is None:
        return "No way back for the keys after this step."
    return "After this step only a backup brings this cluster back."
