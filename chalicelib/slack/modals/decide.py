"""The dialog in which somebody decides: worst outcome, numbers read again, what happens, then the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.forecast import Forecast
from chalicelib.domain.remedies import repoint
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import Cluster
from chalicelib.slack.messages import facts, going, parts, ways
from chalicelib.slack.messages.blocks import marked_note, says, section
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    Block,
    count,
    ident,
    money,
    utc,
)
from chalicelib.slack.modals import approving, numbers, outcome, plan_lines, rescue_lines, shapes

SEEN_BY_ALL = "Everybody in the thread will see it."
KEEP_DAYS = (7, 30, 90)


def decide(
    case: Case,
    plan: Plan,
    *,
    policy: Policy,
    now: datetime,
    forecast: Forecast | None,
    count: int,
    user: str,
) -> Block:
    """`count` is how many have approved this plan already; `user` opens the dialog."""
    foreseen = {plan.plan_hash: forecast} if forecast else {}
    shown = Shown(case, policy, now, case.version, foreseen)
    blocks = _keep(shown, user) if plan.remedy is Remedy.KEEP else _act(shown, plan)
    if plan.terms.dry_run or policy.dry_run:
        blocks.insert(0, parts.dry_run())
    need = plan.terms.people
    submit = "Let it go on" if case.plan else f"Approve as {min(count + 1, need)} of {need}"
    return shapes.modal(
        plan.remedy.capitalize(),
        shapes.fit_for(case, blocks),
        callback_id="decide",
        metadata=shapes.metadata(case, plan.remedy, plan.plan_hash),
        submit="Keep it" if plan.remedy is Remedy.KEEP else submit,
    )


def _act(shown: Shown, plan: Plan) -> list[Block]:
    box = [outcome.box(shown, plan)] if plan.terms.override else []
    is_rescue = plan.remedy is Remedy.RESCUE
    where = [shapes.target(_targets(shown.case, plan), plan.target_cluster_id)]
    return [
        outcome.worst(shown, plan),
        *(where if plan.remedy is Remedy.REPOINT else []),
        *numbers.numbers(shown, plan),
        *plan_lines.happens(shown, plan),
        *ways.stays_behind(plan),
        *(
            rescue_lines.subnets(shown, plan)
            if is_rescue
            else [shapes.typed_cluster_id(shown.case)]
        ),
        shapes.reason(SEEN_BY_ALL, first=_first_reason(shown, plan)),
        *box,
        *outcome.unproven(shown, plan),
        marked_note(f"{approving.needs(shown.case, plan)} · Plan `{plan.plan_hash[:8]}`"),
    ]


def _first_reason(shown: Shown, plan: Plan) -> str:
    """Of a rescue: whoever reads it was woken."""
    begin = facts.failing_since(shown.case)
    if plan.remedy is not Remedy.RESCUE or begin is None:
        return ""
    return f"The keys have failed since {utc(begin, DAY_AND_TIME)}"


def _targets(case: Case, plan: Plan) -> Sequence[tuple[str, str]]:
    """The clusters that can take the store, with the words to choose by."""
    able = repoint.targets(case.snapshot) if case.snapshot else ()
    found = [
        (c.cluster_id, f"{ident(c.cluster_id)}, {count(len(c.hsms), 'HSM')}{_made_from(c)}")
        for c in able
        if c.cluster_id
    ]
    chosen = plan.target_cluster_id or "unknown"
    return found or [(chosen, ident(chosen))]


def _made_from(cluster: Cluster) -> str:
    return f", from a backup of {utc(cluster.copy.at, DAY)}" if cluster.copy else ""


def _keep(shown: Shown, user: str) -> list[Block]:
    daily = facts.daily(shown.case, shown.policy)
    still = going.still_going(shown.case)
    costs = f"Costs about {money(daily)} a day while it stays" if daily else "Costs no HSM hours"
    return [
        section(
            "Unlatch changes nothing in AWS. The next failed delete is answered with your name and reason."
        ),
        *([says(*still)] if still else []),
        shapes.owner(user),
        shapes.how_long(KEEP_DAYS, 30),
        shapes.reason("Shown to whoever tries the next delete."),
        marked_note(f"{costs} · 1 person decides"),
    ]
