"""A plan under way that waits for one fresh yes, as its next step can't be undone and the last yes is old."""

from __future__ import annotations

from chalicelib.domain.state.plan import Plan
from chalicelib.slack.messages import buttons, going, parts, progress
from chalicelib.slack.messages.blocks import WARNING, actions, bold, header, says, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Message, count


def message(shown: Shown, plan: Plan) -> Message:
    what = f"One fresh yes is needed to {plan.remedy} {shown.cluster}"
    old = f"The last approval is more than {count(plan.terms.go_again_after, 'hour')} old."
    may = buttons.may_choose(shown.case, plan.remedy)
    button = [buttons.choose(shown, plan.remedy, buttons.REVIEW)] if may else []
    return Message(
        f"{what}: the next step can’t be undone, and {old[:1].lower()}{old[1:]}",
        (
            header(what, WARNING),
            says(
                bold(f"{old} The next step can’t be undone."),
                text(f" {parts.nothing_done(shown)} The plan stands as it was approved."),
                *going.until_cancelled(shown.case),
            ),
            *actions(f"yes:{shown.version}", button),
            *progress.block(shown),
            parts.decided(shown.case),
            *actions(f"foot:{shown.version}", buttons.foot(shown)),
        ),
    )
