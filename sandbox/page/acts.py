"""What a person at the page may do. Each act goes the way that it would go in the real world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.ages import parse_age
from sandbox.page.openings import cluster_of, opening_of
from sandbox.page.show import Opened, Show, Silent
from sandbox.slack.records import CHANNEL

if TYPE_CHECKING:
    from sandbox.slack.records import Response

Json = dict[str, Any]
OUTSIDE = frozenset({
    "create_key", "use_key", "connect", "disconnect", "break_store", "create_key_store",
    "delete_key_store", "delete_hsm", "delete_cluster",
})  # fmt: skip
LONGEST_HOURS = 24
LONGEST_TEXT = 3_000
NOT_READY = "The sandbox is still starting. Please try again in a moment."
TIME_RUNS = "Time is running"
HOME = "home"  # what a button names that stands in no message


class ActRefused(Exception):  # noqa: N818 - not an error of ours
    """An act that makes no sense. Its text is fit for people."""


def perform(show: Show, user: str, asked: Json) -> Json:
    """The answer to the page: what Slack would show at once. Raises Refused."""
    if user not in show.scenario.people:
        raise ActRefused("Nobody of that name is in this story.")
    act = ACTS.get(str(asked.get("act")))
    if act is None:
        raise ActRefused("The page asked for something that does not exist.")
    return act(show, user, asked) or {}


def _story(show: Show, _: str, asked: Json) -> None:
    if asked.get("name") not in show.stories:
        raise ActRefused("There is no such story.")
    show.choose(asked["name"])


# The other half of the world


def _begin(show: Show, _: str, __: Json) -> None:
    """What the story begins with, or the same again."""
    scenario = show.scenario
    if cluster_of(scenario) not in scenario.home_of_cluster:
        raise ActRefused("This story has no cluster.")

    def job(opened: Opened) -> None:
        from sandbox.scenario.acts import Acts  # loads moto

        # the card of step 1 tells what came of it
        acts = Acts(scenario, opened.stage, opened.cases, Silent(), _forget)
        for item in opening_of(scenario).items:
            if item.act == "advance":
                opened.driver.advance(parse_age(item.value), show.tell)
            else:
                acts.perform(item)
        opened.driver.moment(show.tell)

    show.do(job)


def _outside(show: Show, _: str, asked: Json) -> None:
    what, on = asked.get("what"), asked.get("on")
    if what not in OUTSIDE or not isinstance(on, dict):
        raise ActRefused("Nobody can do that here.")

    def job(opened: Opened) -> None:
        from sandbox.page.others import Others  # loads moto

        show.heard = Others(show.scenario, opened.stage).act(what, on)
        opened.driver.moment(show.tell)

    show.do(job)


def _time(show: Show, _: str, asked: Json) -> None:
    hours = asked.get("hours")
    if not isinstance(hours, int) or not 0 < hours <= LONGEST_HOURS:
        raise ActRefused("Time moves by an hour or a day.")

    show.heard = ""

    def job(opened: Opened) -> None:
        opened.driver.advance(timedelta(hours=hours), show.tell)

    show.do(job, busy=TIME_RUNS)


def _until(show: Show, _: str, __: Json) -> None:
    show.heard = ""
    show.do(lambda opened: opened.driver.until_something(show.tell), busy=TIME_RUNS)


def _halt(show: Show, _: str, __: Json) -> None:
    show.halt()


def _forget(_: Json) -> None:
    """Takes answers of the bot, which nobody here waits for."""


# Slack


def _click(show: Show, user: str, asked: Json) -> Json:
    opened = _ready(show)
    slack, ts = opened.stage.slack, str(asked.get("ts", ""))
    button, value = str(asked.get("button", "")), str(asked.get("value", ""))
    with opened.driver.standing_clock():
        if ts == HOME:
            return _answered(show, slack.click_home(user, button=button, value=value))
        return _answered(show, slack.click(user, button=button, ts=ts, case_value=value or None))


def _home(show: Show, user: str, _: Json) -> Json:
    """Somebody opens the app's Home tab, which the bot may hear of."""
    opened = _ready(show)
    with opened.driver.standing_clock():
        response = opened.stage.slack.open_home(user)
    return _answered(show, response) if response else {}


def _submit(show: Show, user: str, asked: Json) -> Json:
    opened = _ready(show)
    view = opened.stage.slack.modals.get(user)
    values = asked.get("values")
    if view is None or view.id != asked.get("view") or not isinstance(values, dict):
        raise ActRefused("This dialog is not open any more.")
    with opened.driver.standing_clock():
        response = opened.stage.slack.submit(user, values)
    if response is None:
        raise ActRefused("This dialog has nothing to send.")
    return {**_answered(show, response), "errors": _field_errors(response.body)}


def _close(show: Show, user: str, _: Json) -> None:
    _ready(show).stage.slack.views.close_all(user)


def _say(show: Show, user: str, asked: Json) -> Json:
    """Words go to the thread of the newest message; a command goes to the bot."""
    opened, text = _ready(show), str(asked.get("text", "")).strip()[:LONGEST_TEXT]
    slack = opened.stage.slack
    command, _, words = text.partition(" ")
    if command == "/unlatch":
        with opened.driver.standing_clock():
            return _answered(show, slack.command(user, words.strip()))
    if text.startswith("/"):
        raise ActRefused(f"{command} is no command here. Slack knows /unlatch.")
    if text:
        here = [message for message in slack.messages if message.channel == CHANNEL]
        top = [message.ts for message in here if message.thread_ts is None]
        slack.say(user, text, thread_ts=top[-1] if top else None)
    return {}


def _dismiss(show: Show, _: str, asked: Json) -> None:
    show.dismissed.add(str(asked.get("ts")))
    show.changed()


def _ready(show: Show) -> Opened:
    if show.opened is None:
        raise ActRefused(NOT_READY)
    return show.opened


def _answered(show: Show, response: Response) -> Json:
    show.do(lambda opened: opened.driver.moment(show.tell))
    error = f"Slack shows an error: {response.error}." if response.error else ""
    return {"status": response.status, "ms": response.ms, "error": error}


def _field_errors(body: str) -> Mapping[str, str]:
    said = json.loads(body) if body.startswith("{") else {}
    errors: Mapping[str, str] = said.get("errors") or {}
    return errors


ACTS = {
    "story": _story,
    "begin": _begin,
    "outside": _outside,
    "time": _time,
    "until": _until,
    "halt": _halt,
    "click": _click,
    "home": _home,
    "submit": _submit,
    "close": _close,
    "say": _say,
    "dismiss": _dismiss,
}
