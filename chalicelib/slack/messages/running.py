"""A plan that is under way, or on its way back: the step it is at, and until when it can be stopped."""

from __future__ import annotations

from chalicelib.domain.overdue import Overdue
from chalicelib.domain.progress import LongWait, Milestone, last_stop, place_now, records
from chalicelib.domain.progress import progress as progress_of
from chalicelib.domain.recovery import lost_keys
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.slack.messages import (
    buttons,
    facts,
    goback,
    going,
    late,
    parts,
    progress,
    rescuing,
    steps,
)
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
from chalicelib.slack.messages.text import (
    DAY_AND_TIME,
    Block,
    Message,
    all_of,
    be,
    clean,
    the,
    upper_first,
)

VERBS = {
    Remedy.RESCUE: "Rescuing the keys of",
    Remedy.RELEASE: "Releasing",
    Remedy.RETIRE: "Retiring",
    Remedy.PARK: "Parking",
    Remedy.REPOINT: "Moving the keys of",
    Remedy.KEEP: "Keeping",
}


def message(shown: Shown) -> Message:
    if facts.goes_back(shown.case):
        return going_back(shown)
    plan = shown.case.current_plan
    milestones = progress_of(shown.situation.on(plan)) if plan else []
    verb = VERBS[plan.remedy] if plan else "Working on"
    about = f"{shown.cluster}{_from_its_store(plan)}"
    place = f"step {place_now(milestones)} of {len(milestones)}"
    now = doing(shown, plan, milestones) if plan and milestones else "working"
    at = f"{place}: {now}" if plan and milestones else now
    if late_step := late.found(shown):
        return _overdue(shown, milestones, late_step, title=f"{verb} {about}")
    where = f"{verb} {about}: {now}{f', {place}' if milestones else ''}."
    return Message(
        " ".join(filter(None, (where, _failing(shown), "Nothing for you to do."))),
        (
            header(f"{verb} {about}", HOURGLASS),
            says(
                bold(f"{upper_first(at)}."),
                text(" Nothing for you to do.\n"),
                *_way_back(shown, milestones),
            ),
            *progress.block(shown),
            *actions(f"act:{shown.version}", [*buttons.take_back(shown), *buttons.go_back(shown)]),
            *_store(shown),
            parts.decided(shown.case),
        ),
    )


def _store(shown: Shown) -> list[Block]:
    if shown.case.is_rescue:
        return rescuing.since(shown)
    name = facts.store_name(shown.case)
    return [note(f"Key store {name}")] if name else []


def _from_its_store(plan: Plan | None) -> str:
    return " from its key store" if plan and plan.remedy is Remedy.RELEASE else ""


def _overdue(shown: Shown, milestones: list[Milestone], step: Overdue, *, title: str) -> Message:
    """Under way, and far longer than usual: since when, and what to check."""
    still = late.STILL[step.operation]
    at = f"{upper_first(still)}."
    if milestones:
        at = f"Step {place_now(milestones)} of {len(milestones)}: {still}."
    stop = _way_back(shown, milestones) if milestones else []
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


def doing(shown: Shown, plan: Plan, milestones: list[Milestone]) -> str:
    """What goes on now. Until the step's own call is made, that is what it waits for."""
    case, milestone = shown.case, milestones[place_now(milestones) - 1]
    if case.snapshot and case.snapshot.cluster is None and not case.is_rescue:
        return "reading AWS once more to make sure"
    is_called = bool(records(milestone, shown.situation.on(plan)))
    if case.waiting_for and milestone.wait is not LongWait.KEYS_GO and not is_called:
        return clean(case.waiting_for, 150)
    return steps.doing(milestone, plan)


def _is_called(shown: Shown, step: Milestone) -> bool:
    plan = shown.case.current_plan
    return plan is not None and bool(records(step, shown.situation.on(plan)))


def _way_back(shown: Shown, milestones: list[Milestone]) -> list[Piece]:
    """Until when it can be stopped, what is gone for good already, and which keys go."""
    lost = lost_keys(shown.case)
    gone = f" {upper_first(the(lost, 'key'))} {be(lost)} already gone." if lost else ""
    stop = text(f"{_can_stop(shown, milestones)}{gone}")
    return [*_fails(shown, milestones), stop, *going.until_cancelled(shown.case)]


def _fails(shown: Shown, milestones: list[Milestone]) -> list[Piece]:
    if shown.case.is_rescue:
        return rescuing.fails(shown, milestones)
    words = _failing(shown)
    return [bold(words), text(" ")] if words else []


def _failing(shown: Shown) -> str:
    """Parked keys fail until somebody undoes it, repointed ones until the store is connected again."""
    case, plan = shown.case, shown.case.current_plan
    if case.is_rescue:
        return rescuing.failing(shown)
    store, number = case.store, len(facts.keys(case))
    is_off = store is not None and store.state is not StoreState.CONNECTED
    ends = {
        Remedy.PARK: "until this is undone",
        Remedy.REPOINT: "until the key store is connected",
    }
    until = ends.get(plan.remedy) if plan else None
    if not until or not number or not is_off:
        return ""
    return f"{upper_first(all_of(number, 'key'))} {'fails' if number == 1 else 'fail'} {until}."


def _can_stop(shown: Shown, milestones: list[Milestone]) -> str:
    if not buttons.go_back(shown):
        return "It can’t be stopped any more."
    last, now = last_stop(milestones), place_now(milestones)
    if last is None:
        rescue = "; no key is deleted" if shown.case.is_rescue else ""
        return f"You can stop at any time{rescue}."
    if last < now or (last == now and _is_called(shown, milestones[last - 1])):
        return "You can still stop what is left."
    if last == now:
        return f"You can still stop: step {last} of {len(milestones)} has changed nothing yet."
    return f"You can stop until step {last} of {len(milestones)} begins."


def going_back(shown: Shown) -> Message:
    """Cancel or undo under way, or a store that goes back as a key does not work elsewhere."""
    case, ending = shown.case, shown.case.ending
    lost = lost_keys(case)
    title = f"Putting {shown.cluster} back as it was"
    plan = case.current_plan
    parked = plan is not None and plan.remedy is Remedy.PARK
    if lost or (case.store is None and not parked):
        title = f"Stopping: putting back what is left of {shown.cluster}"
    pieces: list[Piece] = []
    if ending:
        asked = " asked to undo on " if ending.act is Act.UNDO else " cancelled on "
        pieces = [user(ending.by), text(asked), date(ending.at, DAY_AND_TIME), text(".\n")]
    elif failed := facts.failed_proof(case):
        key, why = facts.key_name(case, failed.target), clean(failed.error, 200).removesuffix(".")
        pieces = [bold(f"{key} does not work on the other cluster"), text(f" ({why}).\n")]
    why = clean(case.waiting_for, 150) if case.waiting_for else "reading AWS"
    pieces += [bold(f"Now: {why}."), text(" Nothing for you to do.\n")]
    pieces.append(text(goback.what_returns(case, shown.policy, again=False)))
    if step := late.found(shown):
        return _overdue(shown, [], step, title=f"Putting {shown.cluster} back")
    return Message(
        f"{title}. Nothing for you to do.",
        (header(title, HOURGLASS), says(*pieces), parts.decided(case)),
    )
