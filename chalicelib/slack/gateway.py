"""Shows cases in Slack and answers clicks. Slack's failures are noted, never raised: the work goes on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from chalicelib.answers import (
    Answer,
    CanNot,
    FieldError,
    Looking,
    MayNot,
    PlanChanged,
    Private,
    Recorded,
    WrongId,
)
from chalicelib.domain.diagnosis import way_out
from chalicelib.domain.forecast import forecast
from chalicelib.domain.rules.approval import approved
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.ports import Interaction
from chalicelib.slack import modals, refusals
from chalicelib.slack.error_words import (
    NOT_EDITABLE,
    THREAD_GONE,
    is_view_refused,
    lasts,
)
from chalicelib.slack.history import history
from chalicelib.slack.messages import on_hold
from chalicelib.slack.messages.blocks import section
from chalicelib.slack.messages.fallback import plainer_blocks
from chalicelib.slack.messages.names import NO_NAMES, Names
from chalicelib.slack.messages.render import render
from chalicelib.slack.messages.text import Message
from chalicelib.slack.messages.thread import line
from chalicelib.slack.naming import Naming
from chalicelib.slack.notifier import Notifier
from chalicelib.slack.private import PrivateAnswers
from chalicelib.slack.replies import SlackError
from chalicelib.slack.sending import send

EVENT = "unlatch_case"


@dataclass(frozen=True)
class SlackGateway:
    """`call(method, **arguments)` is one Web API request, `respond(response_url, **message)` the answer

    to a click by the address that came with it; both raise SlackError.
    """

    call: Callable[..., Mapping[str, Any]]
    channel: str
    policy: Policy
    log: Callable[..., None]
    count: Callable[[str, int], None]
    respond: Callable[..., None]
    stage: str = ""
    naming: Naming | None = None

    def at(self, channel: str, policy: Policy) -> SlackGateway:
        return replace(self, channel=channel, policy=policy)

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
                if item.number != message.thread_lines + 1:
                    # A message that was posted anew: the next turn tells its thread from the start.
                    return replace(message, is_behind=True, failures=0, refused="")
                message = self._thread(case, message, item)
            notifier = Notifier(self.call, self.policy, self._names(case))
            while further := notifier.next(case, message, now):
                message = further
        except SlackError as failed:
            return self._behind(case, message, failed)
        return replace(message, failures=0, refused="")

    def prepare(self, case: Case) -> None:
        """Looks up now what the case's message will ask for: names, and where Slack is."""
        self._names(case)

    def hold(self, case: Case, world: Snapshot | None, *, since: datetime, remembered: str) -> None:
        """Says in the case's message that its record can't be trusted; finds the message in Slack."""
        names = self._names(replace(case, snapshot=world))
        known = on_hold.Refused(since, remembered)
        told = on_hold.message(
            case, world, known, policy=self.policy, stage=self.stage, names=names
        )
        try:
            ts = self._posted(case)
            method, place = ("chat.update", {"ts": ts}) if ts else ("chat.postMessage", {})
            send(self.call, method, told, plain=False, **place, **self._new(case))
        except SlackError as failed:
            self._note(case, failed)

    def _note(self, case: Case, failed: SlackError) -> None:
        self.log("Slack failed", case_id=case.case_id, why=failed.code)
        self.count("SlackFailures", 1)

    def _behind(self, case: Case, message: SlackMessage, failed: SlackError) -> SlackMessage:
        self._note(case, failed)
        if failed.code in THREAD_GONE:
            message = replace(message, ts="", shown="")
        if lasts(failed.code):
            self.count("SlackRefusals", 1)
        return replace(
            message,
            is_behind=True,
            retry_after=failed.retry_after,
            failures=message.failures + 1,
            refused=failed.code if lasts(failed.code) else "",
        )

    def _message(
        self, case: Case, message: SlackMessage, now: datetime, *, may_exist: bool
    ) -> SlackMessage:
        shown = functools.partial(
            render, case, policy=self.policy, now=now, stage=self.stage, names=self._names(case)
        )
        draft = shown(version=0)
        digest = hashlib.sha256(json.dumps([draft.text, draft.blocks]).encode()).hexdigest()[:16]
        has_moved = bool(message.ts) and message.channel != self.channel
        if message.ts and digest == message.shown and not has_moved:
            return message
        final, old = shown(version=case.version), message
        if has_moved:
            message = replace(message, ts="", thread_lines=0)
        if not message.ts and (may_exist or has_moved):
            message = replace(message, ts=self._posted(case), channel=self.channel)
        message = replace(self._sent(case, final, message), shown=digest)
        if has_moved:
            self._leave(old)
        return message

    def _names(self, case: Case) -> Names:
        return self.naming.names(case, self.policy.approvers) if self.naming else NO_NAMES

    def _sent(self, case: Case, final: Message, message: SlackMessage) -> SlackMessage:
        """Updated if it can be, else posted: then its thread is told again from the start."""
        plain, lines = message.plain_blocks, 0
        place: dict[str, Any] = {"channel": message.channel, "ts": message.ts}
        if message.ts:
            try:
                _, plain = send(self.call, "chat.update", final, plain=plain, **place)
                return replace(message, plain_blocks=plain)
            except SlackError as failed:
                if failed.code not in NOT_EDITABLE:
                    raise
                # If nothing may be edited after a while, each change would tell the thread again.
                lines = message.thread_lines if failed.code == "edit_window_closed" else 0
        reply, plain = send(self.call, "chat.postMessage", final, plain=plain, **self._new(case))
        ts = str(reply["ts"])
        return replace(message, channel=self.channel, ts=ts, plain_blocks=plain, thread_lines=lines)

    def _new(self, case: Case) -> dict[str, Any]:
        about = {"event_type": EVENT, "event_payload": {"case_id": case.case_id}}
        return {"channel": self.channel, "metadata": about}

    def _leave(self, old: SlackMessage) -> None:
        """The message in the channel of before has no buttons any more, and says where the case is."""
        words = f"This case is shown in <#{self.channel}> now."
        place = {"channel": old.channel, "ts": old.ts}
        try:
            self.call("chat.update", text=words, blocks=[section(words)], **place)
        except SlackError as failed:
            self.log("old message not told", channel=old.channel, why=failed.code)

    def _posted(self, case: Case) -> str:
        """The message of this case that an earlier turn posted; "" if there is none."""
        said = history(self.call, self.channel, case.opened_at, event=EVENT)
        return next((ts for ts, about in said if about.get("case_id") == case.case_id), "")

    def _thread(self, case: Case, message: SlackMessage, item: Entry) -> SlackMessage:
        told = line(item, case=case)
        if told is not None:
            place = {"channel": message.channel, "thread_ts": message.ts}
            send(self.call, "chat.postMessage", told, plain=message.plain_blocks, **place)
        return replace(message, thread_lines=item.number)

    def open(self, case: Case, remedy: Remedy, *, trigger_id: str) -> str:
        """The id of the dialog that is now open; "" if Slack would not."""
        try:
            view = modals.loading(case, remedy)
            reply = self.call("views.open", trigger_id=trigger_id, view=view)
            return str(reply["view"]["id"])
        except SlackError as failed:
            self.log("dialog not opened", case_id=case.case_id, why=failed.code)
            return ""

    def fill(self, case: Case, click: Click, *, now: datetime) -> None:
        """Puts the numbers of this turn into the dialog that somebody opened."""
        if click.remedy is None or case.snapshot is None:
            return
        try:
            self._fill(click, self._view(case, click, click.remedy, now))
        except SlackError as failed:
            self.log("dialog not filled", case_id=case.case_id, why=failed.code)

    def _fill(self, click: Click, view: dict[str, Any]) -> None:
        try:
            self.call("views.update", view_id=click.view_id, view=view)
        except SlackError as failed:
            if not is_view_refused(failed.code):
                raise
            plain = {**view, "blocks": plainer_blocks(view["blocks"])}
            self.call("views.update", view_id=click.view_id, view=plain)

    def _view(self, case: Case, click: Click, remedy: Remedy, now: datetime) -> dict[str, Any]:
        situation = last_seen(case, policy=self.policy, now=now)
        way, plan = way_out(remedy, situation), case.offer(remedy)
        if case.is_closed or plan is None or way.gates:
            reason = way.impossible or "This can’t be decided now. The message says how it stands."
            return modals.impossible(case, remedy, reason, way.gates)
        seen, count = forecast(plan, situation), len(approved(plan, case))
        return modals.decide(
            case, plan, policy=self.policy, now=now, forecast=seen, count=count, user=click.by
        )

    def tell(self, clicked: Interaction, text: str) -> bool:
        """Only this person sees it. False if Slack took it in no way."""
        place = {"channel": clicked.channel or self.channel, "response_url": clicked.response_url}
        return self._private.tell(clicked.user_id, text, **place)

    def tell_askers(self, case: Case) -> None:
        """Who asked by hand about a cluster that AWS does not have; nobody else sees it."""
        self._private.tell_askers(case, self._names(case), channel=self.channel)

    @property
    def _private(self) -> PrivateAnswers:
        return PrivateAnswers(self.call, self.respond, self.log, self.count)

    def said(self, answer: Answer, *, action: str = "") -> str:
        """An answer to what was pressed, as the text of a private reply; "" if it is none."""
        match answer:
            case MayNot(refusal, unread):
                return refusals.sentence(refusal, policy=self.policy, action=action, unread=unread)
            case CanNot(why, case):
                return refusals.why_not(why, case)
        return answer.text if isinstance(answer, Private) else ""

    def reply(self, answer: Answer, clicked: Interaction) -> dict[str, Any]:
        """The body of the HTTP answer; private sentences are sent on their own. {} closes a dialog."""
        match answer:
            case Recorded():
                return {}
            case Private() | MayNot() | CanNot():
                words = self.said(answer, action=clicked.action)
                if self.tell(clicked, words) or clicked.kind != "submission":
                    return {}
                return _instead(modals.said(words))
            case WrongId(typed, case):
                return modals.wrong_id(typed, case)
            case FieldError(block_id, text):
                return modals.field_error(block_id, text)
            case PlanChanged(case, remedy):
                return _instead(modals.changed(case, remedy, case.differences))
            case Looking(case, remedy):
                return _instead(modals.loading(case, remedy))
            case _:
                assert_never(answer)


def _instead(view: dict[str, Any]) -> dict[str, Any]:
    return {"response_action": "update", "view": view}
