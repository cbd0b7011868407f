"""The middle of a dialog: what will happen, with dates."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.forecast import Forecast
from chalicelib.domain.recovery import minutes_to_unpark
from chalicelib.domain.rules.approval import approved
from chalicelib.domain.rules.password import login_words
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.slack.messages import facts, ways
from chalicelib.slack.messages.blocks import (
    Piece,
    bold,
    date,
    items,
    line,
    note,
    rich,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    Block,
    all_of,
    be,
    clean,
    count,
    ident,
    the,
    upper_first,
)
from chalicelib.slack.modals import rescue_lines
from chalicelib.slack.modals.numbers import NAMED_KEYS

Line = list[Piece]


def happens(shown: Shown, plan: Plan) -> list[Block]:
    """The plan as a story of at most a few lines; the forecast's own doubt below it."""
    lines = {
        Remedy.RETIRE: _retire,
        Remedy.RELEASE: _retire,
        Remedy.RESCUE: rescue_lines.lines,
        Remedy.PARK: _park,
        Remedy.REPOINT: _repoint,
    }.get(plan.remedy, _park)(shown, plan)
    blocks = [
        *(_to_know(shown, plan) if plan.remedy is Remedy.REPOINT else []),
        rich(line(bold("What happens")), items("ordered", lines)),
    ]
    minutes = minutes_to_unpark(shown.case.snapshot)
    undo = {
        Remedy.RESCUE: rescue_lines.to_undo(plan),
        Remedy.PARK: "press Undo in the message."
        + (f" It takes about {minutes} minutes." if minutes else ""),
        Remedy.REPOINT: "until the old HSMs are deleted, press Stop here. A crypto officer must then "
        "set the password of kmsuser in the old cluster; the message has the commands. After that "
        "the keys live on in the other cluster.",
    }.get(plan.remedy)
    if undo:
        blocks.append(says(bold("To undo: "), text(undo)))
    forecast = shown.forecast(plan)
    if forecast and forecast.end is None:
        blocks.append(note(_doubt(forecast, shown)))
    return blocks


def _to_know(shown: Shown, plan: Plan) -> list[Block]:
    """Whether AWS can log in on the other cluster, and which keys can't be checked there."""
    world = shown.case.snapshot
    target = world and next(
        (c for c in world.siblings if c.cluster_id == plan.target_cluster_id), None
    )
    known: list[Line] = []
    if world and target and facts.moves(plan):
        known.append([text(clean(login_words(target, world), 500))])
    names = [facts.key_name(shown.case, key_id) for key_id in plan.unproven]
    known += [
        [
            bold(f"{name} can’t be checked there."),
            text(" If the other cluster lacks it, only the kept backup of the old cluster has it."),
        ]
        for name in names[:NAMED_KEYS]
    ]
    if len(names) > NAMED_KEYS:
        known.append([bold(f"{count(len(names) - NAMED_KEYS, 'more key')} can’t be checked there")])
    return [rich(line(bold("What to know")), items("bullet", known))] if known else []


def _doubt(forecast: Forecast, shown: Shown) -> str:
    """Why the plan would not run to its end by itself."""
    if forecast.lapses:
        hours = count(shown.policy.expiry_hours, "hour")
        return f"Unlatch will ask again: approvals last {hours} until the first call."
    return f"Foreseen: {clean(forecast.why, 300)}"


def _start(shown: Shown, plan: Plan) -> str:
    """Only the last one who is missing makes the plan begin now."""
    need = plan.terms.people
    is_last = shown.case.plan or len(approved(plan, shown.case)) + 1 >= need
    return "Now" if is_last else f"Once {count(need, 'person', 'people')} have approved"


def _retire(shown: Shown, plan: Plan) -> list[Line]:
    live = _live(shown)
    if not live:
        return _retire_store(shown, plan)
    if plan.quarantine_days:
        days = count(plan.quarantine_days, "day")
        return [
            [
                text(
                    f"{_start(shown, plan)}: {the(live, 'key')} {be(live)} switched off, and watched for {days}"
                )
            ],
            [text("Meanwhile: any approver can cancel, and the keys come back")],
            [text("Then: Unlatch asks again, before anything is deleted")],
        ]
    window = count(plan.window_days, "day")
    stop = f"{the(live, 'key')} {'stops' if live == 1 else 'stop'} working"
    return [
        *_connects(plan),
        [text(f"{_start(shown, plan)}: {stop}")],
        [text(f"For {window}: any approver can cancel, and the keys come back")],
        *_then_gone(shown, plan),
    ]


