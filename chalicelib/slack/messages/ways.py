"""The ways out, each with what it breaks, its undo, the people it needs and its cost. Four stand open."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.diagnosis import WayOut
from chalicelib.domain.recovery import minutes_to_unpark, returning_keys
from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.rules.password import Login
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages import buttons, facts, goback, lead, more_ways
from chalicelib.slack.messages.blocks import note, section
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    TIME,
    Block,
    all_of,
    be,
    clean,
    count,
    ident,
    listing,
    money,
    people,
    the,
    token,
)

TITLES = {
    Remedy.KEEP: "{keep}",
    Remedy.RESCUE: "{rescue}",
    Remedy.PARK: "stop the cost and keep the {kept}",
    Remedy.REPOINT: "move the keys to {elsewhere}, delete {here}",
    Remedy.RELEASE: "{released}, keep {both}",
    Remedy.RETIRE: "delete the {gone} and the cluster",
}
MOST_NAMES = 10


def choices(shown: Shown) -> list[WayOut]:
    """The ways that people may choose now."""
    return [way for way in shown.ways if way.is_open and buttons.may_choose(shown.case, way.remedy)]


LOGIN = {
    Login.SURE: "",
    Login.PROBABLE: "; AWS can probably log in there",
    Login.TOO_OLD: "; *AWS will probably not be able to log in there* without a crypto officer",
    Login.NOT_KNOWN: "; whether AWS can log in there without a crypto officer is not known",
}


def sections(shown: Shown, *, without_gates: bool = False) -> list[Block]:
    """A section with its button for each way that stands open, a menu of the others, a grey line for
    each that is not possible; `without_gates` leaves out those whose failed checks are shown already."""
    blocks: list[Block] = []
    possible = [way.remedy for way in choices(shown)]
    is_copy = bool(lead.copy_asked_for(shown))
    stand, rest = more_ways.divided(shown.case.trigger, possible, is_copy=is_copy)
    plans = {way.remedy: shown.case.offer(way.remedy) or way.plan for way in shown.ways}
    for remedy in stand:
        if plan := plans[remedy]:
            blocks.append(section(describe(shown, plan), buttons.choose(shown, remedy)))
            blocks += stays_behind(plan)
    blocks += more_ways.menu(shown, rest, is_copy=is_copy)
    for way in shown.ways:
        if not way.is_open and not (without_gates and way.gates):
            blocks += _not_possible(way)
    return blocks


def stays_behind(plan: Plan) -> list[Block]:
    """Key material that this plan can't have deleted, by the names of its keys."""
    names = [clean(name) for name in plan.left_behind]
    if not names:
        return []
    more = [f"{len(names) - MOST_NAMES:,} more"] if len(names) > MOST_NAMES else []
    words = f"Key material stays behind: {listing([*names[:MOST_NAMES], *more])}."
    why = "KMS deletes it only while the key store is connected and an HSM runs."
    return [note(f"{words} {why} It is in the cluster’s backups until those are deleted.")]


def _not_possible(way: WayOut) -> list[Block]:
    if not way.gates:
        return [note(clean(way.impossible, 300))]
    return [
        note(f"{way.remedy.capitalize()} is not possible yet. {gate_words(g)}") for g in way.gates
    ]


def gate_words(gate: Gate) -> str:
    """A failed check in one line of plain text."""
    found = clean(gate.found, 300)
    return f"Failed check: {gate.check}. Found: {found}. {clean(gate.helps, 300)}."


