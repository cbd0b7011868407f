"""The worst fact about a case that waits for people: said until the last of them has approved. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.diagnosis import Cause, cause_of
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import WARNING, Piece, bold, date, symbol, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, ago, all_of, be, upper_first


@dataclass(frozen=True)
class Fact:
    """`words` stand in bold, as a sentence unless `more` ends it."""

    words: str
    more: Sequence[Piece] = ()
    warns: bool = False

    @property
    def pieces(self) -> list[Piece]:
        sign = [symbol(WARNING), text(" ")] if self.warns else []
        return [*sign, bold(self.words), *self.more]

    @property
    def sentence(self) -> str:
        """The words alone."""
        return f"{self.words.removesuffix('.')}."


def worst(shown: Shown) -> Fact:
    keys = facts.keys(shown.case)
    if not keys:
        return _no_keys(shown)
    used = facts.latest_used(shown.situation)
    if used:
        return _in_use(shown, used)
    if not any(key.is_live for key in keys):
        return _all_pending(shown)
    they, them = ("it", "it") if len(keys) == 1 else ("they", "them")
    lost = f" What {they} encrypted is lost without {them}."
    return Fact(f"{_last_used(shown, keys)}.", [text(lost)])


def _last_used(shown: Shown, keys: Sequence[Key]) -> str:
    """The fact itself, so that “30 days ago” is never “not in the last 30 days”."""
    number, live = len(keys), [key for key in keys if key.is_live]
    latest = max((key.last_use.at for key in live if key.last_use.at), default=None)
    if latest is not None:
        of = "its only key" if number == 1 else f"its {number:,} keys"
        return f"The last use of {of} was {ago(latest, shown.now)}"
    none = {1: "Its only key was", 2: "Neither of its keys was"}
    words = none.get(number, f"None of its {number:,} keys was")
    never = " not used" if number == 1 else " used"
    if all(key.never_used() for key in live):
        return f"{words}{' never' if number == 1 else ' ever'} used"
    return f"{words}{never} in the last {shown.policy.recent_use_days} days"


def _no_keys(shown: Shown) -> Fact:
    world = shown.case.snapshot
    cause = cause_of(world) if world else Cause.INCOMPLETE
    if cause is Cause.INCOMPLETE:
        words = "What is not known counts as dangerous"
        return Fact(words, [text(", so nothing final is offered.")], warns=True)
    if shown.case.store is None:
        return Fact("No KMS key is at risk.")
    return Fact("No keys are at risk.", [text(" Removing the store frees the cluster.")])


def _in_use(shown: Shown, used: Sequence[Key]) -> Fact:
    number = len(facts.keys(shown.case))
    known = [key for key in used if key.last_use.at]
    if not known:
        which = "its only key was" if number == 1 else f"{len(used):,} of its {number:,} keys were"
        words = f"AWS can’t tell when {which} last used."
        return Fact(words, [text(" That counts as use.")], warns=True)
    depends = [text(" Something still depends on " + ("it." if len(known) == 1 else "them."))]
    last = known[0].last_use.at or shown.now
    if len(known) == 1:
        which = "Its only key" if number == 1 else f"One of its {number:,} keys"
        return Fact(f"{which} was used {ago(last, shown.now)}.", depends, warns=True)
    which = upper_first(all_of(number, "key").replace("the ", "its "))
    if len(known) < number:
        which = f"{len(known):,} of its {number:,} keys"
    words = f"{which} were used in the last {shown.policy.recent_use_days} days."
    return Fact(words, depends, warns=True)


def _all_pending(shown: Shown) -> Fact:
    number, end = len(facts.keys(shown.case)), facts.keys_end(shown.case)
    which = upper_first(all_of(number, "key").replace("the ", "its "))
    words = f"{which} {be(number)} waiting for deletion already"
    return Fact(words, [text(", until "), date(end, DAY), text(".")]) if end else Fact(f"{words}.")
