"""Keeps Home tabs up to date: when one is opened, after clicks, and each hour. Changes no case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import READERS, Refusal
from chalicelib.domain.scan import Scan
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.home import Read, home, judged, read_cases
from chalicelib.ports import Ports

REMEMBERED = timedelta(days=30)
MOST_PEOPLE = 30


class HomeMemory(Protocol):
    """Who opened the tab and when, and the last scan."""

    def homes(self) -> Mapping[str, datetime]: ...
    def set_homes(self, users: Mapping[str, datetime]) -> None: ...
    def scan(self) -> Scan | None: ...


@contextmanager
def _noted(ports: Ports) -> Iterator[None]:
    try:
        yield
    except (TemporaryError, PermanentError) as trouble:
        ports.log("Home tabs not written", why=trouble.reason)


@dataclass(frozen=True)
class HomePorts:
    """`publish` shows it to this person, and says whether Slack took it."""

    ports: Ports
    memory: HomeMemory
    publish: Callable[[str, Home, datetime], bool]

    def refresh(self) -> None:
        """Everybody's, but of whom Slack can't say now who they are: theirs stays as it was.

        Trouble with it is no trouble for what called it.
        """
        with _noted(self.ports):
            people = self.memory.homes()
            read = read_cases(self.ports) if people else None
            for user_id in people:
                seen = seen_by(self, user_id, read)
                if seen.closed is not Refusal.UNKNOWN:
                    self.publish(user_id, seen, self.ports.clock())


def opened_home(homes: HomePorts, user_id: str, *, seen_in: str) -> None:
    """Whoever opened it lately has it written anew later, too, unless it is closed to them.

    `seen_in`: the workspace that they opened it in.
    """
    now, seen = homes.ports.clock(), Home(is_unread=True)
    with _noted(homes.ports):
        seen = seen_by(homes, user_id, seen_in=seen_in)
    homes.publish(user_id, seen, now)
    if not seen.closed:
        with _noted(homes.ports):
            _remember(homes, user_id, now)


def _remember(homes: HomePorts, user_id: str, now: datetime) -> None:
    users = {**homes.memory.homes(), user_id: now}
    lately = sorted((at, user) for user, at in users.items() if now - at < REMEMBERED)
    homes.memory.set_homes({user: at for at, user in lately[-MOST_PEOPLE:]})


def seen_by(homes: HomePorts, user_id: str, read: Read | None = None, *, seen_in: str = "") -> Home:
    """Cases to members alone: Slack is asked who this is while the cases are read."""
    ports = homes.ports
    judging = ports.aside(partial(judged, ports, user_id, seen_in=seen_in))
    seen = home(ports, user_id, seen_in=seen_in, scan=homes.memory.scan(), read=read)
    _, why = judging()
    return seen if why in READERS else Home(closed=why)
