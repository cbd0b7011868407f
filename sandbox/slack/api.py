"""The local Slack as the sandbox sees it: what it shows, and what people do in it.

Stays on this machine's loopback and knows no organisation but its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlencode

from sandbox.loopback import LoopbackServer, answering
from sandbox.slack import interactions
from sandbox.slack.answers import follow_command, follow_submission, is_challenge_met
from sandbox.slack.delivery import Envelope, deliver, sealed
from sandbox.slack.gate import Gate
from sandbox.slack.manifest import Manifest, read_manifest
from sandbox.slack.people import Directory
from sandbox.slack.rates import Rate, RateLimits
from sandbox.slack.records import (
    CHANNEL,
    Ephemeral,
    Faults,
    Json,
    Message,
    Now,
    Response,
    View,
)
from sandbox.slack.state import State
from sandbox.slack.views import Views
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import Workspace

ACK_SECONDS = 3.0
HOME_OPENED = "app_home_opened"


class LocalSlack:
    """A workspace of an organisation, with one bot in it. Serves from when it is made until `stop`."""

    def __init__(
        self,
        clock: Now,
        people: Mapping[str, Mapping[str, Any]],
        *,
        faults: Faults | None = None,
        kill: Callable[[int], None] | None = None,
        rates: Mapping[str, Rate] | None = None,
        ack_seconds: float = ACK_SECONDS,
        manifest: Manifest | None = None,
        is_org_wide: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        """`is_org_wide`: the bot is installed in the whole organisation, not in one workspace."""
        self.manifest = (manifest or read_manifest()).installed(is_org_wide=is_org_wide)
        self._clock = clock
        self._ack_seconds = ack_seconds
        self._last_click: Envelope | None = None
        self.interactions_url = self.commands_url = self.events_url = ""
        self._state = State(clock)
        self.workspace = Workspace(self._state)
        self.views = Views(self._state, is_org_wide=is_org_wide)
        self.directory = Directory(people)
        parts = (self._state, self.workspace, self.views, self.directory, self.manifest)
        self._web_api = api = WebApi(*parts, is_org_wide=is_org_wide)
        limits = RateLimits(clock, rates or {})
        self._gate = Gate(web_api=api, faults=faults, kill=kill, rates=limits)
        self._server = LoopbackServer(answering(self._gate.answer), host=host)
        self.url = f"{self._server.url}/api/"
        self._server.start()

    def stop(self) -> None:
        self._gate.stopping.set()
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What it shows (copies)

    @property
    def messages(self) -> list[Message]:
        """Of all channels, those of direct messages too."""
        return self.workspace.messages

    @property
    def ephemerals(self) -> list[Ephemeral]:
        return self.workspace.ephemerals

    @property
    def responses(self) -> list[Response]:
        return self.workspace.responses

    @property
    def modals(self) -> dict[str, View]:
        """The modal that each person sees, by user id."""
        return self.views.modals

    @property
    def homes(self) -> dict[str, View]:
        """The Home tab that each person would see, by user id."""
        return self.views.homes

    @property
    def changed(self) -> list[Callable[[], None]]:
        return self._state.changed

    # What owners of the workspace do

    @property
    def supports_plan_blocks(self) -> bool:
        """False plays a workspace that refuses plan, task_card and table."""
        return self._web_api.supports_plan_blocks

    @supports_plan_blocks.setter
    def supports_plan_blocks(self, on: bool) -> None:
        self._web_api.supports_plan_blocks = on

    def down(self, on: bool) -> None:
        """While down, each request of the bot is closed without an answer. People still click."""
        self._gate.down = on

    def reinstall(self, token: str, *, old_is: str = "token_revoked") -> None:
        """From now on the bot has this token, and Slack says `old_is` of the one before."""
        self._gate.token, self._gate.refusal = token, old_is

    # What people do

    def say(self, user: str, text: str, *, thread_ts: str | None = None) -> Message:
        """A person writes in the channel; the bot may not update that."""
        person = self.directory.get(user)
        return self.workspace.post(
            Message(
                channel=CHANNEL, ts="", thread_ts=thread_ts, text=text, blocks=[], user=person.id
            )
        )

    def click(
        self, user: str, *, button: str, ts: str | None = None, case_value: str | None = None
    ) -> Response:
        """Presses a button of the newest case's message, or of the message at `ts`.

        Works also if the message offers no such button. Status 0 if there is no message.
        """
        message = self.workspace.find_message(ts) if ts else self.workspace.find_case_message()
        if message is None:
            self.directory.get(user)
            return self._record("block_actions", user, _unsent("there is no message to click on"))
        # Nobody can reach the channel through an open modal.
        self.views.close_all(user)
        hook = self._hook(user, message.channel, message_ts=message.ts)
        channel = self.workspace.channel(message.channel)
        place = interactions.on_message(message, channel, response_url=hook)
        last = message.last_value or ""
        return self._press(user, place, message.blocks, button, value=case_value, last_value=last)

    def click_home(self, user: str, *, button: str, value: str = "") -> Response:
        """Presses a button of this person's Home tab. Status 0 if they have none."""
        view = self.homes.get(user)
        if view is None:
            return self._record("block_actions", user, _unsent("there is no Home tab"))
        self.views.close_all(user)
        return self._press(user, interactions.on_home(view), view.blocks, button, value=value)

    def open_home(self, user: str) -> Response | None:
        """This person opens the Home tab; None if the app does not want to hear of it."""
        person = self.directory.get(user)
        if not self.manifest.has_home_tab or HOME_OPENED not in self.manifest.events:
            return None
        now, channel = self._state.now(), self.workspace.direct(user).id
        event = interactions.home_opened(person, channel, self.homes.get(user), at=now)
        body = interactions.event_callback(
            event, event_id=self._state.new_id("Ev"), at=now, is_org_wide=self._web_api.is_org_wide
        )
        return self._record(HOME_OPENED, user, self._tell(body))

    def submit(self, user: str, values: Mapping[str, Any]) -> Response | None:
        """Fills in and sends this person's modal; None if none with a submit is open."""
        person = self.directory.get(user)
        view = self.modals.get(user)
        if view is None or view.submit is None:
            return None
        payload = interactions.view_submission(
            person,
            view,
            values=interactions.state_values(view, values),
            trigger_id=self.views.issue_trigger(user),
            is_org_wide=self._web_api.is_org_wide,
        )
        response = self._interact(sealed(interactions.form(payload), self._clock))
        if response.error is None:
            error = follow_submission(self._web_api, view, response.body)
            response = replace(response, error=error)
        return self._record("view_submission", user, response)

    def command(self, user: str, text: str) -> Response:
        body = interactions.slash_command(
            self.directory.get(user),
            text,
            channel=self.workspace.channel(CHANNEL),
            trigger_id=self.views.issue_trigger(user),
            response_url=self._hook(user, CHANNEL, message_ts=None),
            is_org_wide=self._web_api.is_org_wide,
        )
        response = self._send(sealed(body, self._clock), self.commands_url)
        if response.error is None and response.body.strip():
            error = follow_command(self._web_api, user, response.body)
            response = replace(response, error=error)
        return self._record("command", user, response)

    # What Slack itself and others send

    def send_raw(self, body: str, *, signature: str) -> Response:
        """Posts this body to the interactions URL: good, bad, missing, stale; replay sends the
        last click once more, as it was, and no body."""
        if signature != "replay":
            return self._record(
                "raw", "", self._interact(sealed(body, self._clock, signature=signature))
            )
        if self._last_click is None:
            return self._record("raw", "", _unsent("there is no click to replay"))
        return self._record("raw", "", self._interact(self._last_click))

    def check_certificate(self, *, signature: str = "missing") -> Response:
        """Slack's `ssl_check`, which it sends to the URL of a command now and then."""
        body = urlencode({"ssl_check": "1", "token": interactions.VERIFICATION_TOKEN})
        envelope = sealed(body, self._clock, signature=signature)
        return self._record("ssl_check", "", self._send(envelope, self.commands_url))

    def verify_events_url(self) -> Response:
        """Slack's `url_verification`, when somebody saves the URL of events."""
        challenge = self._state.new_id("")
        body = {
            "token": interactions.VERIFICATION_TOKEN,
            "challenge": challenge,
            "type": "url_verification",
        }
        response = self._tell(body)
        if response.error is None and not is_challenge_met(challenge, response.body):
            response = replace(response, error="the answer is not the challenge")
        return self._record("url_verification", "", response)

    # Within

    def _press(
        self,
        user: str,
        place: Json,
        blocks: list[Json],
        button: str,
        *,
        value: str | None,
        last_value: str = "",
    ) -> Response:
        at = f"{self._state.now():.6f}"
        payload = interactions.block_actions(
            self.directory.get(user),
            place,
            action=interactions.action_of(
                blocks, button, value=value, last_value=last_value, action_ts=at
            ),
            trigger_id=self.views.issue_trigger(user),
            is_org_wide=self._web_api.is_org_wide,
        )
        self._last_click = sealed(interactions.form(payload), self._clock)
        return self._record("block_actions", user, self._interact(self._last_click))

    def _interact(self, envelope: Envelope) -> Response:
        return self._send(envelope, self.interactions_url)

    def _tell(self, body: Json) -> Response:
        envelope = sealed(json.dumps(body), self._clock, content_type="application/json")
        return self._send(envelope, self.events_url)

    def _send(self, envelope: Envelope, url: str) -> Response:
        if not url:
            raise RuntimeError("the local Slack was not told the bot's URL")
        return deliver(envelope, url, limit_seconds=self._ack_seconds)

    def _record(self, kind: str, user: str, response: Response) -> Response:
        return self.workspace.record(replace(response, kind=kind, user=user))

    def _hook(self, user: str, channel: str, *, message_ts: str | None) -> str:
        hook_id = self.workspace.issue_hook(user, channel, message_ts=message_ts)
        return f"{self._server.url}/respond/{hook_id}"


def _unsent(error: str) -> Response:
    return Response(0, "", 0.0, error=error)
