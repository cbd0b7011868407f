"""Posts the messages that notify, each once: Slack's own history says what an earlier turn posted before it died.

At most ten a channel and hour; one further message counts the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.slack_message import Notice, SlackMessage
from chalicelib.slack.error_words import NOT_EDITABLE, lasts
from chalicelib.slack.history import history
from chalicelib.slack.messages import notice as messages
from chalicelib.slack.messages.names import Names, called
from chalicelib.slack.messages.notice_over import over
from chalicelib.slack.messages.text import Message
from chalicelib.slack.replies import SlackError
from chalicelib.slack.sending import send

EVENT = "unlatch_notice"
MOST_AN_HOUR = 10
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Found:
    """A message of this kind in the channel: what it says, as `ids`, and its `lines` if it counts several."""

    ts: str
    ids: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Notifier:
    """`call` makes a Web API request and raises SlackError."""

    call: Callable[..., Mapping[str, Any]]
    policy: Policy
    names: Names

    def next(self, case: Case, message: SlackMessage, now: datetime) -> SlackMessage | None:
        """Says or edits one thing; None if nothing is left to do. Raises SlackError."""
        for notice in message.notices:
            if notice.is_due:
                done = self._said(case, message, notice, now)
            elif notice.is_stale:
                done = self._over(case, notice)
            else:
                continue
            notices = tuple(done if one is notice else one for one in message.notices)
            return replace(message, notices=notices)
        return None

    def _said(self, case: Case, message: SlackMessage, notice: Notice, now: datetime) -> Notice:
        """Not again if it stands there already; with others in one message if the hour had its ten."""
        mine, channel = f"{case.case_id}:{notice.moment}:{notice.about}", message.channel
        since = min(notice.at, now - HOUR)
        found = [_found(*one) for one in history(self.call, channel, since, event=EVENT)]
        told = replace(notice, told_at=now, channel=channel)
        for one in found:
            if mine in one.ids:
                return told if one.lines else replace(told, ts=one.ts)
        lately = [one for one in found if float(one.ts) > (now - HOUR).timestamp()]
        case = replace(case, message=message)
        if sum(not one.lines for one in lately) < MOST_AN_HOUR:
            body = messages.message(case, notice, policy=self.policy, names=self.names)
            return replace(told, ts=self._send(body, channel, (mine,), (), thread=message.ts))
        counting = next((one for one in lately if one.lines), Found("", (), ()))
        line = messages.line(case, notice, policy=self.policy, names=self.names)
        ids, lines = (*counting.ids, mine), (*counting.lines, line)
        body = messages.rest(lines, called(self.policy.mention, self.policy.approvers))
        self._send(body, channel, ids, lines, ts=counting.ts)
        return told

    def _send(
        self,
        body: Message,
        channel: str,
        ids: tuple[str, ...],
        lines: tuple[str, ...],
        *,
        ts: str = "",
        thread: str = "",
    ) -> str:
        """Its ts. In a thread the channel shows it as well, so that it notifies and leads to its case."""
        payload = {"ids": list(ids), "lines": list(lines)}
        about = {"event_type": EVENT, "event_payload": payload}
        where: dict[str, Any] = {"ts": ts} if ts else {}
        if thread:
            where = {"thread_ts": thread, "reply_broadcast": True}
        method = "chat.update" if ts else "chat.postMessage"
        reply, _ = send(self.call, method, body, channel=channel, metadata=about, **where)
        return str(reply["ts"])

    def _over(self, case: Case, notice: Notice) -> Notice:
        """What can't be edited any more stays as it is: it was true when it was said."""
        body = over(case, notice, names=self.names)
        try:
            send(self.call, "chat.update", body, channel=notice.channel, ts=notice.ts)
        except SlackError as failed:
            if failed.code not in NOT_EDITABLE and not lasts(failed.code):
                raise
        return replace(notice, is_settled=True)


def _found(ts: str, payload: Mapping[str, Any]) -> Found:
    ids, lines = (
        tuple(map(str, payload.get(name) or ()))
        if isinstance(payload.get(name) or (), list | tuple)
        else ()
        for name in ("ids", "lines")
    )
    return Found(ts, ids, lines)
