"""Shows cases in Slack and answers clicks. Slack's failures are noted, never raised: the work goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.approval import Refusal
from chalicelib.domain.case import Act, Case, Click, SlackMessage
from chalicelib.domain.diagnosis import ways_out
from chalicelib.domain.forecast import forecast
from chalicelib.domain.log import Entry
from chalicelib.domain.plan import Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.ports import Answer, Clicked
from chalicelib.slack import modals, refusals
from chalicelib.slack.messages.fallback import plainer
from chalicelib.slack.messages.render import render
from chalicelib.slack.messages.text import Message
from chalicelib.slack.messages.thread import line
from chalicelib.slack.replies import SlackFailed

GONE = ("message_not_found", "channel_not_found", "cant_update_message")
EVENT = "unlatch_case"


@dataclass(frozen=True)
class SlackGateway:
    """`call(method, **arguments)` is one Web API request; it raises SlackFailed."""

    call: Callable[..., Mapping[str, Any]]
    channel: str
    policy: Policy
    log: Callable[..., None]
    count: Callable[[str, int], None]

    def show(
        self, case: Case, entries: Sequence[Entry], *, now: datetime, may_exist: bool
    ) -> SlackMessage:
        """Posts or updates the message, then the thread's new lines. Says what Slack now shows.

        `may_exist`: an earlier turn may have posted and died before it could say so.
        """
        message = replace(case.message, is_behind=False, retry_after=0)
        try:
            message = self._message(case, message, now, may_exist=may_exist)
            for item in entries:
                message = self._thread(case, message, item)
        except SlackFailed as failed:
            self.log("Slack failed", case_id=case.case_id, why=failed.code)
            self.count("SlackFailures", 1)
            message = replace(message, is_behind=True, retry_after=failed.retry_after)
        return message

    def _message(
        self, case: Case, message: SlackMessage, now: datetime, *, may_exist: bool
    ) -> SlackMessage:
        draft = render(case, policy=self.policy, now=now, version=0)
        digest = hashlib.sha256(json.dumps([draft.text, draft.blocks]).encode()).hexdigest()[:16]
        if message.ts and digest == message.shown:
            return message
        final = render(case, policy=self.policy, now=now, version=case.version)
        if not message.ts and may_exist:
            message = replace(message, ts=self._posted(case), channel=self.channel)
        if message.ts:
            try:
                plain = self._send(
                    "chat.update", final, message, channel=message.channel, ts=message.ts
                )
                return replace(message, shown=digest, plain_blocks=plain)
            except SlackFailed as failed:
                if failed.code not in GONE:
                    raise
        metadata = {"event_type": EVENT, "event_payload": {"case_id": case.case_id}}
        return self._post(final, replace(message, shown=digest), metadata)

    def _post(
        self, final: Message, message: SlackMessage, metadata: Mapping[str, Any]
    ) -> SlackMessage:
        """A new message; its thread is told again from the start."""
        sent: dict[str, Any] = {}
        plain = self._send(
            "chat.postMessage", final, message, sent, channel=self.channel, metadata=metadata
        )
        return replace(
            message, channel=self.channel, ts=sent["ts"], plain_blocks=plain, thread_lines=0
        )

    def _send(
        self,
        method: str,
        final: Message,
        message: SlackMessage,
        sent: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> bool:
        """True where Slack only took the plainer blocks."""
        for plain in (False, True) if not message.plain_blocks else (True,):
            form = plainer(final) if plain else final
            try:
                reply = self.call(method, text=form.text, blocks=list(form.blocks), **arguments)
            except SlackFailed as failed:
                if failed.code != "invalid_blocks" or plain:
                    raise
                continue
            if sent is not None:
                sent.update(reply)
            return plain
        raise SlackFailed("invalid_blocks")

    def _posted(self, case: Case) -> str:
        """The message of this case that an earlier turn posted; "" where there is none."""
        reply = self.call(
            "conversations.history",
            channel=self.channel,
            oldest=str(int(case.opened_at.timestamp()) - 1),
            include_all_metadata=True,
            limit=200,
        )
        for message in reply.get("messages", ()):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT and payload.get("case_id") == case.case_id:
                return str(message["ts"])
        return ""

    def _thread(self, case: Case, message: SlackMessage, item: Entry) -> SlackMessage:
        told = line(item, case=case)
        if told is not None:
            self.call(
                "chat.postMessage",
                channel=message.channel,
                thread_ts=message.ts,
                text=told.text,
                blocks=list(told.blocks),
            )
        return replace(message, thread_lines=item.number)

    def open(self, case: Case, remedy: Remedy, *, trigger_id: str) -> str:
        """The id of the dialog that is now open; "" where Slack would not."""
        try:
            view = modals.loading(case, remedy)
            reply = self.call("views.open", trigger_id=trigger_id, view=view)
            return str(reply["view"]["id"])
        except SlackFailed as failed:
            self.log("dialog not opened", case_id=case.case_id, why=failed.code)
            return ""

    def fill(self, case: Case, click: Click, *, now: datetime) -> None:
        """Puts the numbers of this turn into the dialog that somebody opened."""
        if click.remedy is None or case.snapshot is None:
            return
        try:
            view = self._view(case, click, click.remedy, now)
            self.call("views.update", view_id=click.view_id, view=view)
        except SlackFailed as failed:
            self.log("dialog not filled", case_id=case.case_id, why=failed.code)

    def _view(self, case: Case, click: Click, remedy: Remedy, now: datetime) -> dict[str, Any]:
        assert case.snapshot is not None, "checked by fill"
        ways = ways_out(case.snapshot, case=case, policy=self.policy, now=now)
        way = next(way for way in ways if way.remedy is remedy)
        plan = case.offer(remedy)
        if case.is_closed or plan is None or way.gates:
            reason = way.impossible or "This can’t be decided now. The message says how it stands."
            return modals.impossible(case, remedy, reason, way.gates)
        foreseen = forecast(plan, case.snapshot, case=case, policy=self.policy, now=now)
        return modals.decide(
            case,
            plan,
            policy=self.policy,
            now=now,
            forecast=foreseen,
            count=len(_approvers(case, plan)),
            user=click.by,
        )

    def tell(self, user_id: str, text: str, *, channel: str) -> None:
        """Only this person sees it."""
        private = refusals.private(text)
        try:
            self.call(
                "chat.postEphemeral",
                channel=channel or self.channel,
                user=user_id,
                text=private.text,
                blocks=list(private.blocks),
            )
        except SlackFailed as failed:
            self.log("private answer not sent", user=user_id, why=failed.code)

    def said(self, answer: Answer) -> str:
        """An answer as the text of a private reply."""
        if answer.refusal:
            return refusals.sentence(answer.refusal, policy=self.policy)
        return answer.private

    def refuse(self, clicked: Clicked, refusal: Refusal) -> None:
        text = refusals.sentence(refusal, policy=self.policy)
        self.tell(clicked.user_id, text, channel=clicked.channel)

    def reply(self, answer: Answer, clicked: Clicked) -> dict[str, Any]:
        """The body of the HTTP answer; private sentences are sent on their own. {} closes a dialog."""
        if answer.refusal:
            self.refuse(clicked, answer.refusal)
        elif answer.private:
            self.tell(clicked.user_id, answer.private, channel=clicked.channel)
        elif answer.wrong_id is not None and answer.case:
            return modals.wrong_id(answer.wrong_id, answer.case)
        elif answer.field:
            return modals.field_error(*answer.field)
        elif answer.is_changed and answer.case and answer.remedy:
            view = modals.changed(answer.case, answer.remedy, answer.case.differences)
            return {"response_action": "update", "view": view}
        elif clicked.action == "look_again" and answer.case and answer.remedy:
            return {"response_action": "update", "view": modals.loading(answer.case, answer.remedy)}
        return {}


def _approvers(case: Case, plan: Plan) -> set[str]:
    found: set[str] = set()
    for click in case.clicks[case.reset_at_click :]:
        if click.act is Act.APPROVE and click.plan_hash == plan.plan_hash:
            found.add(click.by)
        elif click.act is Act.WITHDRAW:
            found.discard(click.by)
    return found
