"""The local Slack as the sandbox sees it: what it shows, and what people do in it.

Stays on this machine's loopback and knows no workspace but its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from sandbox.loopback import LoopbackServer
from sandbox.slack import interactions
from sandbox.slack.delivery import Envelope, deliver, sealed
from sandbox.slack.gate import Gate
from sandbox.slack.limits import check_view
from sandbox.slack.methods import WebApi
from sandbox.slack.people import Directory
from sandbox.slack.rates import Rate, RateLimits
from sandbox.slack.records import (
    CHANNEL,
    Ephemeral,
    Faults,
    File,
    Message,
    Now,
    Refused,
    Response,
    View,
)
from sandbox.slack.workspace import Workspace

ACK_SECONDS = 3.0


class LocalSlack:
    """One workspace with one bot in it. Serves from the moment it is made until `stop`."""

    def __init__(
        self,
        clock: Now,
        people: Mapping[str, Mapping[str, Any]],
        *,
        faults: Faults | None = None,
        kill: Callable[[int], None] | None = None,
        rates: Mapping[str, Rate] | None = None,
        ack_seconds: float = ACK_SECONDS,
        host: str = "127.0.0.1",
    ) -> None:
        self._clock = clock
        self._ack_seconds = ack_seconds
        self._last_click: Envelope | None = None
        self.interactions_url = ""
        self.commands_url = ""
        self.workspace = Workspace(clock)
        self.directory = Directory(people)
        self._web_api = WebApi(self.workspace, self.directory)
        self._gate = Gate(
            web_api=self._web_api, faults=faults, kill=kill, rates=RateLimits(clock, rates or {})
        )
        self._server = LoopbackServer(self._gate.answer, host=host)
        self._web_api.base_url = self._server.url
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
        return self.workspace.messages

    @property
    def ephemerals(self) -> list[Ephemeral]:
        return self.workspace.ephemerals

    @property
    def files(self) -> list[File]:
        return self.workspace.files

    @property
    def responses(self) -> list[Response]:
        return self.workspace.responses

    @property
    def modals(self) -> dict[str, View]:
        """The modal that each person sees, by user id."""
        return self.workspace.modals

    @property
    def changed(self) -> list[Callable[[], None]]:
        return self.workspace.changed

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

        Works also where the message offers no such button. Status 0 where there is no message.
        """
        person = self.directory.get(user)
        message = self.workspace.find_message(ts) if ts else self.workspace.find_case_message()
        if message is None:
            return self._record("block_actions", user, _unsent("there is no message to click on"))
        # Nobody can reach the channel through an open modal.
        self.workspace.close_all_views(user)
        hook = self._hook(user, message.channel, message_ts=message.ts)
        action_ts = f"{self._clock.now().timestamp():.6f}"
        payload = interactions.block_actions(
            person,
            message,
            action=interactions.action_of(message, button, value=case_value, action_ts=action_ts),
            channel_name=self.workspace.channels.get(message.channel, ""),
            trigger_id=self.workspace.issue_trigger(user),
            response_url=hook,
        )
        self._last_click = sealed(interactions.form(payload), self._clock)
        return self._record("block_actions", user, self._interact(self._last_click))

    def submit(self, user: str, values: Mapping[str, Any]) -> Response | None:
        """Fills in and sends this person's modal; None where none with a submit is open."""
        person = self.directory.get(user)
        view = self.modals.get(user)
        if view is None or view.submit is None:
            return None
        payload = interactions.view_submission(
            person,
            view,
            values=interactions.state_values(view, values),
            trigger_id=self.workspace.issue_trigger(user),
        )
        response = self._interact(sealed(interactions.form(payload), self._clock))
        if response.error is None:
            response = replace(response, error=self._follow(view, response.body))
        return self._record("view_submission", user, response)

    def command(self, user: str, text: str) -> Response:
        person = self.directory.get(user)
        body = interactions.slash_command(
            person,
            text,
            channel=(CHANNEL, self.workspace.channels[CHANNEL]),
            trigger_id=self.workspace.issue_trigger(user),
            response_url=self._hook(user, CHANNEL, message_ts=None),
        )
        response = self._send(sealed(body, self._clock), self.commands_url)
        if response.error is None and response.body.strip():
            response = replace(response, error=self._show(user, response.body))
        return self._record("command", user, response)

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

    # Within

    def _interact(self, envelope: Envelope) -> Response:
        return self._send(envelope, self.interactions_url)

    def _send(self, envelope: Envelope, url: str) -> Response:
        if not url:
            raise RuntimeError("the local Slack was not told the bot's URL")
        return deliver(envelope, url, limit_seconds=self._ack_seconds)

    def _record(self, kind: str, user: str, response: Response) -> Response:
        return self.workspace.record(replace(response, kind=kind, user=user))

    def _hook(self, user: str, channel: str, *, message_ts: str | None) -> str:
        hook_id = self.workspace.issue_hook(user, channel, message_ts=message_ts)
        return f"{self._server.url}/respond/{hook_id}"

    def _follow(self, view: View, body: str) -> str | None:
        """Does to the modal what the answer to its submission says; else what Slack would show."""
        try:
            answer = json.loads(body) if body.strip() else {}
        except ValueError:
            return "the answer to the submission is not JSON"
        match answer.get("response_action") if isinstance(answer, dict) else answer:
            case None:
                self.workspace.close_view(view)
            case "clear":
                self.workspace.close_all_views(view.user)
            case "errors":
                return _misplaced(view, answer.get("errors"))
            case "update" | "push" as action:
                return self._show_view(view, action, answer.get("view"))
            case unknown:
                return f"unknown response_action: {unknown}"
        return None

    def _show_view(self, view: View, action: str, shown: Any) -> str | None:
        problems = check_view(shown)
        if problems:
            return "; ".join(problems)
        try:
            if action == "push":
                self.workspace.push_view(view, shown)
            else:
                self.workspace.update_view(view.id, shown)
        except Refused as refused:
            return refused.error
        return None

    def _show(self, user: str, body: str) -> str | None:
        """The answer to a command: JSON or plain text, to this person unless it says otherwise."""
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {"text": body}
        try:
            text, blocks = self._web_api.content(answer if isinstance(answer, dict) else {})
        except Refused as refused:
            return refused.error
        if answer.get("response_type") == "in_channel":
            self.workspace.post(
                Message(channel=CHANNEL, ts="", thread_ts=None, text=text, blocks=blocks)
            )
        else:
            self.workspace.whisper(user, CHANNEL, text=text, blocks=blocks, thread_ts=None)
        return None


def _unsent(error: str) -> Response:
    return Response(0, "", 0.0, error=error)


def _misplaced(view: View, errors: Any) -> str | None:
    """Slack shows an error only beside an input that the modal has."""
    inputs = {block.get("block_id") for block in view.blocks if block["type"] == "input"}
    if isinstance(errors, dict) and errors and errors.keys() <= inputs:
        return None
    return f"the errors name no input of the modal: {errors}"
