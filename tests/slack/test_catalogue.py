"""Every word, mark and button of every message, dialog and thread line, as it was last looked at.

A changed word shows in the diff of `catalogue/`. If it is meant: `WRITE_CATALOGUE=1 pytest tests/slack/test_catalogue.py`,
and read what it wrote aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.aws.store import codec
from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.notices import noticed
from chalicelib.domain.state.audit_log import Entry, chained
from chalicelib.domain.state.case import Case, Phase
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.slack import home, refusals
from chalicelib.slack.messages import notice
from chalicelib.slack.messages.fallback import barest, plainer
from chalicelib.slack.messages.notice_over import over
from chalicelib.slack.messages.text import Message
from chalicelib.slack.messages.thread import line
from tests.domain.worlds import NOW, POLICY, Play, sibling, world
from tests.held import as_it_was
from tests.slack import test_design, test_design_dialogs, test_design_notices, test_fleet
from tests.slack.every_moment import MOMENTS, kept
from tests.slack.moments import IN_USE, OFF, OLD, asked, of, shown, waiting_for_keys
from tests.slack.odd_moments import NAMES, ODD, Odd, moments, otherwise
from tests.slack.reading import buttons, words
from tests.slack.test_gateway import Slack
from tests.slack.test_modals import decide
from tests.slack.test_thread import LINES

FOLDER = Path(__file__).parent / "catalogue"
Made = Callable[[], Any]


def _message(made: Message) -> Any:
    return {"text": made.text, "blocks": list(made.blocks)}


def _dialog(moment: str, remedy: Remedy) -> Made:
    return lambda: decide(MOMENTS[moment](), remedy)


def _thread() -> list[Any]:
    """All that the thread may say, and what only the log needs."""
    play = waiting_for_keys()
    linked = (chained((item,), length=0, head="")[0] for item, _ in LINES)
    return [None if told is None else _message(told) for told in _told(linked, play.case)]


def _told(entries: Iterable[Entry], it: Case) -> Iterator[Message | None]:
    return (line(entry, case=it) for entry in entries)


def _steps() -> Any:
    """What the turns before each moment decided, in the domain's words."""
    return {
        name: [f"{type(step).__name__} {codec.dump(step)}" for step in play().steps]
        for name, play in MOMENTS.items()
    }


def _fewer(it: Case, number: int) -> Case:
    """The same moment of a smaller world: sentences count, and one is not many."""
    seen = it.snapshot
    if seen is None:
        return it
    left = seen.cluster and replace(seen.cluster, hsms=seen.cluster.hsms[:number])
    return replace(it, snapshot=replace(seen, keys=seen.keys[:number], cluster=left))


def _told_of(number: int) -> Any:
    told = {}
    for name, play in MOMENTS.items():
        at = play()
        told[name] = words(of(_fewer(at.case, number), at.now).blocks)
    return told


def _unread() -> Any:
    """The same moments before anything is known of AWS."""
    told = {}
    for name, play in MOMENTS.items():
        at = play()
        told[name] = words(of(replace(at.case, snapshot=None), at.now).blocks)
    return told


def _odd(odd: Odd) -> Any:
    """What each moment then says that it usually doesn't, and how much there is to see and to press."""
    return {
        name: [
            made.text,
            *(words(block) for block in made.blocks if block not in usual.blocks),
            f"{len(made.blocks)} blocks; {', '.join(buttons(made).values()) or 'no button'}",
        ]
        for name, made, usual in otherwise(odd)
    }


def _plainer() -> Any:
    """As a Slack without the newer blocks shows each moment, and as one that takes hardly any."""
    return {
        name: {
            "plainer": [
                words(plain) for plain in plainer(usual).blocks if plain not in usual.blocks
            ],
            "barest": words(barest(usual).blocks),
        }
        for name, _, _, usual in moments()
    }


def _notices(change: Callable[[Case], Case]) -> Any:
    """What each moment notifies of, alone and among several, and what is left of it once it is over."""
    told = {}
    for name, it, now, _ in moments():
        case = replace(change(it), message=SlackMessage("C1", "1.0"), closed_at=it.closed_at or now)
        case = noticed(replace(case, uses_seen=len(case.key_uses)), now)
        for one in case.message.notices:
            made = notice.message(case, one, policy=POLICY, names=NAMES)
            several = notice.line(case, one, policy=POLICY, names=NAMES)
            left = over(case, replace(one, over_at=now + timedelta(hours=3)), names=NAMES)
            told[f"{name}, {one.moment}"] = [
                made.text,
                words(made.blocks),
                several,
                left.text,
                words(left.blocks),
            ]
    return told


