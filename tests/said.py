"""Whatever the code says in a test stands in `said.txt`, where somebody has read it.

Answers, failures with their advice, decisions, entries of the audit log, log lines, and each line of a message.
What has a digit in it counts as one. `WRITE_CATALOGUE=1 make test` adds what is new, and its diff is to be read;
`rm tests/said.txt` before it also drops what nobody says any more. A test whose words differ from run to run, or
are full of others' names, is marked `any_words`.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any

from chalicelib.answers import FieldError, Private
from chalicelib.aws.cloudtrail import NotOursError
from chalicelib.domain.rules.clicks import NotPossible
from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.rules.hearing import Placed
from chalicelib.domain.rules.step import Close, Wait
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Difference
from chalicelib.failures import PermanentError, RequestError, TemporaryError
from chalicelib.flows.signed import Said
from chalicelib.slack.messages import blocks
from chalicelib.slack.messages.text import Message

FILE = Path(__file__).parent / "said.txt"
ANSWERS = (Private, FieldError, Said, RequestError)
FAILURES = (TemporaryError, PermanentError, NotOursError)
DECISIONS = (Wait, Close, Gate, Difference, Placed, NotPossible, Entry)
SAY = (*ANSWERS, *FAILURES, *DECISIONS, Message)
VARIES = re.compile(r"\b(?=[\w-]*\d)[\w-]+")
"""A number, an id, an account, a date."""
MONTHS = re.compile(r"# (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")
"""Of a day: some tests go by the clock on the wall."""
STATUSES = {status.value for status in HTTPStatus}
AWS_OWN = "said"
"""An error’s keyword with AWS’s own words, which are the test’s here."""
TEXTS = ("plain", "section", "note", "marked_note", "text")
"""What makes the texts of dialogs and of the Home tab, before anybody has imported it by its name."""
MODALS = ("chalicelib.slack.modals", "chalicelib.slack.home")
LEAVES = ("text", "fallback", "user_id", "name")
"""What a piece of a rich text shows: words, a date, a person, or an emoji."""


class Listener:
    """Hears what the code says; what a test says itself doesn't count."""

    def __init__(self) -> None:
        self.listens = True
        self.heard: list[str] = []
        for kind in SAY:
            kind.__init__ = self._heard(kind)  # type: ignore[method-assign]  # listened to
        for name in TEXTS:
            setattr(blocks, name, self._read_out(getattr(blocks, name)))

    def _heard(self, kind: type[Any]) -> Callable[..., None]:
        begin = kind.__init__

        @functools.wraps(begin)
        def init(it: Any, /, *values: Any, **named: Any) -> None:
            begin(it, *values, **named)
            if self.listens and _is_ours(kind, sys._getframe(1)):  # who says it
                own = [value for name, value in named.items() if name != AWS_OWN]
                self.heard += _lines(kind.__name__, [*values, *own])

        return init

    def _read_out(self, make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(words: str, *more: Any, **named: Any) -> Any:
            if self.listens and _module(sys._getframe(1)).startswith(MODALS):  # who says it
                self.heard.append(_alike(words))
            return make(words, *more, **named)

        return made

    def log(self, message: str, **fields: object) -> None:
        if self.listens:
            self.heard.append(f"log: {message} · {_fields(fields)}")

    def unread(self) -> list[str]:
        return sorted({*self.heard} - _read())


def _is_ours(kind: type[Any], caller: FrameType | None) -> bool:
    if kind is Entry and caller is not None:
        # `entry` makes it; linked into the log it is made anew.
        caller = caller.f_back if caller.f_code.co_name == "entry" else None
    return _module(caller).startswith("chalicelib.")


def _module(caller: FrameType | None) -> str:
    """Empty for generated code, which belongs to none."""
    return str(caller.f_globals.get("__name__", "")) if caller else ""


@functools.cache
def _read() -> frozenset[str]:
    return frozenset(FILE.read_text().splitlines()) if FILE.exists() else frozenset()


def _lines(kind: str, values: list[Any]) -> Iterator[str]:
    yield f"{kind}: {' · '.join(filter(None, map(_words, values)))}"
    if kind != Entry.__name__:
        yield from map(_alike, _shown(values))


def _words(value: Any) -> str:
    if isinstance(value, str):
        return _alike(value)
    if isinstance(value, tuple):
        return " · ".join(filter(None, map(_words, value)))
    if isinstance(value, bool) or (isinstance(value, int) and value in STATUSES):
        return str(value)
    return "#" if isinstance(value, int) else ""


def _fields(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_alike(str(value))}" for name, value in fields.items())


@functools.lru_cache(maxsize=4096)
def _alike(words: str) -> str:
    return MONTHS.sub("# Mar", VARIES.sub("#", " ".join(words.split())))


def _shown(node: Any) -> Iterator[str]:
    """The texts in blocks; the pieces of a rich one are a line."""
    if isinstance(node, list | tuple):
        for child in node:
            yield from _shown(child)
    elif isinstance(node, dict):
        pieces = node.get("elements", ())
        if any(_leaf(piece) for piece in pieces):
            yield "".join(map(_leaf, pieces))
        elif isinstance(node.get("text"), str):
            yield node["text"]
        yield from _shown(list(node.values()))


def _leaf(piece: Any) -> str:
    found = (piece.get(name) for name in LEAVES) if isinstance(piece, dict) else ()
    return next((word for word in found if isinstance(word, str)), "")


def add(lines: Iterable[str]) -> None:
    with FILE.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def tidy() -> None:
    """Each line once, in the order of the alphabet."""
    FILE.write_text("".join(f"{line}\n" for line in sorted({*FILE.read_text().splitlines()})))
