"""How what the flows ask for may fail; each reason is a sentence that people can read."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What kind of failure it is: code decides by this, never by the reason's words."""

    OURS = "ours"
    """Unlatch itself says so, not AWS."""
    DENIED = "denied"
    BUSY = "busy"
    """AWS limits how often it is asked, which says nothing of what was asked for."""
    FAILED = "failed"
    """AWS failed inside."""
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    MOVED = "moved"
    """The world is not as the snapshot showed it."""
    MISSING = "missing"
    EXISTS = "exists"
    TOKEN_SPENT = "token_spent"  # noqa: S105  # a task token's state
    MAC_WRONG = "mac_wrong"
    REFUSED = "refused"
    """Any other no of AWS's."""


class TemporaryError(Exception):
    """AWS can't now; the reason is fit for Slack. `unknown`: the call may have landed all the same.

    `said`: AWS's own words, cleaned.
    """

    def __init__(
        self, reason: str, *, code: Code = Code.OURS, unknown: bool = False, said: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.unknown = unknown
        self.said = said


class PermanentError(Exception):
    """Only a person can fix this. Reason and advice are sentences fit for Slack.

    `said`: AWS's own words, cleaned.
    """

    def __init__(
        self,
        reason: str,
        *advice: str,
        code: Code = Code.OURS,
        request_id: str = "",
        said: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.advice = advice
        self.request_id = request_id
        self.said = said


class RequestError(Exception):
    """A request that is not granted: an HTTP status, and a sentence for whoever made it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class UnbelievedError(Exception):
    """The stored case is not what its last turn left: nothing is done on it."""


class SupersededError(Exception):
    """A later try of this turn, or another run, is at work: this one is left over, and ends.

    `generation` is that of the run which is to go on.
    """

    def __init__(self, case_id: str, generation: int) -> None:
        super().__init__(case_id)
        self.generation = generation


class ConflictError(Exception):
    """Somebody else wrote the case meanwhile; read it again and decide afresh."""
