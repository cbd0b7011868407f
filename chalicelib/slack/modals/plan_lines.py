"""The middle of a dialog: what will happen, with dates."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.forecast import Forecast
from chalicelib.domain.recovery import minutes_to_unpark
from chalicelib.domain.rules.password import login_words
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState
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
from chalicelib.slack.modals import approving, rescue_lines
from chalicelib.slack.modals.numbers import NAMED_KEYS

Line = list[Piece]
HOUR = timedelta(hours=1)
MINUTES = 5
"""To so many a forecast is rounded."""


def happens(shown: Shown, plan: Plan) -> list[Block]:
    """The plan as a story of at most a few lines; the forecast's own doubt below it."""
    forecast = shown.forecast(plan)
    lines = {
        Remedy.RETIRE: _retire,
        Remedy.RELEASE: _retire,
        Remedy.RESCUE: rescue_lines.lines,
        Remedy.PARK: _park,
        Remedy.REPOINT: _repoint,
    }.get(plan.remedy, _park)(shown, plan)
    blocks = [
        *(_to_know(shown, plan) if plan.remedy is Remedy.REPOINT else []),
        rich(line(bold(f"What happens{_in_all(forecast, shown, plan)}")), items("ordered", lines)),
    ]
    minutes = minutes_to_unpark(shown.case.snapshot)
    undo = {
        Remedy.RESCUE: rescue_lines.to_undo(plan),
        Remedy.PARK: f"press Undo in the message.{_back_in(shown, minutes)}",
        Remedy.REPOINT: "until the old HSMs are deleted, press Stop here. A crypto officer must then "
        "set the password of kmsuser in the old cluster; the message has the commands. After that "
        "the keys live on in the other cluster.",
    }.get(plan.remedy)
    if undo:
        blocks.append(says(bold("To undo: "), text(undo)))
    if forecast and forecast.end is None:
        blocks.append(note(_doubt(forecast, shown)))
    return blocks


def _back_in(shown: Shown, minutes: int) -> str:
    if not minutes:
        return ""
    if not facts.keys(shown.case):
        return f" It takes about {minutes} minutes."
    return f" After about {minutes} minutes the keys work again."


def _in_all(forecast: Forecast | None, shown: Shown, plan: Plan) -> str:
    """How long it takes, if that is short, and foreseen up to the last call."""
    if forecast is None or forecast.end is None or forecast.end - shown.now > HOUR:
        return ""
    if not plan.calls or plan.calls[-1].operation not in {c.operation for c in forecast.calls}:
        return ""
    minutes = max(MINUTES, MINUTES * round((forecast.end - shown.now) / timedelta(minutes=MINUTES)))
    is_rescue = plan.remedy is Remedy.RESCUE
    return f", in about {minutes} minutes" if is_rescue else ", within the hour"


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
    off = {key.key_id for key in facts.keys(shown.case) if key.state is KeyState.DISABLED}
    known += [
        [
            bold(f"{name} can’t be checked there{': it is disabled' if key_id in off else ''}."),
            text(" If the other cluster lacks it, only the kept backup of the old cluster has it."),
        ]
        for key_id, name in zip(plan.unproven, names[:NAMED_KEYS], strict=False)
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


def _retire(shown: Shown, plan: Plan) -> list[Line]:
    live = _live(shown)
    if not live:
        return _retire_store(shown, plan)
    if plan.quarantine_days:
        days = count(plan.quarantine_days, "day")
        return [
            [
                text(
                    f"{approving.start(shown, plan)}: {the(live, 'key')} {be(live)} switched off, and watched for {days}"
                )
            ],
            [text("Meanwhile: any approver can cancel, and the keys come back")],
            [text("Then: Unlatch asks again, before anything is deleted")],
        ]
    window = count(plan.window_days, "day")
    after = "" if approving.is_last(shown, plan) else " after that"
    back = "the key comes back as it was" if live == 1 else "the keys come back as they were"
    stop = f"{the(live, 'key')} {'stops' if live == 1 else 'stop'} working"
    return [
        *_connects(plan),
        [text(f"{approving.start(shown, plan)}: {stop}")],
        [text(f"For {window}{after}: any approver can cancel, and {back}")],
        *_then_gone(shown, plan),
    ]


def _then_gone(shown: Shown, plan: Plan) -> list[Line]:
    gone = ways.keys_gone_at(shown, plan) if approving.is_last(shown, plan) else None
    if plan.remedy is Remedy.RELEASE:
        words = "the keys will be deleted, and the key store with them"
        return [[*_on(gone), text(words)], _stay(shown)]
    words = "keys, store, HSMs and cluster will be deleted. One backup is kept"
    return [[*_on(gone), text(words)]]


def _stay(shown: Shown) -> Line:
    number = facts.hsms(shown.case)
    hsms = f" and its {count(number, 'HSM')} stay, at {facts.price(shown.case, shown.policy)}"
    return [text(f"The cluster{hsms if number else ' stays'}, free for a new key store")]


def _retire_store(shown: Shown, plan: Plan) -> list[Line]:
    """No live key is left to delete."""
    pending, number = facts.keys_end(shown.case), len(plan.basis.zones)
    forecast = shown.forecast(plan)
    end = forecast.end if forecast and approving.is_last(shown, plan) else None
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
        [[text(f"{approving.start(shown, plan)}: the store is disconnected{fail}")]] if off else []
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
    end = ways.spending_ends(shown, plan) if approving.is_last(shown, plan) else None
    days = f"For {count(plan.soak_days, 'day')}: the keys run there, and any approver can stop"
    soak: list[Line] = [[text(days)]] if plan.soak_days else []
    to = text(ident(plan.target_cluster_id), code=True)
    now = [
        text(f"{approving.start(shown, plan)}: the key store is disconnected, pointed to "),
        to,
        text(" and connected"),
    ]
    there = [text("The store is on "), to, text(" already")]
    return [
        now if facts.moves(plan) else there,
        [text(_checks(plan))],
        *soak,
        [
            *_on(end),
            text(
                "the newest backup is kept for good, and the old HSMs and the old cluster will be deleted"
            ),
        ],
    ]


def _checks(plan: Plan) -> str:
    number = len(plan.names(Operation.PROVE_KEY))
    if not number:
        return "No key can be checked there"
    which = upper_first(the(number, "enabled key") if plan.unproven else all_of(number, "key"))
    return f"{which} {be(number)} used once, to check. If one fails, Unlatch goes back and deletes nothing"
