"""Slack's error words, by what helps against them. Makes no request."""

from __future__ import annotations

from chalicelib.slack.replies import NO_ANSWER

PASSING = frozenset(
    {
        NO_ANSWER,
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "token_not_read",
    }
)
"""What time heals. Any other word stays until a person does something: an archived channel, say."""
NOT_EDITABLE = frozenset(
    {
        "cant_update_message",
        "channel_not_found",
        "edit_window_closed",
        "message_not_found",
    }
)
"""The message itself can't be changed any more: a new one takes its place."""
THREAD_GONE = frozenset({"message_not_found", "thread_not_found"})
VIEW_REFUSED = frozenset({"invalid_arguments", "view_too_large"})


def lasts(code: str) -> bool:
    """Only a person can help: the channel, the app or its token has to change."""
    return code not in PASSING


def is_view_refused(code: str) -> bool:
    """A dialog or Home tab as it is: a plainer or shorter one may pass."""
    return code in VIEW_REFUSED or is_too_much(code)


def is_too_much(code: str) -> bool:
    """Too long, too many, or of a kind that this Slack does not know: plainer blocks may pass."""
    return (
        code.startswith("invalid_block")
        or code.endswith(("too_long", "too_large"))
        or "too_many" in code
    )
