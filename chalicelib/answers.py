"""What a click or a command is answered with: one of a few values. They say nothing in Slack's words."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.clicks import NotPossible
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.dates import moment
from chalicelib.domain.state.plan import Remedy


@dataclass(frozen=True)
class Recorded:
    """All is well, and there is nothing to say: no Slack message needs to be made."""


@dataclass(frozen=True)
class Private:
    """A sentence for the person alone."""

    text: str


@dataclass(frozen=True)
class MayNot:
    """`unread` names the approver groups that Slack did not tell the members of."""

    refusal: Refusal
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class CanNot:
    """The case as it stands does not allow it."""

    why: NotPossible
    case: Case


@dataclass(frozen=True)
class WrongId:
    """Another cluster was typed than the case is about."""

    typed: str
    case: Case


@dataclass(frozen=True)
class FieldError:
    """A sentence beside a field of the dialog."""

    block_id: str
    text: str


@dataclass(frozen=True)
class PlanChanged:
    """The plan that the dialog showed is no longer offered: another dialog takes its place."""

    case: Case
    remedy: Remedy


@dataclass(frozen=True)
class Looking:
    """The dialog stays open, and shows the numbers of the next turn."""

    case: Case
    remedy: Remedy


Answer = Recorded | Private | MayNot | CanNot | WrongId | FieldError | PlanChanged | Looking


def filled_in(words: str, found: NotPossible, case: Case, *, by: str) -> str:
    """The words for what the case as it stands does not allow. `by`: who was first, as it is shown there."""
    return words.format(
        who=by if found.by else "Somebody",
        what=found.remedy.capitalize() if found.remedy else "This",
        when=moment(case.closed_at) if case.closed_at else "before",
        cluster=case.cluster_id,
        outcome=case.outcome,
    )
