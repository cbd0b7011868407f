"""A case that nobody decided in time: nothing was changed, and how to start again."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.recovery import can_restore
from chalicelib.domain.rules.approval import approved
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Plan
from chalicelib.slack.messages import buttons, facts, going, parts
from chalicelib.slack.messages.blocks import (
    Piece,
    actions,
    bold,
    code,
    header,
    marked_note,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, count, ident, listing, person


def message(shown: Shown) -> Message:
    hours = count(shown.policy.expiry_hours, "hour")
    changed = "Nothing was changed."
    if shown.case.has_begun:
        changed = facts.as_it_is(shown.case)
    return Message(
        f"Closed: nobody decided about {shown.cluster} in {hours}. {changed}",
        (
            header(f"Closed: nobody decided about {shown.cluster}"),
            says(
                *still_there(shown),
                text(" "),
                bold(changed),
                *going.still_going(shown.case),
                text("\n"),
                *parts.start_again(shown.case),
            ),
            *actions(f"act:{shown.version}", half_done(shown)),
            _approvals(shown),
        ),
    )


def half_done(shown: Shown) -> list[Block]:
    """The way back of a case that closed with our changes left."""
    restores = shown.case.has_begun and can_restore(shown.situation)
    return buttons.go_back(shown) if restores else []


def still_there(shown: Shown) -> list[Piece]:
    """“cluster-… is still there, and so is the key store payments.”"""
    world = shown.case.snapshot
    if world is not None and world.cluster is None:
        return [code(shown.cluster), text(" is gone.")]
    pieces = [code(shown.cluster), text(" is still there")]
    if shown.case.store is None:
        return [*pieces, text(".")]
    name = facts.store_name(shown.case)
    return [*pieces, text(", and so is the key store "), bold(name), text(".")]


def _approvals(shown: Shown) -> Block:
    """The approvals that were not enough."""
    case = shown.case
    begun = [(plan, given) for plan in case.offers if (given := approved(plan, case))]
    last = max(begun, key=lambda item: max(click.at for click in item[1]), default=None)
    words = [_so_far(*last)] if last else []
    return marked_note(" · ".join([*words, f"`{ident(case.case_id)}`"]))


def _so_far(plan: Plan, given: Sequence[Click]) -> str:
    names = listing(person(click.by) for click in given)
    return f"{len(given)} of {plan.terms.people} approvals to {plan.remedy}, by {names}"
