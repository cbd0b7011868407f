"""Answers that one person sees: beside the message, by the click's own address, or as a direct message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.state.case import Case
from chalicelib.slack.messages.names import Names
from chalicelib.slack.refusals import no_such_cluster, private
from chalicelib.slack.replies import SlackError


@dataclass(frozen=True)
class PrivateAnswers:
    """`call` makes a Web API request, `respond` posts to a click's response_url; both raise SlackError."""

    call: Callable[..., Mapping[str, Any]]
    respond: Callable[..., None]
    log: Callable[..., None]
    count: Callable[[str, int], None]

    def tell(self, user_id: str, text: str, *, channel: str, response_url: str = "") -> bool:
        """Whether the person was told. Slack refuses the first way to who is not in the channel."""
        answer = private(text)
        told = {"text": answer.text, "blocks": list(answer.blocks)}
        ways: list[tuple[str, Callable[[], object]]] = [
            (
                "beside the message",
                lambda: self.call("chat.postEphemeral", channel=channel, user=user_id, **told),
            ),
            (
                "by response_url",
                lambda: self.respond(
                    response_url, response_type="ephemeral", replace_original=False, **told
                ),
            ),
            # A user's id as the channel is the app's direct conversation with them.
            ("by direct message", lambda: self.call("chat.postMessage", channel=user_id, **told)),
        ]
        for way, send in ways:
            try:
                send()
            except SlackError as failed:
                self.log("private answer not sent", user=user_id, way=way, why=failed.code)
            else:
                return True
        self.count("PrivateAnswersLost", 1)
        return False

    def tell_askers(self, case: Case, names: Names, *, channel: str) -> None:
        """Where each of them asked: the case ended without a message, as AWS has no such cluster."""
        asked = {attempt.caller.session_name: attempt.channel for attempt in case.attempts}
        for user_id, place in asked.items():
            self.tell(user_id, no_such_cluster(case, names), channel=place or channel)
