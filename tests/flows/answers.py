"""What an answer says, for tests that only ask for one kind of it."""

from __future__ import annotations

from chalicelib.answers import Answer, MayNot, Private
from chalicelib.domain.rules.approval import Refusal


def private(answer: Answer) -> str:
    """The sentence for the person alone; "" if it is another answer."""
    return answer.text if isinstance(answer, Private) else ""


def refusal(answer: Answer) -> Refusal | None:
    return answer.refusal if isinstance(answer, MayNot) else None
