"""The doctor on cases that Slack refused to show, without a deployment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from chalicelib.domain.state.slack_message import SlackMessage
from ops.checks import chat
from ops.hub import Hub


def hub(**refused: str) -> Hub:
    """A hub with an open case each; the value is Slack's word."""

    def load(case_id: str) -> Any:
        return SimpleNamespace(message=SlackMessage(refused=refused[case_id]))

    pointers = [SimpleNamespace(case_id=case_id) for case_id in refused]
    return cast("Hub", SimpleNamespace(cases=SimpleNamespace(load=load, pointers=lambda: pointers)))


def test_cases_that_are_shown_are_well() -> None:
    (finding,) = chat.shown(hub(one="", two=""))
    assert finding.ok


def test_slacks_word_and_the_cases_are_named() -> None:
    found = list(chat.shown(hub(one="is_archived", two="", three="is_archived")))
    assert [(f.ok, f.says) for f in found] == [
        (False, "Slack says is_archived, so open cases are not shown, 2 in all: one, three")
    ]
    assert "slack_channel" in found[0].do


def test_of_many_cases_the_first_are_named() -> None:
    (finding,) = chat.shown(hub(**{f"case-{n}": "not_in_channel" for n in range(9)}))
    assert finding.says.endswith("9 in all: case-0, case-1, case-2, case-3, case-4, …")