SETTINGS: dict[str, dict[str, Any]] = {
    "no soak": {"repoint_soak_days": 0},
    "a soak": {"repoint_soak_days": 14},
    "no quarantine": {"quarantine_days": 0},
    "a quarantine": {"quarantine_days": 5},
    "the shortest window": {"pending_window_days": 7},
    "a dry run": {"dry_run": True},
    "one is enough": {"quorum_irreversible": 1},
    "nobody approves": {"approvers": ()},
    "confirmed in AWS": {"step_up_roles": ("security",)},
}


def _set(settings: dict[str, Any]) -> Any:
    """What is first asked, and each of its dialogs, under other settings."""
    policy = replace(POLICY, **settings)
    play = Play(world(IN_USE, OLD, OFF, siblings=(sibling(),)), policy=policy)
    play.turn()
    first = shown(play, policy=policy)
    dialogs = {p.remedy: decide(play, p.remedy, policy=policy) for p in play.case.offers}
    return {"message": words(first.blocks), **{str(r): words(d) for r, d in dialogs.items()}}


def _private() -> dict[str, str]:
    return {why.name: refusals.sentence(why, policy=POLICY) for why in Refusal}


def _commands() -> dict[str, str]:
    here = test_fleet.reach(Slack(), test_fleet.SCAN)
    known = Home((test_fleet.shown(asked().case),), (), (kept().case,), frozen="drill", more=3)
    return {"help": here.help(), "scan": here.scan(), "status": here.status(known)}


def _home() -> Any:
    cases = [MOMENTS[name]().case for name in ("new", "one_of_two", "waiting_for_keys", "stopped")]
    seen = Home(tuple(cases[:2]), tuple(cases[2:]), (kept().case,), test_fleet.SCAN, channel="C1")
    return home.view(seen, policy=POLICY, names=test_fleet.NAMES, now=NOW)


def _entries() -> Iterator[tuple[str, Made]]:
    for name, play in MOMENTS.items():
        yield f"message {name}", lambda play=play: _message(shown(play()))  # type: ignore[misc]
        it = play().case
        offered = it.offers if it.phase is Phase.WAITING else ()
        yield from ((f"dialog {name} {p.remedy}", _dialog(name, p.remedy)) for p in offered)
    for name, moment in test_design.DESIGN.items():
        yield f"message, {name}", lambda moment=moment: _message(shown(moment.play()))  # type: ignore[misc]
    for name, dialog in test_design_dialogs.DESIGN.items():
        yield f"dialog, {name}", dialog.view
    for name, told in test_design_notices.DESIGN.items():
        yield f"notice, {name}", lambda told=told: _message(told.make())  # type: ignore[misc]
    yield "messages of one key and one HSM", lambda: _told_of(1)
    yield "messages of no key and no HSM", lambda: _told_of(0)
    yield "messages of what is not read", _unread
    for name, settings in SETTINGS.items():
        yield f"settings, {name}", lambda settings=settings: _set(settings)  # type: ignore[misc]
    for name, odd in ODD.items():
        yield f"messages if {name}", lambda odd=odd: _odd(odd)  # type: ignore[misc]
    yield "messages, plainer", _plainer
    yield "notices", lambda: _notices(lambda it: it)
    yield "notices of one key", lambda: _notices(lambda it: _fewer(it, 1))
    for name in ("keys were used in vain", "nobody said why", "a look found it"):
        yield f"notices if {name}", lambda name=name: _notices(ODD[name].case)  # type: ignore[misc]
    yield "steps", _steps
    yield "thread", _thread
    yield "digest", lambda: _message(test_fleet.told(test_fleet.SCAN))
    yield "private answers", _private
    yield "commands", _commands
    yield "home", _home


ENTRIES = dict(_entries())


def _written(made: Any) -> str:
    return str(
        yaml.dump(made, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=110)
    )


@pytest.mark.parametrize("name", ENTRIES)
def test_it_reads_as_it_was_last_looked_at(name: str) -> None:
    as_it_was(_written(ENTRIES[name]()), FOLDER / f"{name}.yaml")


def test_nothing_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(ENTRIES)
