"""All that changes on the page, as one person sees it now: the HTML of each region by its id."""

from __future__ import annotations

import time

from sandbox.page.markup import Html, join, tag
from sandbox.page.run_card import run_card
from sandbox.page.show import Opened, Show
from sandbox.page.stories import cluster_of

Regions = dict[str, str]
ONE_OR_TWO = 2


def regions(show: Show, person: str) -> Regions:
    opened = show.opened
    if opened is None:
        return {**_nobody_there(show), "feed": _starting(show)}
    from sandbox.page import right_half  # noqa: PLC0415 - loads moto

    return {**_slack(show, opened, person), **right_half.regions(show, opened)}


def _slack(show: Show, opened: Opened, person: str) -> Regions:
    from sandbox.page import channel  # noqa: PLC0415 - loads moto

    slack, now = opened.stage.slack, opened.stage.clock.now()
    messages = slack.messages
    newest = channel.newest(messages)
    replies = channel.replies_of(newest, messages)
    told = [e for e in slack.ephemerals if e.user == person and e.ts not in show.dismissed]
    return {
        "feed": channel.feed(messages, now=now) if messages else _empty(show),
        "private": channel.private(told[-ONE_OR_TWO:], now=now),
        "dialog": channel.dialog(slack.modals.get(person), show.scenario.people),
        "thread-head": channel.thread_head(replies),
        "replies": channel.thread(replies, now=now),
        "said": tag("p", newest.text if newest else ""),
    }


def _nobody_there(show: Show) -> Regions:
    empty = dict.fromkeys(("private", "dialog", "replies", "said", "did"), "")
    return {
        **empty,
        "thread-head": tag("span", "Thread, no replies yet", class_="n"),
        "tries": tag("p", "CI wants to delete ", tag("b", cluster_of(show.scenario)), "."),
        "clock": tag("p", "Starts with the sandbox.", class_="d"),
        "aws": tag("p", "Not there yet.", class_="more"),
        "run": run_card(None, None, None),
    }


def _starting(show: Show) -> Html:
    if show.trouble:
        return tag(
            "div",
            tag("h3", "The sandbox broke"),
            tag("p", show.trouble),
            tag("p", "Choose the story again to start it anew."),
            class_="empty",
            role="alert",
        )
    seconds = int(time.monotonic() - show.asked_at)
    return tag(
        "div",
        tag("span", class_="spin", aria_hidden="true"),
        tag("h3", "Starting the sandbox"),
        tag("p", "A local AWS, a local Slack, and a real deployment of Unlatch into them."),
        tag("p", f"{seconds} s so far, usually less than 10", class_="soft"),
        class_="empty",
    )


def _empty(show: Show) -> Html:
    step = tag("span", "1", class_="num", aria_hidden="true")
    return tag(
        "div",
        tag("h3", "Nothing has happened yet"),
        tag(
            "p",
            join(
                [
                    "CI can’t delete ",
                    tag("b", cluster_of(show.scenario)),
                    ", because a key store still holds it. Make it try, and see what Unlatch says.",
                ]
            ),
        ),
        tag(
            "p",
            step,
            tag("span", " Make CI’s delete fail", class_="wide"),
            tag("button", "Go to step 1", type="button", class_="sm narrow", data_to="world"),
            class_="hint-1",
        ),
        class_="empty",
    )
