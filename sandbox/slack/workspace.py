"""Channels with their messages and private answers. Speaks to nobody and checks no blocks."""

import re
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from sandbox.slack.limits import walk
from sandbox.slack.mentions import mentions_of
from sandbox.slack.records import (
    CHANNEL,
    CHANNEL_NAME,
    Channel,
    Ephemeral,
    Json,
    Message,
    Response,
    SlackRefusal,
    direct_id,
)
from sandbox.slack.state import State

CASE_VALUE = re.compile(r"[^:\s]+:\d+")
HOOK_SECONDS = 30 * 60
HOOK_USES = 5


@dataclass
class Hook:
    """A response_url: whose it is and which message it may replace."""

    user: str
    channel: str
    message_ts: str | None
    issued_at: float
    uses: int = 0


class Workspace:
    """Reading hands out copies."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._channels = {CHANNEL: Channel(id=CHANNEL, name=CHANNEL_NAME)}
        self._messages: dict[str, Message] = {}
        self._ephemerals: list[Ephemeral] = []
        self._responses: list[Response] = []
        self._hooks: dict[str, Hook] = {}

    # Reading

    @property
    def messages(self) -> list[Message]:
        with self._state.lock:
            return deepcopy(list(self._messages.values()))

    @property
    def ephemerals(self) -> list[Ephemeral]:
        with self._state.lock:
            return deepcopy(self._ephemerals)

    @property
    def responses(self) -> list[Response]:
        with self._state.lock:
            return list(self._responses)

    def find_message(self, ts: str) -> Message | None:
        with self._state.lock:
            return deepcopy(self._messages.get(ts))

    def find_case_message(self) -> Message | None:
        """The newest top-level message that shows, or once showed, a button of a case."""
        mine = (
            m
            for m in reversed(self.messages)
            if m.thread_ts is None and m.last_value and not self.channel(m.channel).user
        )
        return next(mine, None)

    # Channels

    def channel(self, channel_id: str) -> Channel:
        with self._state.lock:
            found = self._channels.get(channel_id)
        if found is None:
            raise SlackRefusal("channel_not_found")
        return found

    def add_channel(self, channel: Channel) -> Channel:
        with self._state.changing():
            return self._channels.setdefault(channel.id, channel)

    def change_channel(self, channel_id: str = CHANNEL, **facts: Any) -> None:
        """What an owner does to it: archives it, takes the bot out, restricts who may post, …"""
        with self._state.changing():
            self._channels[channel_id] = replace(self._channels[channel_id], **facts)

    def direct(self, user: str) -> Channel:
        """The direct messages of the bot and this person."""
        made = Channel(id=direct_id(user), name="directmessage", user=user)
        return self.add_channel(made)

    # Messages

    def post(self, message: Message) -> Message:
        """Takes a message without its ts. One whose parent is gone lands in the channel."""
        with self._state.changing():
            parent = self._messages.get(message.thread_ts or "")
            posted = replace(
                message,
                ts=self._state.next_ts(),
                thread_ts=(parent.thread_ts or parent.ts) if parent else None,
                is_broadcast=message.is_broadcast and parent is not None,
                last_value=_case_value(message.blocks),
                mentions=mentions_of(message.text, message.blocks),
            )
            self._messages[posted.ts] = posted
            return deepcopy(posted)

    def update(
        self, ts: str, *, text: str, blocks: list[Json], metadata: Json | None = None
    ) -> Message:
        with self._state.changing():
            old = self._messages[ts]
            self._messages[ts] = replace(
                old,
                text=text,
                blocks=blocks,
                metadata=metadata or old.metadata,
                updates=old.updates + 1,
                last_value=_case_value(blocks) or old.last_value,
            )
            return deepcopy(self._messages[ts])

    def remove(self, ts: str) -> None:
        with self._state.changing():
            self._messages.pop(ts, None)

    def whisper(
        self, user: str, channel: str, *, text: str, blocks: list[Json], thread_ts: str | None
    ) -> Ephemeral:
        with self._state.changing():
            told = Ephemeral(
                user=user,
                text=text,
                blocks=blocks,
                channel=channel,
                ts=self._state.next_ts(),
                thread_ts=thread_ts,
            )
            self._ephemerals.append(told)
            return deepcopy(told)

    def record(self, response: Response) -> Response:
        with self._state.changing():
            self._responses.append(response)
        return response

    # Response URLs

    def issue_hook(self, user: str, channel: str, *, message_ts: str | None) -> str:
        with self._state.lock:
            hook_id = self._state.new_id("")
            self._hooks[hook_id] = Hook(user, channel, message_ts, self._state.now())
            return hook_id

    def use_hook(self, hook_id: str) -> Hook:
        with self._state.lock:
            hook = self._hooks.get(hook_id)
            if hook is None or self._state.now() - hook.issued_at > HOOK_SECONDS:
                raise SlackRefusal("expired_url")
            if hook.uses >= HOOK_USES:
                raise SlackRefusal("used_url")
            hook.uses += 1
            return replace(hook)


def _case_value(blocks: list[Json]) -> str | None:
    values = [node.get("value") for node, _ in walk(blocks) if node.get("type") == "button"]
    return next((v for v in reversed(values) if v and CASE_VALUE.fullmatch(v)), None)
