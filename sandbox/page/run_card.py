"""The state machine with its current state, as a picture and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.page.markup import Html, join, tag

if TYPE_CHECKING:
    from sandbox.page.machine import RunNow

EDGES = Html(
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path class="tip" d="M0 .8 7 4 0 7.2Z"/></marker></defs>'
    '<path class="edge" marker-end="url(#tip)" d="M96 54H160"/>'
    '<path class="edge" marker-end="url(#tip)" d="M262 54H330"/>'
    '<path class="edge" marker-end="url(#tip)" d="M380 36C380 4 330 8 220 8S50 4 50 34"/>'
    '<path class="edge" marker-end="url(#tip)" d="M212 72V90"/>'
    '<text class="lab" x="296" y="48">no</text>'
    '<text class="lab from" x="220" y="85">yes</text>'
)
BOXES = {
    "Turn": (6, 37, 88, 34, 10),
    "Finished?": (162, 37, 100, 34, 17),
    "Park": (332, 37, 96, 34, 10),
    "Done": (176, 91, 72, 24, 8),
}
A_WHILE = timedelta(minutes=2)
WAITING = {
    "waiting": "Waiting for people.",
    "running": "Waiting for AWS.",
    "closed": "Asleep; the case is closed.",
}


def run_card(run: RunNow | None, case: Mapping[str, Any] | None, now: datetime | None) -> Html:
    state = run.state if run else ""
    label = f"Current state: {state}" if run else "No run yet"
    picture = tag(
        "svg",
        EDGES,
        *(_box(name, now=name == state) for name in BOXES),
        viewBox="0 0 440 121",
        role="img",
        aria_label=f"Turn, then Finished?, then Park, and back to Turn. {label}",
    )
    title = f"State machine run, {run.case_id}" if run else "State machine run"
    return join([tag("h2", title), picture, _sentence(run, case, now)])


def _box(name: str, *, now: bool) -> Html:
    x, y, width, height, radius = BOXES[name]
    halo = _rect("halo", x - 4, y - 4, (width + 8, height + 8), radius + 3) if now else None
    middle = tag("text", name, x=x + width // 2, y=y + height // 2 + 5)
    return tag(
        "g",
        halo,
        _rect("box", x, y, (width, height), radius),
        middle,
        class_="now" if now else None,
    )


def _rect(kind: str, x: int, y: int, size: tuple[int, int], radius: int) -> Html:
    return tag("rect", class_=kind, x=x, y=y, width=size[0], height=size[1], rx=radius)


def _sentence(run: RunNow | None, case: Mapping[str, Any] | None, now: datetime | None) -> Html:
    if run is None or now is None:
        return tag("p", tag("span", "Each case gets one run. The first failed delete starts it."))
    if run.status != "RUNNING":
        ended = f"Ended: {case['outcome']}." if case and case["outcome"] else "Ended."
        return tag("p", ended)
    if run.state != "Park":
        return tag("p", "Reading AWS and deciding.")
    said = WAITING[case["phase"]] if case else "Asleep."
    wakes = f" Wakes on a click, or {_at(run.wakes_at, now)}." if run.wakes_at else ""
    return tag("p", said, tag("span", wakes))


def _at(when: datetime, now: datetime) -> str:
    clock = f"{when:%H:%M:%S}" if when - now < A_WHILE else f"{when:%H:%M}"
    return f"at {clock}" if when.date() == now.date() else f"on {when.day} {when:%b} at {clock}"