def describe(shown: Shown, plan: Plan, *, needs: bool = True) -> str:
    """The three lines of a way out, in mrkdwn; our own words, numbers and dates only."""
    breaks, undo = _breaks(shown, plan), _undo(shown, plan)
    facts_line = [f"Undo: {undo}"]
    if needs:
        facts_line.append(f"Needs: {people(plan.terms.people)}")
    facts_line.append(f"Cost: {cost(shown, plan)}")
    copy = lead.copy_asked_for(shown)
    title = TITLES[plan.remedy].format(
        rescue=_rescue(plan),
        keep=_keep(shown),
        kept=_kept(shown),
        elsewhere=ident(plan.target_cluster_id) if copy else "another cluster",
        here=shown.cluster if copy else "this one",
        both="both clusters" if copy else "the cluster",
        gone=_gone(shown, plan),
        released=_released(shown),
    )
    return f"*{plan.remedy.capitalize()}*: {title}\nBreaks: {breaks}\n{' · '.join(facts_line)}"


def _keep(shown: Shown) -> str:
    if shown.case.trigger is Trigger.CLUSTER_TAKEN:
        return "use the key store that exists"
    if shown.case.trigger.is_outage:
        return "leave the keys failing, with an owner and a date"
    if returning_keys(shown.case):
        return "leave the rest as it is, with an owner and a date"
    return "leave it as it is, with an owner and a date"


def _rescue(plan: Plan) -> str:
    if plan.backup_id:
        return "make a new cluster from the backup and connect the store to it"
    made = len(plan.names(Operation.CREATE_HSM))
    if made:
        return f"create {count(made, 'HSM')} in this cluster and check each key"
    return "connect the key store again and check each key"


def _released(shown: Shown) -> str:
    if facts.keys(shown.case):
        return "delete the keys and the store"
    return "delete the store" if _is_off(shown) else "disconnect and delete the store"


def _kept(shown: Shown) -> str:
    if not shown.case.store:
        return "cluster"
    return "keys" if facts.keys(shown.case) else "store"


def _gone(shown: Shown, plan: Plan) -> str:
    if plan.key_store_id is None:
        return "HSMs"
    return "keys, the store" if facts.keys(shown.case) else "store, the HSMs"


def _breaks(shown: Shown, plan: Plan) -> str:
    if plan.remedy is Remedy.RESCUE:
        return "nothing more, the keys fail already"
    if plan.remedy is Remedy.KEEP and shown.case.trigger.is_outage and (live := _live(shown)):
        return f"{the(live, 'key')} {'goes' if live == 1 else 'go'} on failing"
    return _breaks_now(shown, plan)


def _breaks_now(shown: Shown, plan: Plan) -> str:
    number, live = len(facts.keys(shown.case)), _live(shown)
    match plan.remedy:
        case Remedy.KEEP if going := len(returning_keys(shown.case)):
            return (
                f"nothing more, but {the(going, 'key')} will still be deleted{_until(shown, 'on')}"
            )
        case Remedy.KEEP:
            return "nothing"
        case Remedy.REPOINT if not facts.moves(plan):
            return "nothing more: the store is on the other cluster already"
        case Remedy.REPOINT:
            words = (
                f"{all_of(number, 'key')} {_fail(number)} for about 20 min, then {_work(number)}"
            )
            return f"{words}{LOGIN[facts.login_on(shown.case, plan)]}"
        case _ if plan.key_store_id is None:
            return (
                "nothing in KMS, as no key store uses it; programs that use the HSMs directly fail"
            )
        case _ if not number:
            return "nothing, the store has no keys"
        case Remedy.PARK if _is_off(shown):
            return f"nothing more: the store is disconnected, so {the(number, 'key')} {_fail(number)} already"
        case Remedy.PARK:
            return f"{all_of(number, 'key')} {_fail(number)} at once, until somebody undoes it"
    if not live:
        return f"nothing more: {all_of(number, 'key')} {be(number)} waiting for deletion already"
    return f"everything encrypted with {the(live, 'key')}, *for good*"


def _until(shown: Shown, word: str = "until") -> str:
    dates = [key.deletion_date for key in returning_keys(shown.case) if key.deletion_date]
    return f" {word} {token(max(dates), DAY)}" if dates else ""


def _live(shown: Shown) -> int:
    return len(shown.case.snapshot.live_keys) if shown.case.snapshot else 0


