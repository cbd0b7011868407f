"""What a message that notified becomes once it is over. Mentions nobody."""

from __future__ import annotations

from chalicelib.domain.recovery import lost_keys
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.slack_message import Moment, Notice
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import Piece, date, marked_note, says, text
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.notice import link_to, place
from chalicelib.slack.messages.text import Message, be, count, marked, utc


def over(case: Case, notice: Notice, *, names: Names) -> Message:
    """What is left of it once it is over: nobody is mentioned."""
    happened, pieces = _end(case, notice)
    cluster = facts.cluster(case)
    link = link_to(case, names, "Open the case")
    return Message(
        marked(f"{cluster} in {names.there(case)}: over. {happened}"),
        (
            says(text(f"{cluster}: over. "), *pieces),
            *([marked_note(link)] if link else []),
            place(case, names),
        ),
    )


def _end(case: Case, notice: Notice) -> tuple[str, list[Piece]]:
    when = notice.over_at or notice.at
    if notice.moment in (Moment.KEY_USED, Moment.LAST_CALL):
        return _keys_end(case, notice)
    words = {
        Moment.STOPPED: "Somebody pressed Try again",
        Moment.STORE_DOWN: "The key store is no longer down",
        Moment.KEEP_LAPSED: "It was decided",
    }[notice.moment]
    return f"{words} on {utc(when)}.", [text(f"{words} on "), date(when), text(".")]


def _keys_end(case: Case, notice: Notice) -> tuple[str, list[Piece]]:
    when, cancelled = notice.over_at or notice.at, case.ending
    number, begun = facts.planned_keys(case), facts.keys_begin(case)
    lost = lost_keys(case)
    if lost:
        words = f"{count(lost, 'key')} {be(lost)} deleted"
        return f"{words}.", [text(f"{words}; seen on "), date(when), text(".")]
    if cancelled or case.outcome is Outcome.CANCELLED:
        at = cancelled.at if cancelled else when
        back = "the key is as it was" if number == 1 else f"the {number:,} keys are as they were"
        first = f"{'The deletion' if begun else 'This'} was cancelled on "
        return f"{first}{utc(at)}.", [text(first), date(at), text(f"; {back}.")]
    words = f"No key is {'waiting for deletion' if begun else 'switched off by Unlatch'} any more"
    return f"{words}.", [text(f"{words}; seen on "), date(when), text(".")]
