"""The worst outcome of a plan in one alert, and the box that says that a use is known."""

from __future__ import annotations

from chalicelib.domain.rules import sessions
from chalicelib.domain.rules.password import Login
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import facts, ways
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    Block,
    ago,
    all_of,
    be,
    clean,
    count,
    cut,
    money,
    the,
    upper_first,
    utc,
)
from chalicelib.slack.modals import approving, shapes

BY_HAND = "The cluster can be restored from a backup, by hand."
LONGEST_ALIAS = 28


def worst(shown: Shown, plan: Plan) -> Block:
    """Red only if something is lost for good."""
    match plan.remedy:
        case Remedy.RESCUE:
            return _rescue(shown, plan)
        case Remedy.RETIRE | Remedy.RELEASE:
            return _retire(shown, plan)
        case Remedy.REPOINT if not facts.moves(plan):
            words = "No key fails: the store is on the other cluster already. No key is deleted."
            return shapes.alert(words, "info")
        case Remedy.REPOINT:
            number = len(facts.keys(shown.case))
            fail = f"{all_of(number, 'key')} {'fails' if number == 1 else 'fail'}"
            officer = ""
            if facts.login_on(shown.case, plan) is not Login.SURE:
                officer = ", and longer if AWS can’t log in. Have a crypto officer at hand"
            words = f"{upper_first(fail)} for about 20 minutes while the store moves{officer}."
            return shapes.alert(f"{words} No key is deleted.", "warning")
    return _park(shown)


def _rescue(shown: Shown, plan: Plan) -> Block:
    made = plan.new_hsms
    if not made:
        return shapes.alert("This connects the key store afresh. It deletes nothing.", "info")
    what = "a new cluster with " if plan.backup_id else ""
    words = f"This makes {what}{count(made, 'HSM')}"
    cost = money(facts.new_hsms_a_day(shown.case, shown.policy, made))
    keys, fate = len(facts.keys(shown.case)), facts.fate_of_lost(shown.case)
    which = f"{len(plan.lost):,} of the {count(keys, 'key')}"
    lost = f" {which if len(plan.lost) < keys else upper_first(the(keys, 'key'))} {fate}."
    return shapes.alert(
        f"{words}: about {cost} a day until somebody removes {'it' if made == 1 else 'them'}. "
        f"It deletes nothing.{lost if plan.lost else ''}",
        "warning",
    )


def _park(shown: Shown) -> Block:
    keys = facts.keys(shown.case)
    if not keys:
        words = "No KMS key is affected. Nothing is deleted for good."
        return shapes.alert(f"{_others(shown)}{words}", "warning" if _others(shown) else "info")
    fail = f"{all_of(len(keys), 'key')} {'fails' if len(keys) == 1 else 'fail'}"
    used = facts.latest_used(shown.situation)
    words = f"{upper_first(fail)} as soon as this starts. {_use(used, len(keys), shown)}"
    return shapes.alert(f"{words}Nothing is deleted for good.", "warning")


def _use(used: list[Key], keys: int, shown: Shown) -> str:
    if not used:
        return ""
    last = used[0].last_use.at
    if last is None:
        return f"AWS can’t tell when {count(len(used), 'key')} {'was' if len(used) == 1 else 'were'} last used. "
    one = "One was used" if len(used) == 1 < keys else "The last use was"
    return f"{one} {ago(last, shown.now)}. "


def _others(shown: Shown) -> str:
    world = shown.case.snapshot
    if world is None or not sessions.other_use_known(world):
        return ""
    return "Programs that use the HSMs directly fail. "


def _retire(shown: Shown, plan: Plan) -> Block:
    world, number = shown.case.snapshot, len(facts.keys(shown.case))
    live = len(world.live_keys) if world else number
    if live and plan.quarantine_days:
        days = count(plan.quarantine_days, "day")
        words = f"{upper_first(the(live, 'key'))} {be(live)} switched off for {days}. What uses them fails."
        return shapes.alert(f"{words} Unlatch asks again before anything is deleted.", "warning")
    if live:
        store = f" and {'its' if live == 1 else 'their'} key store"
        them = "it" if live == 1 else "them"
        return shapes.alert(
            f"This deletes {count(live, 'key')}{store if plan.remedy is Remedy.RELEASE else ''}. {_too_late(shown, plan)} nobody can bring {them} back, and what "
            f"{'it' if live == 1 else 'they'} encrypted can never be read again.",
            "error",
        )
    if number:
        verb = f"{upper_first(all_of(number, 'key'))} {be(number)} being deleted already."
        if plan.remedy is Remedy.RELEASE:
            return shapes.alert(f"{verb} This also deletes the key store.", "warning")
        return shapes.alert(
            f"{verb} This also deletes the key store and the cluster. {BY_HAND}", "warning"
        )
    if plan.remedy is Remedy.RELEASE:
        return shapes.alert("This deletes the key store. No keys are lost.", "warning")
    if plan.key_store_id:
        words = "This deletes the key store and the cluster. No keys are lost."
    else:
        words = "This deletes the HSMs and the cluster. No KMS key is affected."
    back = f" {BY_HAND}" if plan.names(Operation.KEEP_BACKUP) else ""
    return shapes.alert(f"{_others(shown)}{words}{back}", "warning")


def _too_late(shown: Shown, plan: Plan) -> str:
    """A date only once the next approval is the last one: the keys wait from then on."""
    if approving.is_last(shown, plan):
        return f"After {utc(ways.keys_gone_at(shown, plan), DAY)}"
    return f"{count(plan.window_days, 'day')} after {approving.last(plan)}"


def unproven(shown: Shown, plan: Plan) -> list[Block]:
    """One box for all keys that nobody can check on the other cluster."""
    number = len(plan.unproven)
    if not number:
        return []
    if number == 1:
        name = cut(facts.key_name(shown.case, plan.unproven[0]), LONGEST_ALIAS)
        return [
            shapes.box("unproven", "A key can’t be checked", f"I know that {name} can’t be checked")
        ]
    words = f"I know that {number:,} keys can’t be checked"
    return [shapes.box("unproven", "Keys can’t be checked", words)]


def box(shown: Shown, plan: Plan) -> Block:
    """What the person says that they know; it names the key, or counts the keys."""
    used = facts.latest_used(shown.situation)
    used = used if plan.remedy.deletes_keys else []
    others = bool(_others(shown))
    if used and others:
        words = "I know that what uses the keys or the HSMs will fail"
        return shapes.box("override", "Something is in use, or may be", words)
    if len(used) > 1:
        words = f"I know that what uses these {len(used):,} keys will fail"
        return shapes.box("override", "Keys are in use, or may be", words)
    if used:
        may = "uses" if used[0].last_use.at else "may use"
        words = f"I know that what {may} {clean(used[0].name, LONGEST_ALIAS)} will fail"
        return shapes.box(
            "override", "A key is in use" if may == "uses" else "A key may be in use", words
        )
    if others:
        words = "I know that programs that use the HSMs will fail"
        return shapes.box("override", "Other programs use the HSMs, or may", words)
    return shapes.box(
        "override", "Something is in use", "I know that what still uses this will fail"
    )
