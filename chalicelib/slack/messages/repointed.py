"""A repointed store: its keys run on the other cluster, and this one is deleted."""

from __future__ import annotations

from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.slack.messages import buttons, facts, goback, parts, retired
from chalicelib.slack.messages.blocks import CHECK_MARK, actions, bold, code, header, says, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, be, count, ident, upper_first


def message(shown: Shown) -> Message:
    case, plan = shown.case, shown.case.current_plan
    number = facts.planned_keys(case)
    other = ident(plan.target_cluster_id) if plan and plan.target_cluster_id else "another cluster"
    moved = "key" if number == 1 else count(number, "key")
    hsms = count(len(plan.basis.zones), "HSM") if plan else "HSMs"
    return Message(
        f"Done: {shown.cluster} is deleted. Its {moved} moved to {other}.",
        (
            header(f"Done: {shown.cluster} is deleted, its keys moved", CHECK_MARK),
            says(
                *parts.store_pieces(case),
                text(" now uses "),
                code(other),
                text(". "),
                bold(_kept(case, number)),
                text(f"\nThe {hsms} and the cluster are gone."),
                *parts.read_again(case),
                text(f" {retired.saving(shown)}"),
            ),
            retired.restore(shown),
            *_undo(shown),
            parts.decided(case),
            retired.audit(shown),
        ),
    )


def _kept(case: Case, number: int) -> str:
    """A key that was off, or that AWS did not let Unlatch use, has not shown that it works."""
    proved = {c.target for c in case.calls if c.operation is Operation.PROVE_KEY and _is_done(c)}
    keys, shown = upper_first(count(number, "key")), len(proved)
    if shown >= number:
        return f"{keys} {be(number)} kept and {'works' if number == 1 else 'work'} there."
    works = f"{shown or 'none'} of them {'works' if shown < 2 else 'work'} there"
    return f"{keys} {be(number)} kept; {works}, the rest could not be checked."


def _is_done(call: CallRecord) -> bool:
    return call.status is CallStatus.DONE


def _undo(shown: Shown) -> list[Block]:
    """Only while there is an old cluster to go back to."""
    world = shown.case.snapshot
    if world is None or world.cluster is None:
        return []
    words = goback.what_returns(shown.case, shown.policy)
    row = buttons.undo(
        shown, label="Undo", title="Undo repointing?", words=words, no="Leave it there"
    )
    return actions(f"act:{shown.version}", row)
