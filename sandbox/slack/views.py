"""The modals that people see, their Home tabs, and the permissions to open one. Checks no blocks."""

import itertools
from copy import deepcopy
from dataclasses import dataclass, replace

from sandbox.slack.records import ORGANISATION, TEAM, Json, SlackRefusal, View
from sandbox.slack.state import State

TRIGGER_SECONDS = 3
VIEWS_ON_TOP = 3


@dataclass
class Trigger:
    """Somebody's permission to open one modal."""

    user: str
    issued_at: float
    used: bool = False


class Views:
    """Reading hands out copies."""

    def __init__(self, state: State, *, is_org_wide: bool) -> None:
        self._state = state
        self._installed_in = ORGANISATION if is_org_wide else TEAM
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._triggers: dict[str, Trigger] = {}

    @property
    def modals(self) -> dict[str, View]:
        """The modal that each person sees, by user id."""
        with self._state.lock:
            return {user: deepcopy(stack[-1]) for user, stack in self._stacks.items() if stack}

    @property
    def homes(self) -> dict[str, View]:
        """The Home tab that was published for each person, by user id."""
        with self._state.lock:
            return deepcopy(self._homes)

    def issue_trigger(self, user: str) -> str:
        with self._state.lock:
            trigger = self._state.new_id("")
            self._triggers[trigger] = Trigger(user, self._state.now())
            return trigger

    def use_trigger(self, trigger_id: str) -> str:
        """Whose modal may be opened; refused the second time and after three seconds."""
        with self._state.lock:
            trigger = self._triggers.get(trigger_id)
            if trigger is None:
                raise SlackRefusal("invalid_trigger_id")
            if trigger.used:
                raise SlackRefusal("exchanged_trigger_id")
            if self._state.now() - trigger.issued_at > TRIGGER_SECONDS:
                raise SlackRefusal("expired_trigger_id")
            trigger.used = True
            return trigger.user

    def open(self, user: str, view: Json) -> View:
        with self._state.changing():
            self._stacks[user] = [self._new(user, view, below=None)]
            return deepcopy(self._stacks[user][-1])

    def push(self, below: View, view: Json) -> None:
        with self._state.changing():
            stack = self._stacks.get(below.user, [])
            if len(stack) >= VIEWS_ON_TOP:
                raise SlackRefusal("push_limit_reached")
            stack.append(self._new(below.user, view, below=below))

    def update(self, view_id: str, view: Json, *, expected_hash: str | None = None) -> View:
        with self._state.changing():
            for stack in self._stacks.values():
                for place, old in enumerate(stack):
                    if old.id == view_id:
                        stack[place] = self._replaced(old, view, expected_hash)
                        return deepcopy(stack[place])
        raise SlackRefusal("not_found")

    def publish(self, user: str, view: Json, *, expected_hash: str | None = None) -> View:
        """A Home tab; it keeps its id from the first one on."""
        with self._state.changing():
            old = self._homes.get(user) or self._new(user, view, below=None)
            self._homes[user] = self._replaced(old, view, expected_hash)
            return deepcopy(self._homes[user])

    def close(self, view: View) -> None:
        """Closes it and whatever lies on it; the one below shows again."""
        with self._state.changing():
            stack = self._stacks.get(view.user, [])
            self._stacks[view.user] = list(
                itertools.takewhile(lambda open_one: open_one.id != view.id, stack)
            )

    def close_all(self, user: str) -> None:
        with self._state.changing():
            self._stacks.pop(user, None)

    def _replaced(self, old: View, view: Json, expected_hash: str | None) -> View:
        if expected_hash is not None and expected_hash != old.hash:
            raise SlackRefusal("hash_conflict")
        return replace(old, view=view, hash=self._state.next_hash())

    def _new(self, user: str, view: Json, *, below: View | None) -> View:
        view_id = self._state.new_id("V")
        return View(
            id=view_id,
            hash=self._state.next_hash(),
            user=user,
            root_view_id=below.root_view_id if below else view_id,
            previous_view_id=below.id if below else None,
            view=view,
            installed_in=self._installed_in,
        )
