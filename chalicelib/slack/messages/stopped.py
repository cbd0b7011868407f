"""A case that only a person can free: what AWS said, how things stand, what to do in which order."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.state.case import CallRecord, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import buttons, facts, going, key_used, parts, progress
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    actions,
    bold,
    code,
    date,
    header,
    items,
    line,
    note,
    rich,
    says,
    text,
    user,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, clean, count, cut, ident, listing

PRESS = "Press Try again. If AWS has changed meanwhile, Unlatch asks again first."
MOST_ADVICE, MOST_TOLD = 10, 300
ON_A_KEY = (Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY, Operation.CANCEL_KEY_DELETION)
COMMANDS = ("aws ", "cloudhsm-cli ", "read ")


def message(shown: Shown) -> Message:
    waiting = returning_keys(shown.case)
    if waiting:
        return _halfway(shown, waiting)
    case = shown.case
    again = buttons.try_again(shown)
    end = " Nothing more happens until somebody presses Try again." if again else ""
    return Message(
        f"Stopped: {shown.cluster} needs a person. {cut(_why(case), MOST_TOLD)}{end}",
        (
            header(f"Stopped: {shown.cluster} needs a person", WARNING),
            says(
                bold(_why(case)),
                text(f"{end}\n"),
                text(_as_it_is(case)),
                *going.still_going(case),
            ),
            rich(line(bold("What to do")), items("ordered", _steps(case, []))),
            *actions(f"act:{shown.version}", [*again, *buttons.go_back(shown)]),
            *(progress.block(shown) if case.has_begun else []),
            *_aws_said(facts.refused(case)),
            parts.decided(case),
        ),
    )


def _halfway(shown: Shown, waiting: Sequence[Key]) -> Message:
    """Keys go although the rest is on hold: that comes first, and the way to keep them."""
    case, number = shown.case, len(waiting)
    names = going.named(case, [key.key_id for key in waiting])
    keys = count(number, "key")
    buttons_now = [*buttons.go_back(shown, green=True), *buttons.try_again(shown, green=False)]
    cancel = [text(f"If anybody needs {names}, {_how(case)} before "), *_first_goes(waiting)]
    return Message(
        f"Stopped halfway: {keys} of {shown.cluster} will be deleted{going.day(waiting)}"
        f"{'' if case.ending else ' unless somebody cancels'}.",
        (
            header(f"Stopped halfway: {keys} of {shown.cluster} will be deleted", WARNING),
            says(
                *_will_go(case, names),
                *going.when(waiting),
                text(f". {_uses(case, number)}\n{_why(case)}{_on_hold(case)}"),
            ),
            *actions(f"act:{shown.version}", buttons_now),
            rich(line(bold("What to do")), items("ordered", _steps(case, [cancel]))),
            *going.each_key(shown),
            *(key_used.uses(shown) if case.key_uses else []),
            *_aws_said(facts.refused(case)),
            *progress.block(shown),
            note(going.WATCHED),
            parts.decided(case),
        ),
    )


def _will_go(case: Case, names: str) -> list[Piece]:
    """Somebody may have cancelled already, in vain."""
    if case.ending is None:
        return [bold(f"Unless somebody cancels, {names} will be deleted")]
    return [user(case.ending.by), bold(f" cancelled, but {names} will still be deleted")]


def _how(case: Case) -> str:
    return "do the next step" if case.ending else "cancel"


def _on_hold(case: Case) -> str:
    return "" if case.ending else " The rest of the plan is on hold."


def _first_goes(waiting: Sequence[Key]) -> list[Piece]:
    dates = [key.deletion_date for key in waiting if key.deletion_date]
    return [date(min(dates)), text(".")] if dates else [text("that.")]


def _uses(case: Case, number: int) -> str:
    stopped = "It has stopped working" if number == 1 else "They have stopped working"
    if case.key_uses:
        who = listing(dict.fromkeys(clean(use.who or "somebody") for use in case.key_uses[-3:]))
        return f"{stopped}, and {who} tried to use {'it' if number == 1 else 'one'} and failed."
    return f"{stopped}; nobody has tried to use {'it' if number == 1 else 'them'} so far."


def _why(case: Case) -> str:
    """The reason; and the key that it was about, which the reason can't name."""
    reason = clean(case.reason, 600) if case.reason else "Unlatch can’t go on by itself."
    call = facts.refused(case)
    if call is None or call.operation not in ON_A_KEY:
        return reason
    return f"{reason} It was about {facts.key_name(case, call.target)}."


def _as_it_is(case: Case) -> str:
    return facts.as_it_is(case) if case.has_begun else "Nothing has been changed in AWS."


def _steps(case: Case, first: list[list[Piece]]) -> list[list[Piece]]:
    """The domain's advice, and then the button."""
    words = [clean(item, 500) for item in case.advice[:MOST_ADVICE]]
    if not words:
        words = ["Find out what stands in the way; the thread has every call and its answer."]
    return [*first, *map(_step, words), [text(PRESS)]]


def _step(words: str) -> list[Piece]:
    """A sentence; a command behind its colon as one that can be copied."""
    sentence, _, command = words.partition(": ")
    if not command.startswith(COMMANDS):
        return [text(words)]
    return [text(f"{sentence}: "), code(command)]


def _aws_said(call: CallRecord | None) -> list[Block]:
    if call is None:
        return []
    said = clean(call.error or "no reason", 400)
    request = f" Request id {ident(call.request_id)}" if call.request_id else ""
    return [note(f"AWS answered {call.operation.value} with: “{said}”.{request}")]
