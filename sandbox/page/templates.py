"""The page's HTML from its templates, everything in them escaped. Knows no sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sandbox.page import figures, words
from sandbox.slack.records import BOT_USER

Json = Mapping[str, Any]


def render(template: str, **seen: Any) -> Markup:
    """Its HTML; raises UndefinedError for what the template asks for and is not given."""
    return Markup(ENVIRONMENT.get_template(f"{template}.html").render(seen))  # noqa: S704 - escapes


def attributes(given: Mapping[str, object]) -> Markup:
    """HTML attributes: True is one without a value; None and False leave it out."""
    shown = {
        name.replace("_", "-"): "" if value is True else value
        for name, value in given.items()
        if value is not None and value is not False
    }
    return Markup("").join(Markup(' {}="{}"').format(*pair) for pair in shown.items())


def spoken(button: Json) -> str | None:
    """Begins with the visible label, so that people who speak to their screen can say it."""
    label, said = button["text"]["text"], button.get("accessibility_label")
    return f"{label}: {said}" if said and not said.startswith(label) else said


def question(confirm: Json) -> dict[str, str]:
    """What Slack asks before a click counts; the page fills it in as text."""
    asked = {name: confirm[name]["text"] for name in ("title", "text", "confirm", "deny")}
    return {**asked, "style": confirm.get("style", "primary")}


def choices(options: list[Json]) -> dict[str, str]:
    return {option["value"]: option["text"]["text"] for option in options}


def stamp(ts: str, now: datetime) -> str:
    """When a message came; with the day if that is not today."""
    when = datetime.fromtimestamp(float(ts), UTC)
    return f"{when:%H:%M}" if when.date() == now.date() else f"{when.day} {when:%b %H:%M}"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for own in (attributes, spoken, question, choices, stamp):
        made.filters[own.__name__] = own
    for worded in (words.text, words.plain, words.mrkdwn, words.pieces, words.emoji):
        made.filters[worded.__name__] = worded
    for told in (figures.age, figures.is_hot, figures.mood, figures.wakes):
        made.filters[told.__name__] = told
    made.globals |= {"bot": BOT_USER, "hsm_hour_price": figures.HSM_HOUR_PRICE}
    return made


ENVIRONMENT = _environment()
