"""What the local Slack holds, as frozen records, and its fixed ids. Does nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

TEAM = "T0UNLATCH"
ORGANISATION = "E0ORG"
ORGANISATION_NAME = "Local Org"
OTHER_TEAM = "T0OTHER"  # of another company
CHANNEL = "C0UNLATCH"
CHANNEL_NAME = "kms-approvals"
BOT_USER = "U0UNLATCH"
BOT = "B0UNLATCH"
APP = "A0UNLATCH"
BOT_TOKEN = "xoxb-local"  # noqa: S105 - opens nothing but this sandbox
SIGNING_SECRET = "local-signing-secret"  # noqa: S105 - opens nothing but this sandbox

Json = dict[str, Any]


class Now(Protocol):
    """The sandbox clock, as far as Slack needs it."""

    def now(self) -> datetime: ...


class Fault(Protocol):
    """A trouble that a scenario asks for; its kinds are those of AWS's faults."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def seconds(self) -> float | None: ...


class Faults(Protocol):
    """Where to ask, once for each request on the wire, whether it shall go wrong."""

    def hit(self, call: str, /) -> Fault | None: ...


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel, or the direct messages of the bot and one `user`, and who may write in it.

    `absent` are people who are not in it. `editable_seconds` is how long a workspace lets messages
    be edited; None is for ever.
    """

    id: str
    name: str
    user: str = ""
    is_archived: bool = False
    is_member: bool = True
    is_restricted: bool = False
    is_shared: bool = False
    editable_seconds: float | None = None
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it stands; `last_value` is the newest button value ever shown in it.

    `mentions` are the people, groups and broadcasts that it notified: edits notify nobody.
    """

    channel: str
    ts: str
    thread_ts: str | None
    text: str
    blocks: list[Json]
    updates: int = 0
    user: str = BOT_USER
    metadata: Json | None = None
    last_value: str | None = None
    mentions: tuple[str, ...] = ()
    is_broadcast: bool = False
    """A reply in a thread that the channel shows as well."""

    @property
    def in_channel(self) -> bool:
        return self.thread_ts is None or self.is_broadcast


@dataclass(frozen=True, kw_only=True)
class Ephemeral:
    """A message that only this person sees."""

    user: str
    text: str
    blocks: list[Json]
    channel: str
    ts: str
    thread_ts: str | None = None


@dataclass(frozen=True, kw_only=True)
class View:
    """An open modal or a Home tab: Slack's own ids around the view that the bot sent."""

    id: str
    hash: str
    user: str
    root_view_id: str
    previous_view_id: str | None
    view: Json
    installed_in: str = TEAM

    @property
    def blocks(self) -> list[Json]:
        return with_ids(self.view["blocks"])

    @property
    def submit(self) -> Json | None:
        return self.view.get("submit")

    def to_api(self, state: Json | None = None) -> Json:
        """The view object of Slack's API, with the values typed so far."""
        empty: Json = {
            "callback_id": "",
            "private_metadata": "",
            "close": None,
            "submit": None,
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
        }
        return {
            **empty,
            **self.view,
            "blocks": self.blocks,
            "id": self.id,
            "team_id": TEAM,
            "hash": self.hash,
            "state": {"values": state or {}},
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "app_id": APP,
            "app_installed_team_id": self.installed_in,
            "bot_id": BOT,
        }


@dataclass(frozen=True)
class Response:
    """The bot's answer to one interaction. `status` is 0 if none came; `error` says what
    Slack would show the person in place of an answer."""

    status: int
    body: str
    ms: float
    kind: str = ""
    user: str = ""
    error: str | None = None


def direct_id(user: str) -> str:
    """The channel of the bot's direct messages with this person."""
    return f"D0{user.upper()}"


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with an id for each that came without one, as Slack hands them out."""
    return [{"block_id": f"auto{place}", **block} for place, block in enumerate(blocks)]


class SlackRefusal(Exception):  # noqa: N818 - Slack's own word for it is `ok: false`
    """An `ok: false` answer: Slack's error code, what it says about the arguments, further fields."""

    def __init__(self, error: str, details: list[str] | None = None, **fields: str) -> None:
        super().__init__(error)
        self.error = error
        self.details = details or []
        self.fields = fields


def missing(*names: str) -> SlackRefusal:
    return SlackRefusal("invalid_arguments", [f"missing required field: {name}" for name in names])
