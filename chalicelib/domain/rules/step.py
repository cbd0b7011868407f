"""What decide may say to do next: ask people, make one kind of AWS call, wait, or close."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.state.case import Case, Difference, Outcome
from chalicelib.domain.state.plan import Operation


@dataclass(frozen=True)
class Call:
    """One mutation, or one batch of the same key call. `why` is a present participle for people."""

    operation: Operation
    targets: tuple[str, ...]
    why: str
    window_days: int = 0
    to_cluster: str = ""
    made_for: str = ""


@dataclass(frozen=True)
class Wait:
    """Nothing to do until AWS has got further. `seconds` is when to look again."""

    seconds: int
    why: str


@dataclass(frozen=True)
class Ask:
    """Only people can decide how to go on; `differences` and `gates` say why.

    `once_more`: the approved plan stands, and one fresh yes to it is enough.
    """

    differences: tuple[Difference, ...] = ()
    gates: tuple[Gate, ...] = ()
    once_more: bool = False


@dataclass(frozen=True)
class Close:
    """The end, with a sentence and what a person may do next."""

    outcome: Outcome
    reason: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """The step, and the case as it stands with it."""

    case: Case
    step: Step


Move = Call | Wait | Close
"""What needs no answer by people."""
Step = Move | Ask
