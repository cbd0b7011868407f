"""A case that waits for people, with all its ways out: what holds the cluster, and the worst of it."""

from __future__ import annotations

from chalicelib.domain.diagnosis import Cause, cause_of
from chalicelib.domain.rules import sessions
from chalicelib.slack.messages import buttons, facts, going, keytable, lead, outage, parts, ways
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    actions,
    bold,
    date,
    divider,
    header,
    note,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY_AND_TIME,
    Block,
    Message,
    clean,
    count,
)
from chalicelib.slack.messages.worst import worst

SETTLING = {
    Cause.NO_CLUSTER: "{cluster} seems to be gone",
    Cause.NOTHING: "Nothing holds {cluster} any more",
}
"""Before it closes by itself, AWS is read once more; there is nothing to choose."""
LAST_LOOK = (bold("Unlatch reads AWS once more to make sure."), text(" Nothing for you to do."))


def message(shown: Shown) -> Message:
    if shown.case.snapshot is None:
        return unread(shown)
    settling = SETTLING.get(cause_of(shown.case.snapshot))
    title = settling.format(cluster=shown.cluster) if settling else lead.title(shown)
    is_outage = outage.is_one(shown) and not settling
    choices = [] if settling else [divider(), *ways.sections(shown), *lead.by_hand(shown)]
    choices += outage.details(shown) if is_outage else []
    # Slack takes one table a message; who fails comes first.
    has_table = is_outage and bool(shown.case.key_uses)
    choices += [] if settling or has_table else keytable.keys(shown)
    return Message(
        f"{title}. Nothing for you to do." if settling else notification(shown),
        (
            header(title, WARNING if outage.is_one(shown) else ""),
            *(_outage(shown) if is_outage else _blocked(shown, settling)),
            *notices(shown),
            *choices,
            *background(shown),
            *actions(
                f"foot:{shown.version}",
                buttons.foot(shown, is_offered_above=is_outage and outage.needs_a_person(shown)),
            ),
        ),
    )


def _blocked(shown: Shown, settling: str | None) -> list[Block]:
    return [
        says(*holds(shown), *([] if settling else [text("\n"), *worst(shown).pieces])),
        says(*price_of_waiting(shown)),
    ]


def _outage(shown: Shown) -> list[Block]:
    return [says(*holds(shown)), says(*outage.silence()), *outage.officer(shown)]


def unread(shown: Shown) -> Message:
    """The very first message, before AWS was read."""
    title = lead.title(shown)
    return Message(
        f"{title}. Unlatch is reading AWS. Nothing has been changed.",
        (
            header(title),
            says(
                bold("Unlatch is reading AWS to find out why."),
                text(" Nothing has been changed. The ways out will follow here."),
            ),
            *background(shown),
            *actions(f"foot:{shown.version}", buttons.foot(shown)),
        ),
    )


def background(shown: Shown) -> list[Block]:
    """The grey lines at the foot."""
    return [parts.tried_by(shown), *parts.owner(shown), parts.record(shown)]


def notification(shown: Shown) -> str:
    """Header and worst fact without foreign words."""
    case = shown.case
    cause = cause_of(case.snapshot) if case.snapshot else Cause.INCOMPLETE
    fact = "" if outage.is_one(shown) or cause is Cause.ONLY_HSMS else f" {worst(shown).sentence}"
    return (
        f"{lead.title(shown)}{lead.why(shown)}{fact} "
        "Nothing has been changed. Please choose what to do."
    )


def holds(shown: Shown) -> list[Piece]:
    """What holds the cluster."""
    case = shown.case
    if case.snapshot is None:
        return [text("AWS has not been read yet.")]
    if refused := lead.refused(shown):
        return refused
    match cause_of(case.snapshot):
        case Cause.LIVE_KEYS | Cause.PENDING_KEYS:
            return [*parts.store_pieces(case), text(" still uses it.")]
        case Cause.EMPTY_STORE:
            return [*parts.store_pieces(case), text(" still uses it, but the store is empty.")]
        case Cause.DISCONNECTING:
            return [*parts.store_pieces(case), text(" still uses it; it is just disconnecting.")]
        case Cause.ONLY_HSMS:
            words = f"No key store uses it, but it still has {count(facts.hsms(case), 'HSM')}."
            return [text(f"{words} AWS deletes only a cluster without HSMs.")]
        case Cause.INCOMPLETE:
            return [
                text(
                    "AWS did not let Unlatch see everything, so it is not sure what holds the cluster."
                )
            ]
        case Cause.NO_CLUSTER:
            return [text("AWS shows no such cluster now. "), *LAST_LOOK]
    return [text("No key store and no HSM holds it. "), *LAST_LOOK]


def price_of_waiting(shown: Shown) -> list[Piece]:
    """What doing nothing costs, and what comes of it."""
    case = shown.case
    pieces = [text(f"{parts.nothing_done(shown)} ")]
    if case.expires_at:
        pieces += [
            text("It can wait: if nobody decides by "),
            date(case.expires_at, DAY_AND_TIME),
            text(f", this case closes and {parts.lapse(case)}. "),
        ]
    return [*pieces, text(facts.cost_line(case, shown.policy)), *going.still_going(case)]


def notices(shown: Shown) -> list[Block]:
    """Facts that change who must agree, or that AWS refused to tell."""
    world = shown.case.snapshot
    if world is None:
        return []
    found = []
    others = sessions.other_use_known(world)
    if others:
        found.append(note(f"Other programs may use the HSMs: {clean(others, 200)}."))
    if world.unread:
        more = f", and {len(world.unread) - 3} more" if len(world.unread) > 3 else ""
        words = "; ".join(clean(item, 120) for item in world.unread[:3])
        found.append(note(f"Could not be read: {words}{more}."))
    if not shown.policy.approvers:
        found.append(note("Nobody can approve: the list of approvers is empty (APPROVERS)."))
    return found
