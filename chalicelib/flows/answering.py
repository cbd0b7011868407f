"""Trouble with AWS becomes a private sentence: who clicks or writes is never left without an answer. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.answers import Answer, Private
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Ports


def answered(
    ports: Ports, by: str, answer: Callable[[], Answer], *, not_now: Callable[[str], Answer]
) -> Answer:
    """`not_now`: what to say if AWS can't now, for this reason."""
    try:
        return answer()
    except TemporaryError as trouble:
        ports.log("click not recorded", by=by, why=trouble.reason)
        return not_now(trouble.reason)
    except PermanentError as stop:
        ports.log("click not recorded", by=by, why=stop.reason)
        return Private(" ".join((stop.reason, *stop.advice)))
