"""What an answer says, for tests that only ask for one kind of it."""

from __future__ import annotations

from chalicelib.answers import Answer, CanNot, MayNot, Private
from chalicelib.domain.rules.approval import Refusal
from chalicelib.slack import refusals


def private(answer: Answer) -> str:
    """The sentence for the person alone; "" if it is another answer."""
    match answer:
        case Private(text):
            return text
        case CanNot(why, case):
            return refusals.why_not(why, case)
    return ""


def refusal(answer: Answer) -> Refusal | None:
    return answer.refusal if isinstance(answer, MayNot) else None
