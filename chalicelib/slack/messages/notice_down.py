"""What a message says that notifies of an outage: since when, who fails, and what can be done. Never that it is mended."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.rules.outage import Outage, outage_in
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.slack_message import Moment, Notice
from chalicelib.slack.messages import outage
from chalicelib.slack.messages.blocks import Piece, date, text
from chalicelib.slack.messages.text import DAY_AND_TIME, TIME, caller, clean, count, listing

MOST_CALLERS = 3


def since(case: Case, notice: Notice) -> tuple[datetime, str]:
    """The event that told of it, else the first look that found it; and the words for which it is."""
    told = [a.at for a in case.attempts if a.trigger.is_outage and a.operation]
    if told:
        return min(told), "It began"
    seen = (n.at for n in case.message.notices if n.moment is Moment.STORE_DOWN)
    return min(seen, default=notice.at), "Unlatch has seen this since"


def pieces(case: Case, notice: Notice) -> tuple[Piece, ...]:
    begin, words = since(case, notice)
    is_today = notice.at.date() == begin.date()
    on = {"It began": " at" if is_today else " on"}.get(words, "")
    still = "It is still down." if _is_told(case, notice) else ""
    found = (still, who_fails(case), lost(case).strip(), outage.who_can(case))
    return (
        text(f" {words}{on} "),
        date(begin, TIME if is_today else DAY_AND_TIME),
        text(" ".join([".", *filter(None, found)])),
    )


def lost(case: Case) -> str:
    """Only a cluster that is gone takes keys with it: those that no backup has."""
    what = outage_in(case, case.snapshot) if case.snapshot else None
    return "" if what is Outage.CLUSTER_GONE else " No key is lost."


def who_fails(case: Case) -> str:
    """“Role checkout-api fails.”"""
    names = list(dict.fromkeys(clean(use.who or "somebody") for use in reversed(case.key_uses)))
    more = [count(len(names) - MOST_CALLERS, "more caller")] if len(names) > MOST_CALLERS else []
    told = listing([*map(caller, names[:1]), *names[1:MOST_CALLERS], *more])
    return f"{told} {'fails' if len(names) == 1 else 'fail'}." if names else ""


def _is_told(case: Case, notice: Notice) -> bool:
    return any(n.at < notice.at for n in case.message.notices if n.moment is Moment.STORE_DOWN)
