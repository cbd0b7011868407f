"""How what the flows ask for may fail; each reason is a sentence that people can read."""

from __future__ import annotations


class TryLater(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """AWS can't now; the reason is fit for Slack. `unknown`: the call may have landed all the same.

    `said`: AWS's own words, cleaned.
    """

    def __init__(self, reason: str, *, unknown: bool = False, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.said = said


class GiveUp(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """Only a person can fix this. Reason and advice are sentences fit for Slack.

    `said`: AWS's own words, cleaned. `denied`: a policy stands in the way; of what the call was for it
    says nothing.
    """

    def __init__(
        self,
        reason: str,
        *advice: str,
        request_id: str = "",
        said: str = "",
        denied: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.request_id = request_id
        self.said = said
        self.denied = denied


class Refused(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """A request that is not granted: an HTTP status, and a sentence for whoever made it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Unbelieved(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """The stored case is not what its last turn left: nothing is done on it."""


class Superseded(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """A later try of this turn, or another run, is at work: this one is left over, and ends.

    `generation` is that of the run which is to go on.
    """

    def __init__(self, case_id: str, generation: int) -> None:
        super().__init__(case_id)
        self.generation = generation


class Conflict(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """Somebody else wrote the case meanwhile; read it again and decide afresh."""
