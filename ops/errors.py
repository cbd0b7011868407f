"""Trouble in words for an operator: what is wrong, and what helps. Knows no AWS."""

from __future__ import annotations

from ops.exits import Exit


class OperatorError(Exception):
    """What is wrong, and what to do about it, a sentence each."""

    def __init__(self, reason: str, *advice: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.code = code
