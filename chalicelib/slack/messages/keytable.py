"""The table of keys, most recently used first, and the words for a key's state and last use."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.snapshot import SHOWN_KEYS, Key, KeyState, most_used
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import cell, note, table
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, Block, ago, clean, count, utc

HEADS = ("Key", "State", "Last used", "Grants")


def keys(shown: Shown) -> list[Block]:
    """The 20 most recently used keys, and how many more there are; nothing if there are none."""
    policy, now = shown.policy, shown.now
    found = most_used(facts.keys(shown.case), now, days=policy.recent_use_days)
    if not found:
        return []
    top = found[:SHOWN_KEYS]
    rows = [_row(key, policy, now) for key in top]
    blocks = [table(f"keys:{shown.version}", HEADS, rows)]
    rest = found[SHOWN_KEYS:]
    if rest:
        blocks.append(note(f"{count(len(rest), 'more key')}, {_rest(rest[0], policy, now)}."))
    return blocks


def _rest(key: Key, policy: Policy, now: datetime) -> str:
    words = last_use(key, policy, now)
    if key.last_use.at:
        return f"last used {words.removesuffix(' ago')} ago or longer"
    return "never used" if words == "never" else "with no use on record"


def _row(key: Key, policy: Policy, now: datetime) -> list[Block]:
    days = policy.recent_use_days
    used = key.used_within(now, days=days) or key.use_is_unknown(now, days=days)
    strong = used and key.is_live
    return [
        cell(clean(key.name), strong=strong),
        cell(state(key)),
        cell(last_use(key, policy, now), strong=strong),
        cell("not known" if key.grants is None else f"{key.grants:,}"),
    ]


def state(key: Key) -> str:
    """AWS's word, or when the key will be gone."""
    if key.state is KeyState.PENDING_DELETION:
        return (
            f"Will be deleted on {utc(key.deletion_date, DAY)}"
            if key.deletion_date
            else "Being deleted"
        )
    return "Not known" if key.state is KeyState.UNKNOWN else key.state.value


def last_use(key: Key, policy: Policy, now: datetime) -> str:
    """“3 hours ago”, “never”, or how far back AWS can tell."""
    use = key.last_use
    if use.at:
        return ago(use.at, now)
    if key.never_used():
        return "never"
    if use.tracked_since is None:
        return "not known"
    if key.use_is_unknown(now, days=policy.recent_use_days):
        return f"not known before {utc(use.tracked_since, DAY)}"
    return f"not since {utc(use.tracked_since, DAY)}"
