"""The middle of a dialog: the numbers as AWS gave them just now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.domain.rules import sessions
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import Key, most_used
from chalicelib.slack.messages import facts, keytable
from chalicelib.slack.messages.blocks import (
    Piece,
    bold,
    date,
    items,
    line,
    rich,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    Block,
    ago,
    clean,
    count,
)
from chalicelib.slack.modals import rescue_lines

SECONDS = "{time_secs}"
NAMED_KEYS = 3
MOST_OLD = 2
JUST_NOW = timedelta(minutes=2)
Line = list[Piece]


def numbers(shown: Shown, plan: Plan) -> list[Block]:
    """When AWS was read, and what was read. A store of many keys takes minutes to read again."""
    world = shown.case.snapshot
    if world is None:
        return []
    found = [*_keys(shown), _machines(shown), *_backup(shown), *_others(shown)]
    if plan.remedy is Remedy.RESCUE:
        found = rescue_lines.numbers(shown, plan)
    is_old = shown.now - world.at > JUST_NOW
    when = f"Read {ago(world.at, shown.now)}, " if is_old else "Read again just now, "
    more = [text(" · read again before anything is done")] if is_old else []
    head = line(bold(when), date(world.at, SECONDS), *more)
    return [rich(head, items("bullet", found))]


def _keys(shown: Shown) -> list[Line]:
    keys = facts.keys(shown.case)
    if not keys:
        empty = shown.case.store is not None
        words = (
            "Key store is empty: no keys, none waiting for deletion" if empty else "No key store"
        )
        return [[text(words)]]
    used = facts.latest_used(shown.situation)
    lines = [_used(key, shown) for key in used[:NAMED_KEYS]]
    if len(used) > NAMED_KEYS:
        more = len(used) - NAMED_KEYS
        lines.append([bold(f"{count(more, 'more key')} in use, or of unknown use")])
    going = sum(not key.is_live for key in keys)
    rest, days = len(keys) - len(used) - going, shown.policy.recent_use_days
    if rest:
        old = [key for key in keys if key.is_live and key not in used]
        which = count(rest, "more key" if used else "key")
        lines.append([text(f"{which}{_old(old, shown) or f', not used in {days} days'}")])
    if going:
        lines.append([text(f"{count(going, 'key')} waiting for deletion already")])
    return lines


def _old(keys: Sequence[Key], shown: Shown) -> str:
    """“: last used 94 days ago, and never”, of one or two; "" if AWS's words are others."""
    if len(keys) > MOST_OLD or not all(key.last_use.at or key.never_used() for key in keys):
        return ""
    latest = most_used(keys, shown.now, days=shown.policy.recent_use_days)
    words = dict.fromkeys(keytable.last_use(key, shown.policy, shown.now) for key in latest)
    return ", never used" if list(words) == ["never"] else f": last used {', and '.join(words)}"


def _used(key: Key, shown: Shown) -> Line:
    if key.last_use.at is None:
        words = keytable.last_use(key, shown.policy, shown.now)
        return [bold(f"{clean(key.name)}: last use {words}")]
    what = f" ({clean(key.last_use.operation, 40)})" if key.last_use.operation else ""
    return [
        bold(f"{clean(key.name)} was used {ago(key.last_use.at, shown.now)}"),
        text(what or " "),
    ]


def _machines(shown: Shown) -> Line:
    store = shown.case.store
    state = f", key store {store.state.lower()}" if store else ""
    return [text(f"{count(facts.hsms(shown.case), 'HSM')}{state}")]


def _backup(shown: Shown) -> list[Line]:
    world = shown.case.snapshot
    if world is None or world.cluster is None:
        return []
    newest = world.cluster.newest_backup
    if newest is None:
        return [[bold("No backup is ready")]]
    created = [key.created_at for key in world.live_keys if key.created_at]
    newer = bool(created) and max(created) <= newest.created_at
    end = ", newer than every key" if newer else ", ready"
    return [[text("Backup of "), date(newest.created_at), text(end)]]


def _others(shown: Shown) -> list[Line]:
    world = shown.case.snapshot
    words = sessions.other_use_known(world) if world else ""
    return [[bold(f"Other programs may use the HSMs: {clean(words, 200)}")]] if words else []
