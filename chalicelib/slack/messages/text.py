"""Words, numbers, times and other people's text, ready for Slack. Never lets foreign text become mark-up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.state import dates

LONGEST_NAME = 60
LONGEST_REASON = 300
REMOVED = frozenset({"Cc", "Cf", "Cs", "Co"})
RIGHT_TO_LEFT = frozenset({"R", "AL"})
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
DAY_AND_TIME, DAY, TIME = "{date_short_pretty}, {time}", "{date_short_pretty}", "{time}"
PERSON = re.compile(r"[A-Za-z0-9._-]+")
GROUP = re.compile(r"S[A-Z0-9]{2,}")
TOKEN = re.compile(r"(<@[A-Za-z0-9._-]+>|<!subteam\^S[A-Z0-9]+>|<!date\^\d+\^[^|<>]*\|[^|<>]*>)")
Block = dict[str, Any]
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five")
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


@dataclass(frozen=True)
class Message:
    """What chat.postMessage takes. `text` is the notification, and is mrkdwn too."""

    text: str
    blocks: tuple[Block, ...]


def clean(words: str, most: int = LONGEST_NAME) -> str:
    """Foreign text in one line: no control or direction marks, short, right-to-left isolated."""
    visible = (" " if c.isspace() else c for c in words)
    kept = "".join(c for c in visible if unicodedata.category(c) not in REMOVED)
    short = shorten(" ".join(kept.split()), most) or "(empty)"
    if any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in short):
        return f"{ISOLATE}{short}{END_ISOLATE}"
    return short


def shorten(words: str, most: int) -> str:
    """Cut in the middle, where names differ least."""
    if len(words) <= most:
        return words
    head = most // 2
    return f"{words[:head]}…{words[len(words) - (most - head - 1) :]}"


def cut(words: str, most: int) -> str:
    """Cut at the end, for sentences of our own that grew too long."""
    return words if len(words) <= most else words[: most - 1] + "…"


def ident(name: str) -> str:
    """An AWS id with nothing in it that Slack could take for mark-up."""
    return cut(re.sub(r"[^A-Za-z0-9._/-]", "", name), LONGEST_NAME) or "unknown"


def marked(words: str, most: int = 3_000) -> str:
    """A sentence of ours as mrkdwn: people, groups and dates stay mark-up, all else is literal."""
    parts = TOKEN.split(words)
    plain = [p if TOKEN.fullmatch(p) else escape(p) for p in parts]
    return cut("".join(plain), most)


def escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def person(user_id: str) -> str:
    """A mention, for mrkdwn."""
    return f"<@{user_id}>" if PERSON.fullmatch(user_id) else "somebody"


def approvers(names: Sequence[str]) -> str:
    """All who may decide as mentions, for mrkdwn; users and groups are told apart by their ids."""
    shown = [f"<!subteam^{n}>" if GROUP.fullmatch(n) else person(n) for n in names[:10]]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown)} more")
    return listing(shown, nothing="nobody")


def listing(words: Iterable[str], *, nothing: str = "nothing") -> str:
    """“a”, “a and b”, “a, b and c”."""
    items = list(words)
    if len(items) > 1:
        return f"{', '.join(items[:-1])} and {items[-1]}"
    return items[0] if items else nothing


def count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def spelled(number: int) -> str:
    """“One”, at the start of a sentence; large numbers in figures."""
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def be(number: int) -> str:
    return "is" if number == 1 else "are"


def people(number: int) -> str:
    return count(number, "person", "people")


def all_of(number: int, noun: str) -> str:
    """“the only key”, “both keys”, “all 3 keys”."""
    if number == 1:
        return f"the only {noun}"
    return f"both {noun}s" if number == 2 else f"all {number:,} {noun}s"


def the(number: int, noun: str) -> str:
    """“the key”, “the 3 keys”."""
    return f"the {noun}" if number == 1 else f"the {count(number, noun)}"


def times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def upper_first(words: str) -> str:
    return words[:1].upper() + words[1:]


def money(dollars: float) -> str:
    """Whole dollars; from a thousand on in tens, as more would be false precision."""
    whole = round(dollars, -1) if dollars >= 1_000 else round(dollars)
    return f"${int(whole):,}"


def seconds(when: datetime) -> int:
    return max(0, int(when.timestamp()))


def token(when: datetime, shape: str = DAY_AND_TIME) -> str:
    """A time in the reader's zone for mrkdwn, with a fallback in UTC."""
    return f"<!date^{seconds(when)}^{shape}|{utc(when, shape)}>"


def utc(when: datetime, shape: str = DAY_AND_TIME) -> str:
    """“3 Mar, 03:07 UTC”, “3 Mar” or “03:07 UTC”."""
    if shape == DAY:
        return dates.day(when)
    clock = f"{when.astimezone(UTC):%H:%M:%S} UTC" if "secs" in shape else dates.clock(when)
    return clock if "date" not in shape else f"{dates.day(when)}, {clock}"


def ago(when: datetime, now: datetime) -> str:
    """“3 hours ago”; the largest whole unit."""
    age = (now - when).total_seconds()
    for unit, length in UNITS:
        if age >= length:
            return f"{count(int(age // length), unit)} ago"
    return "just now"


def caller(name: str) -> str:
    """A caller's name at the start of a sentence: roles take a capital, people's names stay as they are."""
    words = clean(name or "somebody")
    return upper_first(words) if words.startswith(("role ", "somebody")) else words


def quoted(reason: str, most: int = LONGEST_REASON) -> str:
    return f"“{clean(reason, most)}”"
