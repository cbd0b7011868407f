"""A message to Slack, in plainer blocks at once if Slack does not take the first ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.slack.error_words import is_too_much
from chalicelib.slack.messages.fallback import barest, plainer
from chalicelib.slack.messages.text import Message
from chalicelib.slack.replies import SlackError


def send(
    call: Callable[..., Mapping[str, Any]],
    method: str,
    message: Message,
    *,
    plain: bool = False,
    **arguments: Any,
) -> tuple[Mapping[str, Any], bool]:
    """Slack's reply, and whether it only took plainer blocks. `plain`: known of this message already."""

    def sent(form: Message) -> Mapping[str, Any]:
        return call(method, text=form.text, blocks=list(form.blocks), **arguments)

    for form in (plainer,) if plain else (_as_it_is, plainer):
        try:
            return sent(form(message)), form is plainer
        except SlackError as failed:
            if not is_too_much(failed.code):
                raise
    return sent(barest(message)), True


def _as_it_is(message: Message) -> Message:
    return message
