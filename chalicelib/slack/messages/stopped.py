"""A case that only a person can free: what AWS said, how things stand, what to do in which order."""

from __future__ import annotations

from chalicelib.domain.case import CallRecord, Case
from chalicelib.slack.messages import buttons, facts, parts, progress
from chalicelib.slack.messages.blocks import (
    WARNING,
    actions,
    bold,
    header,
    items,
    line,
    note,
    rich,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, clean, ident

PRESS = "Press Try again. If AWS has changed meanwhile, Unlatch asks again first."
MOST_ADVICE = 10


def message(shown: Shown) -> Message:
    case = shown.case
    again = buttons.try_again(shown)
    reason = clean(case.reason, 600) if case.reason else "Unlatch can’t go on by itself."
    end = " Nothing more happens until you press Try again." if again else ""
    return Message(
        f"Stopped: {shown.cluster} needs a person.{end}",
        (
            header("Stopped: a person is needed", WARNING),
            says(bold(reason), text(f"{end}\n"), text(_as_it_is(case))),
            rich(line(bold("What to do")), items("ordered", ([text(w)] for w in _advice(case)))),
            *actions(f"act:{shown.version}", [*again, *buttons.go_back(shown)]),
            *(progress.block(shown) if case.has_begun else []),
            *_aws_said(facts.refused(case)),
            note(f"{shown.cluster} · Account {ident(case.account)} · {ident(case.region)}"),
            parts.decided(case),
        ),
    )


def _as_it_is(case: Case) -> str:
    return facts.as_it_is(case) if case.has_begun else "Nothing has been changed in AWS."


def _advice(case: Case) -> list[str]:
    """The domain's advice, ending with Try again."""
    words = [clean(item, 500) for item in case.advice[:MOST_ADVICE]]
    if not words:
        words = ["Find out what stands in the way; the thread has every call and its answer."]
    return words if any("try again" in w.lower() for w in words) else [*words, PRESS]


def _aws_said(call: CallRecord | None) -> list[Block]:
    if call is None:
        return []
    words = f"AWS said to {call.operation.value}: {clean(call.error or 'no reason', 200)}"
    request = f", request {ident(call.request_id)}" if call.request_id else ""
    return [note(words + request)]
