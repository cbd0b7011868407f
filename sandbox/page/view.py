"""The page and all that changes on it, as one person sees it now: HTML by the id of its region."""

from __future__ import annotations

import time
from typing import Any

from sandbox.page.openings import opening_of
from sandbox.page.show import Show
from sandbox.page.stories import roles
from sandbox.page.templates import render

REGIONS = (
    "places",
    "feed",
    "private",
    "said",
    "app",
    "dialog",
    "thread-head",
    "replies",
    "tries",
    "clock",
    "aws",
    "run",
    "did",
)


def page(show: Show, person: str) -> str:
    """The whole of it, as it first loads."""
    return render(
        "page",
        stories=show.stories.values(),
        chosen=show.story.name,
        people=roles(show.scenario.people),
        person=person,
        opening=opening_of(show.scenario),
        regions=regions(show, person),
    )


def regions(show: Show, person: str) -> dict[str, str]:
    seen = {**_before(show), **_now(show, person)}
    return {name: render(name, **seen) for name in REGIONS}


def _before(show: Show) -> dict[str, Any]:
    """What there is to see while the sandbox starts, or once it broke."""
    return {
        "is_open": False,
        "trouble": show.trouble,
        "seconds": int(time.monotonic() - show.asked_at),
        "opening": opening_of(show.scenario),
        "people": {name: name.title() for name in show.scenario.people},
        **dict.fromkeys(("messages", "told", "direct", "tries", "thread"), ()),
        **dict.fromkeys(("newest", "dialog", "home", "world", "run", "now"), None),
        **dict.fromkeys(("has_home", "last_words"), ""),
    }


def _now(show: Show, person: str) -> dict[str, Any]:
    opened = show.opened
    if opened is None:
        return {}
    from sandbox.page import seen  # loads moto

    return {
        "is_open": True,
        "busy": show.busy,
        "note": show.note,
        "heard": show.heard,
        "case": show.case,
        **seen.in_slack(opened, person, dismissed=show.dismissed),
        **seen.in_world(opened, show.scenario),
    }
