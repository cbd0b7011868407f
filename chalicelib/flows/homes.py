"""Keeps Home tabs up to date: when one is opened, after clicks, and each hour. Changes no case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.domain.home import Home
from chalicelib.domain.scan import Scan
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.home import Read, home, read_cases
from chalicelib.ports import Ports

REMEMBERED = timedelta(days=30)
MOST_PEOPLE = 30


class HomeMemory(Protocol):
    """Who opened the tab and when, and the last scan."""

    def homes(self) -> Mapping[str, datetime]: ...
    def set_homes(self, users: Mapping[str, datetime]) -> None: ...
    def scan(self) -> Scan | None: ...


@dataclass(frozen=True)
class HomePorts:
    """`publish` shows it to this person, and says whether Slack took it."""

    ports: Ports
    memory: HomeMemory
    publish: Callable[[str, Home, datetime], bool]

    def refresh(self) -> None:
        """Everybody's. Trouble with it is no trouble for what called it."""
        try:
            people = self.memory.homes()
            read = read_cases(self.ports) if people else None
            for user_id in people:
                show(self, user_id, read)
        except (TemporaryError, PermanentError) as trouble:
            self.ports.log("Home tabs not written", why=trouble.reason)


def opened_home(homes: HomePorts, user_id: str) -> None:
    """Whoever opened it lately has it written anew later, too."""
    now = homes.ports.clock()
    show(homes, user_id)
    users = {**homes.memory.homes(), user_id: now}
    lately = sorted((at, user) for user, at in users.items() if now - at < REMEMBERED)
    homes.memory.set_homes({user: at for at, user in lately[-MOST_PEOPLE:]})


def show(homes: HomePorts, user_id: str, read: Read | None = None) -> None:
    seen = home(homes.ports, user_id, scan=homes.memory.scan(), read=read)
    homes.publish(user_id, seen, homes.ports.clock())