def _then_gone(shown: Shown, plan: Plan) -> list[Line]:
    gone = date(ways.keys_gone_at(shown, plan), DAY)
    if plan.remedy is Remedy.RELEASE:
        words = ": the keys will be deleted, and the key store with them"
        return [[gone, text(words)], _stay(shown)]
    return [[gone, text(": keys, store, HSMs and cluster will be deleted. One backup is kept")]]


def _stay(shown: Shown) -> Line:
    number = facts.hsms(shown.case)
    hsms = f" and its {count(number, 'HSM')} stay, at {facts.price(shown.case, shown.policy)}"
    return [text(f"The cluster{hsms if number else ' stays'}, free for a new key store")]


def _retire_store(shown: Shown, plan: Plan) -> list[Line]:
    """No live key is left to delete."""
    pending, number = facts.keys_end(shown.case), len(plan.basis.zones)
    forecast = shown.forecast(plan)
    end = forecast.end if forecast else None
    waits: list[Line] = [[text("Wait until the keys are gone, "), date(pending)]] if pending else []
    store: list[Line] = [[text("Disconnect and delete the key store")]] if plan.key_store_id else []
    if plan.remedy is Remedy.RELEASE:
        return [*waits, *store, _stay(shown)]
    hsms = f"Delete {count(number, 'HSM')}, keep the newest backup for good"
    return [
        *waits,
        *store,
        [text(hsms if number else "Keep the newest backup for good")],
        [text("Delete the cluster"), *([text(", about "), date(end)] if end else [])],
    ]


def _connects(plan: Plan) -> list[Line]:
    words = "First: the store is connected, as KMS can only then delete its keys"
    return [[text(words)]] if plan.names(Operation.CONNECT_KEY_STORE) else []


def _on(end: datetime | None) -> Line:
    return [date(end, DAY), text(": ")] if end else [text("Then: ")]


def _live(shown: Shown) -> int:
    return len(shown.case.snapshot.live_keys) if shown.case.snapshot else 0


def _park(shown: Shown, plan: Plan) -> list[Line]:
    number, keys = len(plan.basis.zones), len(facts.keys(shown.case))
    fail = f", {the(keys, 'key')} {'fails' if keys == 1 else 'fail'}" if keys else ""
    off = bool(plan.names(Operation.DISCONNECT_KEY_STORE))
    first: list[Line] = (
        [[text(f"{_start(shown, plan)}: the store is disconnected{fail}")]] if off else []
    )
    stay = "The cluster stays"
    if plan.key_store_id:
        stay = (
            "The keys, the store and the cluster stay" if keys else "The store and the cluster stay"
        )
    return [
        *first,
        [text(f"Then: {the(number, 'HSM')} {be(number)} deleted, the cost stops")],
        [text(stay)],
    ]


def _repoint(shown: Shown, plan: Plan) -> list[Line]:
    end = ways.spending_ends(shown, plan)
    days = f"For {count(plan.soak_days, 'day')}: the keys run there; any approver can still stop"
    soak: list[Line] = [[text(days)]] if plan.soak_days else []
    to = text(ident(plan.target_cluster_id), code=True)
    now = [
        text(f"{_start(shown, plan)}: disconnect the store, point it to "),
        to,
        text(", connect it"),
    ]
    there = [text("The store is on "), to, text(" already")]
    return [
        now if facts.moves(plan) else there,
        [text(_checks(plan))],
        *soak,
        [
            *_on(end),
            text(
                "the newest backup is kept for good, the old HSMs and the old cluster will be deleted"
            ),
        ],
    ]


def _checks(plan: Plan) -> str:
    number = len(plan.names(Operation.PROVE_KEY))
    if not number:
        return "No key can be checked there"
    which = upper_first(the(number, "enabled key") if plan.unproven else all_of(number, "key"))
    return f"{which} {be(number)} used once, to check; if one fails, go back and say so"
