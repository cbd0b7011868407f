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
    symbol,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    Block,
    Message,
    ago,
    all_of,
    be,
    clean,
    count,
    upper_first,
)

SETTLING = {
    Cause.NO_CLUSTER: "{cluster} seems to be gone",
    Cause.NOTHING: "Nothing holds {cluster} any more",
}
"""Before it closes by itself, AWS is read once more; there is nothing to choose."""


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
        says(*holds(shown), *([] if settling else [text("\n"), *worst(shown)])),
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
                text(" Nothing has been changed. The ways out follow here."),
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
    used = facts.latest_used(shown.situation)
    worst_fact = f" {count(len(used), 'key')} {be(len(used))} in use or may be." if used else ""
    if cause is Cause.EMPTY_STORE:
        worst_fact = " No keys are at risk."
    return (
        f"{lead.title(shown)}{lead.why(shown)}{worst_fact} "
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
            return [text(f"{words} AWS only deletes a cluster without HSMs.")]
        case Cause.INCOMPLETE:
            return [text("AWS did not let Unlatch see everything, so what holds it is not sure.")]
        case Cause.NO_CLUSTER:
            return [text("There is no such cluster any more. AWS is read once more to make sure.")]
    return [text("Nothing holds it any more. AWS is read once more to make sure.")]


def worst(shown: Shown) -> list[Piece]:
    """The worst fact, in bold."""
    case = shown.case
    keys = facts.keys(case)
    if not keys:
        return _no_keys(shown)
    used = facts.latest_used(shown.situation)
    if used:
        return [symbol(WARNING), text(" "), *_in_use(shown)]
    if not any(key.is_live for key in keys):
        return _all_pending(shown)
    days, number = shown.policy.recent_use_days, len(keys)
    none = {1: "Its only key was not used", 2: "Neither of its keys was used"}
    words = none.get(number, f"None of its {number:,} keys was used")
    return [
        bold(f"{words} in the last {days} days."),
        text(f" What {'it' if number == 1 else 'they'} once encrypted is lost without "),
        text("it." if number == 1 else "them."),
    ]


def _no_keys(shown: Shown) -> list[Piece]:
    world = shown.case.snapshot
    cause = cause_of(world) if world else Cause.INCOMPLETE
    if cause is Cause.INCOMPLETE:
        return [
            symbol(WARNING),
            bold(" What is not known counts as dangerous"),
            text(", so nothing final is offered."),
        ]
    if shown.case.store is None:
        return [bold("No KMS key is at risk.")]
    return [bold("No keys are at risk."), text(" Removing the store frees the cluster.")]


def _in_use(shown: Shown) -> list[Piece]:
    number = len(facts.keys(shown.case))
    used = facts.latest_used(shown.situation)
    known = [key for key in used if key.last_use.at]
    depends = " Something still depends on " + ("it." if len(known) == 1 else "them.")
    if not known:
        which = "its only key was" if number == 1 else f"{len(used):,} of its {number:,} keys were"
        return [
            bold(f"AWS can’t tell when {which} last used."),
            text(" That counts as use."),
        ]
    last = known[0].last_use.at or shown.now
    if len(known) == 1:
        which = "Its only key" if number == 1 else f"One of its {number:,} keys"
        return [bold(f"{which} was used {ago(last, shown.now)}."), text(depends)]
    which = upper_first(all_of(number, "key").replace("the ", "its "))
    if len(known) < number:
        which = f"{len(known):,} of its {number:,} keys"
    return [
        bold(f"{which} were used in the last {shown.policy.recent_use_days} days."),
        text(depends),
    ]


def _all_pending(shown: Shown) -> list[Piece]:
    number, end = len(facts.keys(shown.case)), facts.keys_end(shown.case)
    which = upper_first(all_of(number, "key").replace("the ", "its "))
    waits = bold(f"{which} {be(number)} waiting for deletion already")
    return [waits, text(", until "), date(end, DAY), text(".")] if end else [waits, text(".")]


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
