"""A plan that is under way, or on its way back: the step it is at, and until when it can be stopped."""

from __future__ import annotations

from chalicelib.domain.click import Act
from chalicelib.domain.overdue import Overdue
from chalicelib.domain.plan import Operation, Remedy
from chalicelib.slack.messages import buttons, facts, goback, going, late, parts, progress
from chalicelib.slack.messages.blocks import (
    HOURGLASS,
    WARNING,
    Piece,
    actions,
    bold,
    date,
    header,
    note,
    says,
    text,
    user,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.steps import KEYS_GONE, Stage, place_now, records, standing
from chalicelib.slack.messages.text import DAY_AND_TIME, Message, be, clean, the, upper_first

VERBS = {
    Remedy.RETIRE: "Retiring",
    Remedy.PARK: "Parking",
    Remedy.REPOINT: "Repointing",
    Remedy.KEEP: "Keeping",
}


def message(shown: Shown) -> Message:
    if shown.case.ending is not None:
        return going_back(shown)
    plan = facts.plan_of(shown.case)
    steps = standing(shown.case, plan, shown.now) if plan else []
    verb = VERBS[plan.remedy] if plan else "Working on"
    at = f"step {place_now(steps)} of {len(steps)}: {doing(shown, steps)}" if steps else "working"
    name = facts.store_name(shown.case)
    if late_step := late.found(shown):
        return _overdue(shown, steps, late_step, title=f"{verb} {shown.cluster}")
    return Message(
        f"{verb} {shown.cluster}, {at}. Nothing for you to do.",
        (
            header(f"{verb} {shown.cluster}", HOURGLASS),
            says(
                bold(f"{upper_first(at)}."),
                text(" Nothing for you to do.\n"),
                *_way_back(shown, steps),
            ),
            *progress.block(shown),
            *actions(f"act:{shown.version}", [*buttons.take_back(shown), *buttons.go_back(shown)]),
            *([note(f"Key store {name}")] if name else []),
            parts.decided(shown.case),
        ),
    )


def _overdue(shown: Shown, steps: list[Stage], step: Overdue, *, title: str) -> Message:
    """Under way, and far longer than usual: since when, and what to check."""
    still = late.STILL[step.operation]
    at = f"Step {place_now(steps)} of {len(steps)}: {still}." if steps else f"{upper_first(still)}."
    stop = _way_back(shown, steps) if steps else []
    return Message(
        f"{title}: {still}, far longer than usual. Unlatch goes on waiting. What to check is in "
        "the message.",
        (
            header(f"{title} takes far longer than usual", WARNING),
            says(bold(at), *late.says(step), *stop),
            late.checks(shown, step),
            *progress.block(shown),
            *actions(f"act:{shown.version}", buttons.go_back(shown)),
            parts.decided(shown.case),
        ),
    )


def doing(shown: Shown, steps: list[Stage]) -> str:
    """What goes on now. Until the step's own call is made, that is what it waits for."""
    plan, case = facts.plan_of(shown.case), shown.case
    step = steps[place_now(steps) - 1]
    if plan and case.snapshot and case.snapshot.cluster is None:
        return "reading AWS once more to make sure"
    if case.waiting_for and step.title != KEYS_GONE.title and not _is_called(shown, step):
        return clean(case.waiting_for, 150)
    return step.doing


def _is_called(shown: Shown, step: Stage) -> bool:
    plan = facts.plan_of(shown.case)
    return plan is not None and bool(records(step, shown.case, plan))


def _way_back(shown: Shown, steps: list[Stage]) -> list[Piece]:
    """Until when it can be stopped, what is gone for good already, and which keys go."""
    lost = facts.lost_keys(shown.case)
    gone = f" {upper_first(the(lost, 'key'))} {be(lost)} already gone." if lost else ""
    return [text(f"{_can_stop(shown, steps)}{gone}"), *going.until_cancelled(shown.case)]


def _can_stop(shown: Shown, steps: list[Stage]) -> str:
    if not buttons.go_back(shown):
        return "It can’t be stopped any more."
    last, now = _last_stop(steps), place_now(steps)
    if last is None:
        return "You can stop at any time."
    if last < now or (last == now and _is_called(shown, steps[last - 1])):
        return "You can still stop what is left."
    return f"You can stop until step {last} of {len(steps)} begins."


def _last_stop(steps: list[Stage]) -> int | None:
    """The step after which not everything comes back: the store's deletion, else the marked one."""
    for number, step in enumerate(steps, start=1):
        if step.operation is Operation.DELETE_KEY_STORE:
            return number
    return next((n for n, step in enumerate(steps, start=1) if step.is_final), None)


def going_back(shown: Shown) -> Message:
    """Cancel or undo under way."""
    case, ending = shown.case, shown.case.ending
    lost = facts.lost_keys(case)
    title = f"Putting {shown.cluster} back as it was"
    plan = facts.plan_of(case)
    parked = plan is not None and plan.remedy is Remedy.PARK
    if lost or (facts.store(case) is None and not parked):
        title = f"Stopping: putting back what is left of {shown.cluster}"
    pieces: list[Piece] = []
    if ending:
        asked = " asked to undo, " if ending.act is Act.UNDO else " cancelled, "
        pieces = [user(ending.by), text(asked), date(ending.at, DAY_AND_TIME), text(".\n")]
    why = clean(case.waiting_for, 150) if case.waiting_for else "reading AWS"
    pieces += [bold(f"Now: {why}."), text(" Nothing for you to do.\n")]
    pieces.append(text(goback.what_returns(case, shown.policy, again=False)))
    if step := late.found(shown):
        return _overdue(shown, [], step, title=f"Putting {shown.cluster} back")
    return Message(
        f"{title}. Nothing for you to do.",
        (header(title, HOURGLASS), says(*pieces), parts.decided(case)),
    )