def _is_off(shown: Shown) -> bool:
    store = shown.case.store
    return store is not None and store.state is StoreState.DISCONNECTED


def _fail(number: int) -> str:
    return "fails" if number == 1 else "fail"


def _work(number: int) -> str:
    return "works again" if number == 1 else "work again"


def _undo(shown: Shown, plan: Plan) -> str:
    match plan.remedy:
        case Remedy.KEEP if returning_keys(shown.case):
            return f"the keys{_until(shown)}"
        case Remedy.KEEP:
            return "yes"
        case Remedy.RESCUE:
            return goback.undo_of_rescue(shown.case, plan)
        case Remedy.PARK:
            minutes = minutes_to_unpark(shown.case.snapshot)
            return f"yes, takes about {minutes} min" if minutes else "yes"
        case Remedy.REPOINT if plan.soak_days:
            days = count(plan.soak_days, "day")
            return f"for {days}, by a crypto officer; then the keys stay on the other cluster"
        case Remedy.REPOINT:
            return "by a crypto officer, until the old HSMs are deleted; then the keys stay there"
        case Remedy.RETIRE | Remedy.RELEASE if plan.window_days:
            return f"for {count(plan.window_days, 'day')}, then never"
        case Remedy.RELEASE:
            return "by hand: create a key store again"
    world = shown.case.snapshot
    newest = world.cluster.newest_backup if world and world.cluster else None
    if newest is None:
        return "none, as no backup is ready"
    shape = TIME if shown.now - newest.created_at < timedelta(days=1) else DAY_AND_TIME
    return f"by hand, from the backup of {token(newest.created_at, shape)}"


def rescue_cost(shown: Shown, plan: Plan) -> str:
    made = plan.new_hsms
    if not made:
        return f"{money(facts.daily(shown.case, shown.policy))} a day, as now"
    return f"{money(facts.new_hsms_a_day(shown.case, shown.policy, made))} a day for {count(made, 'HSM')}"


def cost(shown: Shown, plan: Plan) -> str:
    """What the HSMs go on costing, and until when."""
    daily = facts.daily(shown.case, shown.policy)
    if plan.remedy is Remedy.PARK:
        return "no HSM hours"
    if plan.remedy is Remedy.RESCUE:
        return rescue_cost(shown, plan)
    if not facts.hsms(shown.case):
        return "no HSM hours, none runs"
    if plan.remedy is Remedy.KEEP:
        return f"{money(daily)} a day"
    if plan.remedy is Remedy.RELEASE:
        return f"{money(daily)} a day, as now"
    end = spending_ends(shown, plan)
    if end is None:
        return f"{money(daily)} a day until Unlatch has asked again"
    if end - shown.now <= timedelta(hours=1):
        return "ends within the hour"
    if end - shown.now <= timedelta(days=1):
        return f"ends {token(end, DAY_AND_TIME)}"
    return f"{money(daily)} a day until {token(end, DAY)}"


def keys_gone_at(shown: Shown, plan: Plan) -> datetime:
    """When KMS deletes the last of the keys that this plan schedules."""
    forecast = shown.forecast(plan)
    operation = Operation.SCHEDULE_KEY_DELETION
    calls = [c.at for c in forecast.calls if c.operation is operation] if forecast else []
    return max(calls, default=shown.now) + timedelta(days=plan.window_days)


def spending_ends(shown: Shown, plan: Plan) -> datetime | None:
    """When the last HSM goes; None if the plan asks people again before."""
    forecast, now = shown.forecast(plan), shown.now
    if forecast:
        gone = [c.at for c in forecast.calls if c.operation is Operation.DELETE_HSM]
        if gone or plan.remedy is not Remedy.REPOINT:
            return max(gone) if gone else forecast.end
    if plan.quarantine_days:
        return None
    days = timedelta(days=plan.window_days + plan.soak_days)
    pending = facts.keys_end(shown.case) if plan.remedy is Remedy.RETIRE else None
    return max(now + days, pending or now) + timedelta(minutes=30)
