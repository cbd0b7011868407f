"""Stand-ins for what the local Slack meets: a clock, planned faults, and an app that answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import Clock, SignatureVerifier
from werkzeug.wrappers import Request, Response

from sandbox.slack.manifest import Manifest
from sandbox.slack.methods import METHODS
from sandbox.slack.records import SIGNING_SECRET

EVERYTHING = Manifest(
    scopes=frozenset[str]().union(*(method.scopes for method in METHODS.values())),
    events=frozenset({"app_home_opened"}),
    has_home_tab=True,
    is_org_ready=True,
)
"""An app with every right that the local Slack knows."""
PEOPLE: dict[str, dict[str, bool]] = {
    "alice": {"approver": True},
    "bob": {"approver": True},
    "carol": {},
    "mallory": {"external": True},
    "gus": {"guest": True},
    "robo": {"bot": True},
    "dora": {"deleted": True},
}


class StandingClock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class VerifierClock(Clock):
    """The same time as the Slack SDK wants it."""

    def __init__(self, clock: StandingClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.time.timestamp()


@dataclass
class App:
    """What Slack talks to: notes each request and answers as told; 401 for a bad signature."""

    clock: StandingClock
    answer: Callable[[Any], Any] = lambda _: ""
    payloads: list[dict[str, Any]] = field(default_factory=list)

    def serve(self, request: Request) -> Response:
        verifier = SignatureVerifier(SIGNING_SECRET, clock=VerifierClock(self.clock))
        if not verifier.is_valid_request(request.get_data(), dict(request.headers)):
            return Response(status=401)
        sent = request.get_json() if request.is_json else _form(request)
        payload = json.loads(sent["payload"]) if "payload" in sent else sent
        self.payloads.append(payload)
        answer = self.answer(payload)
        return Response(answer if isinstance(answer, str) else json.dumps(answer))


def _form(request: Request) -> dict[str, Any]:
    sent = parse_qs(request.get_data(as_text=True))
    return {name: values[0] for name, values in sent.items()}


@dataclass
class Planned:
    """Faults in the order in which they are to strike."""

    kind: str
    code: str | None = None
    seconds: float | None = None


@dataclass
class FaultList:
    """Planned faults by call, each struck once."""

    planned: dict[str, list[Planned]] = field(default_factory=dict)

    def hit(self, call: str) -> Planned | None:
        waiting = self.planned.get(call)
        return waiting.pop(0) if waiting else None


def button(action_id: str, value: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": action_id, "emoji": False}
    return {"type": "button", "action_id": action_id, "value": value, "text": text}


CASE_BLOCKS: list[dict[str, Any]] = [
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*Retire*"},
        "accessory": button("retire", "case-1:1"),
    },
    {
        "type": "actions",
        "block_id": "foot:1",
        "elements": [button("keep", "case-1:1"), button("reject", "case-1:1")],
    },
]
