"""When Slack gets another chance: soon, then rarer, and never so often that a run fills up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.state.slack_message import SlackMessage
from tests.domain.worlds import NOW

HOUR = 3_600


def waits(*, refused: str, seconds: float, tries: int) -> list[int]:
    return [SlackMessage(failures=n, refused=refused).wait(seconds) for n in range(1, tries + 1)]


def test_what_a_person_has_to_change_is_tried_ever_more_rarely_up_to_hourly() -> None:
    found = waits(refused="is_archived", seconds=HOUR, tries=8)
    assert found == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_what_passes_is_tried_within_minutes() -> None:
    assert waits(refused="", seconds=3 * 24 * HOUR, tries=6) == [60, 120, 240, 480, 600, 600]
    assert waits(refused="", seconds=HOUR, tries=3) == [60, 120, 150]


def test_the_work_never_waits_for_slack() -> None:
    assert waits(refused="is_archived", seconds=5, tries=1) == [5]
    assert SlackMessage(failures=1, retry_after=900).wait(30) == 30


def test_slacks_own_wish_is_minded() -> None:
    assert SlackMessage(failures=1, retry_after=90).wait(HOUR) == 90


def test_what_is_merely_not_told_yet_comes_at_once() -> None:
    assert SlackMessage(is_behind=True).wait(HOUR) == 1


@pytest.mark.parametrize(
    ("message", "closed", "awaited"),
    [
        (SlackMessage(is_behind=True), None, True),
        (SlackMessage(is_behind=True), timedelta(days=2), True),
        (SlackMessage(is_behind=True), timedelta(days=4), False),
        (SlackMessage(), timedelta(0), False),
    ],
)
def test_an_end_that_cant_be_shown_holds_no_run_for_ever(
    message: SlackMessage, closed: timedelta | None, awaited: bool
) -> None:
    at = None if closed is None else NOW - closed
    assert message.is_awaited(at, NOW) is awaited
