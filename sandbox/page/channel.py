"""The channel as one person sees it: messages, thread, dialog and private answers, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.page.blocks import render
from sandbox.page.markup import Html, join, tag
from sandbox.page.symbols import CROSS, LOCK, UP
from sandbox.scenario.watch import message_words, moment_of
from sandbox.slack.records import BOT_USER, Ephemeral, Message, View


def names(people: Mapping[str, Any]) -> dict[str, str]:
    return {name: name.title() for name in people}


def face(user: str) -> Html:
    """A person's initial, or the bot's lock."""
    if user == BOT_USER:
        return tag("span", LOCK, class_="av bot", aria_hidden="true")
    return tag("span", user[:1].upper(), class_=f"av {user}", aria_hidden="true")


def feed(messages: Sequence[Message], *, now: datetime) -> Html:
    """Top-level messages, oldest first; all but the newest carry their own thread."""
    top = [message for message in messages if message.thread_ts is None]
    shown = []
    for message in top:
        replies = replies_of(message, messages)
        own = _folded(message, replies, now) if replies and message is not top[-1] else None
        shown.append(_message(message, now=now, thread=own))
    return join(shown, "\n")


def replies_of(parent: Message | None, messages: Sequence[Message]) -> list[Message]:
    return [m for m in messages if parent is not None and m.thread_ts == parent.ts]


def newest(messages: Sequence[Message]) -> Message | None:
    """The message whose thread stands open beside the channel: the newest of the bot's."""
    top = [m for m in messages if m.thread_ts is None and m.user == BOT_USER]
    return top[-1] if top else None


def thread_head(replies: Sequence[Message]) -> Html:
    """The line that stands there while the thread is closed."""
    if not replies:
        return join([face(BOT_USER), tag("span", "Thread, no replies yet", class_="n"), UP])
    last = replies[-1]
    who = "" if last.user == BOT_USER else f"{last.user.title()}: "
    count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
    words = tag("span", f"{who}{message_words(last)}", class_="last")
    return join([face(last.user), tag("span", f"Thread, {count}", class_="n"), words, UP])


def thread(replies: Sequence[Message], *, now: datetime) -> Html:
    return join((_reply(message, now) for message in replies), "\n")


def private(told: Sequence[Ephemeral], *, now: datetime) -> Html:
    """Private answers to this person, newest last."""
    return join(
        tag(
            "div",
            tag(
                "p",
                f"Only visible to you · {stamp(one.ts, now)}",
                tag(
                    "button",
                    CROSS,
                    type="button",
                    class_="x",
                    aria_label="Dismiss",
                    data_post=f'{{"act":"dismiss","ts":"{one.ts}"}}',
                ),
                class_="only",
            ),
            _body(one.blocks, one.text, ts=one.ts),
            class_="eph",
            id=f"e-{one.ts}",
        )
        for one in told
    )


def dialog(view: View | None, people: Mapping[str, Any]) -> Html:
    """The dialog that this person has open; nothing where there is none."""
    if view is None:
        return Html("")
    shown = view.view
    head = tag(
        "div",
        tag("h3", shown["title"]["text"], id="m-title"),
        tag("button", CROSS, type="button", class_="x", data_close=True, aria_label="Close"),
        class_="m-head",
    )
    body = tag(
        "div",
        render(view.blocks, people=names(people)),
        class_="m-body",
        tabindex="0",
        role="group",
        aria_label="Details",
    )
    close = (shown.get("close") or {}).get("text", "Cancel")
    buttons = [tag("button", close, type="button", class_="b", data_close=True)]
    if view.submit:
        send = view.submit["text"]
        buttons.append(tag("button", send, type="submit", class_="b primary solid"))
    foot = tag("div", *buttons, class_="m-foot")
    kind = shown.get("callback_id", "")
    form = tag("form", head, body, foot, data_view=view.id, data_kind=kind, novalidate=True)
    return tag("div", form, class_="modal", role="dialog", aria_labelledby="m-title")


def stamp(ts: str, now: datetime) -> str:
    """When a message came; with the day where that is not today."""
    when = moment_of(ts).astimezone(UTC)
    return f"{when:%H:%M}" if when.date() == now.date() else f"{when.day} {when:%b %H:%M}"


def _message(message: Message, *, now: datetime, thread: Html | None) -> Html:
    body = tag(
        "div",
        _by(message, now),
        _body(message.blocks, message.text, ts=message.ts),
        thread,
        class_="body",
    )
    return tag("article", face(message.user), body, class_="msg", id=f"m-{message.ts}")


def _folded(message: Message, replies: Sequence[Message], now: datetime) -> Html:
    count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
    head = tag("summary", f"Thread, {count}")
    lines = tag("ol", thread(replies, now=now), class_="replies")
    return tag("details", head, lines, class_="older", id=f"t-{message.ts}")


def _reply(message: Message, now: datetime) -> Html:
    words = _body(message.blocks, message.text, ts=message.ts)
    return tag("li", face(message.user), tag("div", _by(message, now), words))


def _by(message: Message, now: datetime) -> Html:
    ours = message.user == BOT_USER
    name = tag("b", "Unlatch" if ours else message.user.title())
    app = tag("span", "APP", class_="tag") if ours else None
    return tag("p", join([name, app, tag("time", stamp(message.ts, now))], " "), class_="by")


def _body(blocks: Sequence[Mapping[str, Any]], text: str, *, ts: str) -> Html:
    return render(blocks, ts=ts) if blocks else tag("p", text)
