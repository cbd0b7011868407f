"""The four ways out, each with what it breaks, its undo, the people it needs and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from chalicelib.domain.diagnosis import WayOut
from chalicelib.domain.forecast import Forecast
from chalicelib.domain.gates import Gate
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.snapshot import StoreState
from chalicelib.slack.messages import buttons, facts
from chalicelib.slack.messages.blocks import Block, note, section
from chalicelib.slack.messages.buttons import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    TIME,
    all_of,
    be,
    clean,
    count,
    money,
    people,
    the,
    token,
)

TITLES = {
    Remedy.KEEP: "change nothing and remind later",
    Remedy.PARK: "stop the cost and keep the {kept}",
    Remedy.REPOINT: "move the keys to another cluster, delete this one",
    Remedy.RETIRE: "delete the {gone} and the cluster",
}
Forecasts = Mapping[str, Forecast]


def sections(shown: Shown, now: datetime, forecasts: Forecasts) -> list[Block]:
    """A section with its button for each way that people may choose, a grey line for each other."""
    open_ways, closed = [], []
    for way in facts.ways(shown.case, shown.policy, now):
        plan = shown.case.offer(way.remedy) or way.plan
        if plan is None or way.gates:
            closed += _not_possible(way)
        elif buttons.may_choose(shown.case, way.remedy):
            words = describe(shown, plan, now, forecast_of(plan, forecasts))
            open_ways.append(section(words, buttons.choose(shown, way.remedy)))
    return [*open_ways, *closed]


def forecast_of(plan: Plan, forecasts: Forecasts) -> Forecast | None:
    """By the plan's hash, else by the remedy's name."""
    return forecasts.get(plan.plan_hash) or forecasts.get(plan.remedy.value)


def _not_possible(way: WayOut) -> list[Block]:
    if not way.gates:
        return [note(clean(way.impossible, 300))]
    return [note(f"{way.remedy.capitalize()} is not possible yet. {gate_words(g)}") for g in way.gates]


def gate_words(gate: Gate) -> str:
    """A failed check in one line of plain text."""
    found = clean(gate.found, 300)
    return f"Failed check: {gate.check}. Found: {found}. {clean(gate.helps, 300)}."


def describe(
    shown: Shown, plan: Plan, now: datetime, forecast: Forecast | None, *, needs: bool = True
) -> str:
    """The three lines of a way out, in mrkdwn; our own words, numbers and dates only."""
    breaks, undo = _breaks(shown, plan), _undo(shown, plan, now)
    facts_line = [f"Undo: {undo}"]
    if needs:
        facts_line.append(f"Needs: {people(plan.terms.people)}")
    facts_line.append(f"Cost: {cost(shown, plan, now, forecast)}")
    title = TITLES[plan.remedy].format(kept=_kept(shown), gone=_gone(shown, plan))
    return f"*{plan.remedy.capitalize()}*: {title}\nBreaks: {breaks}\n{' · '.join(facts_line)}"


def _kept(shown: Shown) -> str:
    if not facts.store(shown.case):
        return "cluster"
    return "keys" if facts.keys(shown.case) else "store"


def _gone(shown: Shown, plan: Plan) -> str:
    if plan.key_store_id is None:
        return "HSMs"
    return "keys, the store" if facts.keys(shown.case) else "store, the HSMs"


def _breaks(shown: Shown, plan: Plan) -> str:
    number, live = len(facts.keys(shown.case)), _live(shown)
    match plan.remedy:
        case Remedy.KEEP:
            return "nothing"
        case Remedy.REPOINT:
            return f"{all_of(number, 'key')} {_fail(number)} for about 20 min, then {_work(number)}"
        case _ if plan.key_store_id is None:
            return "nothing in KMS, as no key store uses it; programs that use the HSMs directly fail"
        case _ if not number:
            return "nothing, the store has no keys"
        case Remedy.PARK if _is_off(shown):
            return f"nothing more: the store is disconnected, so {the(number, 'key')} {_fail(number)} already"
        case Remedy.PARK:
            return f"{all_of(number, 'key')} {_fail(number)} at once, until you undo it"
    if not live:
        return f"nothing more: {all_of(number, 'key')} {be(number)} waiting for deletion already"
    return f"everything encrypted with {the(live, 'key')}, *for good*"


def _live(shown: Shown) -> int:
    return len(shown.case.snapshot.live_keys) if shown.case.snapshot else 0


def _is_off(shown: Shown) -> bool:
    store = facts.store(shown.case)
    return store is not None and store.state is StoreState.DISCONNECTED


def _fail(number: int) -> str:
    return "fails" if number == 1 else "fail"


def _work(number: int) -> str:
    return "works again" if number == 1 else "work again"


def _undo(shown: Shown, plan: Plan, now: datetime) -> str:
    match plan.remedy:
        case Remedy.KEEP:
            return "yes"
        case Remedy.PARK:
            return "yes, takes about 30 min"
        case Remedy.REPOINT if plan.soak_days:
            return f"for {count(plan.soak_days, 'day')}, then only by a backup"
        case Remedy.REPOINT:
            return "until the old HSMs are deleted, then only by a backup"
        case Remedy.RETIRE if plan.window_days:
            return f"for {count(plan.window_days, 'day')}, then never"
    world = shown.case.snapshot
    newest = world.cluster.newest_backup if world and world.cluster else None
    if newest is None:
        return "none, as no backup is ready"
    shape = TIME if now - newest.created_at < timedelta(days=1) else DAY_AND_TIME
    return f"by hand, from the backup of {token(newest.created_at, shape)}"


def cost(shown: Shown, plan: Plan, now: datetime, forecast: Forecast | None) -> str:
    """What the HSMs go on costing, and until when."""
    daily = facts.daily(shown.case, shown.policy)
    if plan.remedy is Remedy.PARK:
        return "no HSM hours"
    if not facts.hsms(shown.case):
        return "no HSM hours, none runs"
    if plan.remedy is Remedy.KEEP:
        return f"{money(daily)} a day"
    end = spending_ends(shown, plan, now, forecast)
    if end is None:
        return f"{money(daily)} a day until Unlatch has asked again"
    if end - now <= timedelta(hours=1):
        return "none within the hour"
    if end - now <= timedelta(days=1):
        return f"none after {token(end, DAY_AND_TIME)}"
    return f"{money(daily)} a day until {token(end, DAY)}"


def spending_ends(
    shown: Shown, plan: Plan, now: datetime, forecast: Forecast | None
) -> datetime | None:
    """When the last HSM goes; None where the plan asks people again before."""
    if forecast:
        gone = [c.at for c in forecast.calls if c.operation is Operation.DELETE_HSM]
        return max(gone) if gone else forecast.end
    if plan.quarantine_days:
        return None
    days = timedelta(days=plan.window_days + plan.soak_days)
    pending = facts.keys_end(shown.case) if plan.remedy is Remedy.RETIRE else None
    return max(now + days, pending or now) + timedelta(minutes=30)
