"""Everything the local Slack remembers, behind one lock. Speaks to nobody and checks no blocks."""

import itertools
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from sandbox.slack.limits import walk
from sandbox.slack.records import (
    CHANNEL,
    CHANNEL_NAME,
    Ephemeral,
    File,
    Json,
    Message,
    Now,
    Refused,
    Response,
    View,
)

CASE_VALUE = re.compile(r"[^:\s]+:\d+")
TRIGGER_SECONDS = 3
HOOK_SECONDS = 30 * 60
HOOK_USES = 5
VIEWS_ON_TOP = 3


@dataclass
class Trigger:
    """Somebody's permission to open one modal."""

    user: str
    issued_at: float
    used: bool = False


@dataclass
class Hook:
    """A response_url: whose it is and which message it may replace."""

    user: str
    channel: str
    message_ts: str | None
    issued_at: float
    uses: int = 0


class Workspace:
    """The state. Reading hands out copies; `changed` is called after each change, lock free."""

    def __init__(self, clock: Now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._serial = itertools.count(1)
        self._messages: dict[str, Message] = {}
        self._ephemerals: list[Ephemeral] = []
        self._responses: list[Response] = []
        self._files: dict[str, File] = {}
        self._stacks: dict[str, list[View]] = {}
        self._triggers: dict[str, Trigger] = {}
        self._hooks: dict[str, Hook] = {}
        self.channels: dict[str, str] = {CHANNEL: CHANNEL_NAME}
        self.shared_channels: set[str] = set()
        self.changed: list[Callable[[], None]] = []

    # Reading

    @property
    def messages(self) -> list[Message]:
        with self._lock:
            return deepcopy(list(self._messages.values()))

    @property
    def ephemerals(self) -> list[Ephemeral]:
        with self._lock:
            return deepcopy(self._ephemerals)

    @property
    def responses(self) -> list[Response]:
        with self._lock:
            return list(self._responses)

    @property
    def files(self) -> list[File]:
        with self._lock:
            return [file for file in self._files.values() if file.channel]

    @property
    def modals(self) -> dict[str, View]:
        with self._lock:
            return {user: deepcopy(stack[-1]) for user, stack in self._stacks.items() if stack}

    def find_message(self, ts: str) -> Message | None:
        with self._lock:
            return deepcopy(self._messages.get(ts))

    def find_case_message(self) -> Message | None:
        """The newest top-level message that shows, or once showed, a button of a case."""
        mine = (m for m in reversed(self.messages) if m.thread_ts is None and m.last_value)
        return next(mine, None)

    # Messages

    def post(self, message: Message) -> Message:
        """Takes a message without its ts. One whose parent is gone lands in the channel."""
        with self._changing():
            parent = self._messages.get(message.thread_ts or "")
            posted = replace(
                message,
                ts=self._next_ts(),
                thread_ts=(parent.thread_ts or parent.ts) if parent else None,
                last_value=_case_value(message.blocks),
            )
            self._messages[posted.ts] = posted
            return deepcopy(posted)

    def update(self, ts: str, *, text: str, blocks: list[Json]) -> Message:
        with self._changing():
            old = self._messages[ts]
            self._messages[ts] = replace(
                old,
                text=text,
                blocks=blocks,
                updates=old.updates + 1,
                last_value=_case_value(blocks) or old.last_value,
            )
            return deepcopy(self._messages[ts])

    def remove(self, ts: str) -> None:
        with self._changing():
            self._messages.pop(ts, None)

    def whisper(
        self, user: str, channel: str, *, text: str, blocks: list[Json], thread_ts: str | None
    ) -> Ephemeral:
        with self._changing():
            told = Ephemeral(
                user=user,
                text=text,
                blocks=blocks,
                channel=channel,
                ts=self._next_ts(),
                thread_ts=thread_ts,
            )
            self._ephemerals.append(told)
            return deepcopy(told)

    def record(self, response: Response) -> Response:
        with self._changing():
            self._responses.append(response)
        return response

    # Files

    def reserve_file(self, filename: str) -> str:
        with self._changing():
            file_id = f"F{secrets.token_hex(5).upper()}"
            self._files[file_id] = File(id=file_id, title=filename, filename=filename, content=b"")
            return file_id

    def change_file(self, file_id: str, **facts: Any) -> File:
        with self._changing():
            if file_id not in self._files:
                raise Refused("file_not_found")
            self._files[file_id] = replace(self._files[file_id], **facts)
            return self._files[file_id]

    # Modals

    def issue_trigger(self, user: str) -> str:
        with self._lock:
            trigger = f"{next(self._serial)}.{secrets.token_hex(6)}"
            self._triggers[trigger] = Trigger(user, self._now())
            return trigger

    def use_trigger(self, trigger_id: str) -> str:
        """Whose modal may be opened; refused the second time and after three seconds."""
        with self._lock:
            trigger = self._triggers.get(trigger_id)
            if trigger is None:
                raise Refused("invalid_trigger_id")
            if trigger.used:
                raise Refused("exchanged_trigger_id")
            if self._now() - trigger.issued_at > TRIGGER_SECONDS:
                raise Refused("expired_trigger_id")
            trigger.used = True
            return trigger.user

    def open_view(self, user: str, view: Json) -> View:
        with self._changing():
            self._stacks[user] = [self._new_view(user, view, below=None)]
            return deepcopy(self._stacks[user][-1])

    def push_view(self, below: View, view: Json) -> None:
        with self._changing():
            stack = self._stacks.get(below.user, [])
            if len(stack) >= VIEWS_ON_TOP:
                raise Refused("push_limit_reached")
            stack.append(self._new_view(below.user, view, below=below))

    def update_view(self, view_id: str, view: Json, *, expected_hash: str | None = None) -> View:
        with self._changing():
            for stack in self._stacks.values():
                for place, old in enumerate(stack):
                    if old.id == view_id:
                        if expected_hash is not None and expected_hash != old.hash:
                            raise Refused("hash_conflict")
                        stack[place] = replace(old, view=view, hash=self._next_hash())
                        return deepcopy(stack[place])
        raise Refused("not_found")

    def close_view(self, view: View) -> None:
        """Closes it and whatever lies on it; the one below shows again."""
        with self._changing():
            stack = self._stacks.get(view.user, [])
            self._stacks[view.user] = list(
                itertools.takewhile(lambda open_one: open_one.id != view.id, stack)
            )

    def close_all_views(self, user: str) -> None:
        with self._changing():
            self._stacks.pop(user, None)

    # Response URLs

    def issue_hook(self, user: str, channel: str, *, message_ts: str | None) -> str:
        with self._lock:
            hook_id = secrets.token_hex(8)
            self._hooks[hook_id] = Hook(user, channel, message_ts, self._now())
            return hook_id

    def use_hook(self, hook_id: str) -> Hook:
        with self._lock:
            hook = self._hooks.get(hook_id)
            if hook is None or self._now() - hook.issued_at > HOOK_SECONDS:
                raise Refused("expired_url")
            if hook.uses >= HOOK_USES:
                raise Refused("used_url")
            hook.uses += 1
            return replace(hook)

    # Within

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
        for tell in list(self.changed):
            tell()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _next_ts(self) -> str:
        # The clock stands still within an instant, so the order is in the fraction.
        return f"{int(self._now())}.{next(self._serial):06d}"

    def _next_hash(self) -> str:
        return f"{int(self._now())}.{secrets.token_hex(4)}"

    def _new_view(self, user: str, view: Json, *, below: View | None) -> View:
        view_id = f"V{secrets.token_hex(5).upper()}"
        return View(
            id=view_id,
            hash=self._next_hash(),
            user=user,
            root_view_id=below.root_view_id if below else view_id,
            previous_view_id=below.id if below else None,
            view=view,
        )


def _case_value(blocks: list[Json]) -> str | None:
    values = [node.get("value") for node, _ in walk(blocks) if node.get("type") == "button"]
    return next((v for v in reversed(values) if v and CASE_VALUE.fullmatch(v)), None)
