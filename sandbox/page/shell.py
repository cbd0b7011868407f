"""The page around its changing regions: server-rendered HTML that loads from its own server only."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.page.markup import Html, tag
from sandbox.page.show import Show
from sandbox.page.stories import roles
from sandbox.page.symbols import LOCK

STYLES = ("base.css", "slack.css", "world.css", "phone.css")


def page(show: Show, person: str, regions: Mapping[str, str]) -> str:
    body = tag(
        "body",
        _top(show),
        tag("main", _channel(show, person, regions), _world(regions), class_="panes"),
        _tabs(),
        tag("p", class_="toast", id="toast", role="alert", hidden=True),
        tag("noscript", "This page needs JavaScript, its own and no other."),
        data_tab="channel",
    )
    return f"<!doctype html>\n{tag('html', _head(), body, lang='en')}\n"


def _head() -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("title", "Unlatch: local demo"),
        tag("link", rel="icon", href="/static/icon.svg"),
        *(tag("link", rel="stylesheet", href=f"/static/{name}") for name in STYLES),
        tag("script", src="/static/theme.js"),
        tag("script", src="/static/page.js", type="module"),
    )


def _top(show: Show) -> Html:
    options = [
        tag("option", story.title, value=name, selected=name == show.story.name)
        for name, story in show.stories.items()
    ]
    return tag(
        "header",
        tag("h1", LOCK, "Unlatch", class_="brand"),
        tag("p", "Local demo. No Slack and no AWS behind it; break what you like.", class_="what"),
        tag("label", tag("span", "Story"), tag("select", *options, id="story", aria_label="Story")),
        tag(
            "button",
            "Start again",
            type="button",
            class_="ghost",
            id="again",
            title="Rebuild the sandbox from the start of this story",
        ),
        tag("button", "Dark", type="button", class_="ghost", id="theme"),
        class_="top",
    )


def _channel(show: Show, person: str, regions: Mapping[str, str]) -> Html:
    hash_sign = tag("span", "#", class_="hash")
    return tag(
        "section",
        tag(
            "div",
            tag("h2", _number(2), hash_sign, "kms-approvals", class_="name"),
            _who(show, person),
            class_="chan",
        ),
        tag("div", _feed(regions), _scrim(regions), _question(), class_="stage"),
        _thread(regions),
        class_="slack",
        id="channel",
        aria_label="Slack channel",
    )


def _who(show: Show, person: str) -> Html:
    told = roles(show.scenario.people)
    people = [
        tag(
            "label",
            tag("input", type="radio", name="who", value=name, checked=name == person),
            tag("span", name[:1].upper(), class_=f"av {name}", aria_hidden="true"),
            tag("span", name.title(), Html(" "), tag("small", role)),
        )
        for name, role in told.items()
    ]
    return tag("fieldset", tag("legend", "You are"), *people, class_="who", id="who")


def _feed(regions: Mapping[str, str]) -> Html:
    return tag(
        "div",
        _region(regions, "feed"),
        _region(regions, "private", aria_live="polite"),
        _region(regions, "said", aria_live="polite", class_="unseen"),
        class_="feed",
        id="scroll",
        tabindex="0",
        role="region",
        aria_label="Messages",
    )


def _scrim(regions: Mapping[str, str]) -> Html:
    return tag("div", _region(regions, "dialog"), class_="scrim", id="scrim", hidden=True)


def _question() -> Html:
    """What Slack asks before a click counts; filled in as text."""
    buttons = tag(
        "div",
        tag("button", type="button", class_="b", id="q-no"),
        tag("button", type="button", class_="b primary solid", id="q-yes"),
        class_="m-foot",
    )
    box = tag(
        "div",
        tag("div", tag("h3", id="q-title"), class_="m-head"),
        tag("div", tag("p", id="q-text"), class_="m-body"),
        buttons,
        class_="modal small",
        role="alertdialog",
        aria_labelledby="q-title",
        aria_describedby="q-text",
    )
    return tag("div", box, class_="scrim", id="question", hidden=True)


def _thread(regions: Mapping[str, str]) -> Html:
    label = tag("label", "Reply in the thread", class_="unseen", for_="words")
    words = tag(
        "input",
        id="words",
        type="text",
        maxlength=3000,
        autocomplete="off",
        placeholder="Reply, or write /unlatch status",
    )
    form = tag("form", label, words, tag("button", "Send", type="submit", class_="sm"), id="say")
    return tag(
        "details",
        _region(regions, "thread-head", element="summary"),
        _region(regions, "replies", element="ol", class_="replies", tabindex="0"),
        form,
        class_="thread",
        id="thread",
    )


def _world(regions: Mapping[str, str]) -> Html:
    aws = tag("section", tag("h2", "AWS right now"), _region(regions, "aws"), class_="card")
    run = _region(regions, "run", element="section", class_="card run")
    did = _region(
        regions, "did", element="section", class_="card did", aria_label="What Unlatch did"
    )
    return tag(
        "aside",
        *(_start(regions), _time(regions), aws, run, did),
        class_="world",
        id="world",
        aria_label="The world outside Slack",
        tabindex="0",
    )


def _start(regions: Mapping[str, str]) -> Html:
    title, post = tag("h2", _number(1), "Make CI’s delete fail"), json.dumps({"act": "delete"})
    go = tag("button", "Call DeleteCluster", type="button", class_="go", id="fail", data_post=post)
    tries = _region(regions, "tries", aria_live="polite")
    return tag("section", title, go, tries, class_="card start")


def _time(regions: Mapping[str, str]) -> Html:
    title = tag("h2", _number(3), "Move time")
    hours = tag("div", _hours("+1 h", 1), _hours("+1 day", 24), class_="btns")
    return tag("section", title, hours, _region(regions, "clock"), class_="card clock")


def _hours(label: str, hours: int) -> Html:
    post = json.dumps({"act": "time", "hours": hours})
    return tag("button", label, type="button", class_="sm", id=f"h{hours}", data_post=post)


def _tabs() -> Html:
    tabs = [
        tag(
            "button",
            label,
            type="button",
            role="tab",
            aria_selected="true" if name == "channel" else "false",
            aria_controls=name,
            data_to=name,
        )
        for name, label in (("channel", "Channel"), ("world", "World"))
    ]
    return tag("nav", tag("div", *tabs, role="tablist", aria_label="Panes"), class_="tabs")


def _number(number: int) -> Html:
    return tag("span", str(number), class_="num", aria_hidden="true")


def _region(
    regions: Mapping[str, str], id_: str, *, element: str = "div", **attributes: str
) -> Html:
    """Its HTML comes from the views, which escape what others wrote."""
    return tag(element, Html(regions[id_]), id=id_, **attributes)
