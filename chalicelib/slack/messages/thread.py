"""One line in the thread for each thing that happened, told from the audit log. Most entries write nothing."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.rules.notices import keys_go
from chalicelib.domain.state.audit_log import Entry, Kind
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.slack.messages import facts, key_used, late
from chalicelib.slack.messages.blocks import (
    CHECK_MARK,
    WARNING,
    Piece,
    bold,
    code,
    date,
    says,
    symbol,
    text,
    user,
    users,
)
from chalicelib.slack.messages.first_line import opened
from chalicelib.slack.messages.happened import dry_run, moment, result
from chalicelib.slack.messages.reminders import once_more, reminded
from chalicelib.slack.messages.text import (
    DAY,
    Message,
    all_of,
    be,
    caller,
    clean,
    count,
    ident,
    marked,
    quoted,
    upper_first,
)

LONGEST_REASON = 500
Told = tuple[str, list[Piece]]


def line(entry: Entry, *, case: Case) -> Message | None:
    """The line for this entry; None if it writes nothing."""
    tell = TELLERS.get(entry.kind)
    told = tell(entry, case) if tell else None
    if told is None:
        return None
    summary, pieces = told
    return Message(marked(summary), (says(*pieces),))


def _reason(entry: Entry) -> str:
    return f": {quoted(entry['reason'], LONGEST_REASON)}" if entry["reason"].strip() else ""


def _attempt(entry: Entry, case: Case) -> Told | None:
    """A repeated attempt only raises the counter; while the cluster is kept, it gets an answer."""
    keep = case.keep
    if keep is None:
        return None
    pieces = [
        bold(caller(entry["by"])),
        text(" tried to delete the cluster again. "),
        user(keep.by),
        text(" decided to keep it until "),
        date(keep.until, DAY),
        text(f": {quoted(keep.reason, LONGEST_REASON)}. Ask "),
        user(keep.owner or keep.by),
        text("."),
    ]
    return "Still kept as it is", pieces


def _read(entry: Entry, _case: Case) -> Told:
    seen, keys = entry["seen"], entry["keys"]
    words = f"Looked at {_number(seen, 'key')}: {_few(keys)} in this store."
    if seen in ("", "0"):
        words = "Looked at the cluster: no key store uses it." if keys in ("", "0") else words
    cause = (
        f" The cluster can’t be deleted: {clean(entry['cause'], 200)}." if entry["cause"] else ""
    )
    return "AWS was read", [text(words + cause)]


def _number(words: str, noun: str) -> str:
    return count(int(words), noun) if words.isdecimal() else f"the {noun}s"


def _few(words: str) -> str:
    number = int(words) if words.isdecimal() else -1
    return {-1: "some are", 0: "none is", 1: "1 is"}.get(number, f"{number:,} are")


def _quiet(entry: Entry, _case: Case) -> Told:
    words = f"Looked whether other programs use the HSMs. {clean(entry['found'], 400)}"
    return "No other program was seen", [text(words)]


def _approved(entry: Entry, case: Case) -> Told:
    place = _place(entry, case)
    of = " once more" if entry["again"] else f", {place}" if place else ""
    knowing = ", knowing that something is in use" if entry["override"] else ""
    pieces = [
        user(entry["by"]),
        text(f" approved {clean(entry['remedy'] or 'a plan')}{of}{knowing}{_reason(entry)}."),
        *_plan(entry),
    ]
    return f"Approval {place}".strip(), pieces


def _plan(entry: Entry) -> list[Piece]:
    found = ident(entry["plan_hash"])[:8] if entry["plan_hash"] else ""
    return [text(" Plan "), code(found)] if found else []


def _place(entry: Entry, case: Case) -> str:
    """“1 of 2”: which approval of this plan it was, by number."""
    plans = [p for p in (*case.offers, case.plan, case.last_plan) if p]
    plan = next((p for p in plans if p.plan_hash == entry["plan_hash"]), None)
    who: dict[str, None] = {}
    for click in case.clicks:
        if click.act is Act.APPROVE and click.plan_hash == entry["plan_hash"]:
            who.setdefault(click.by)
    by = list(who)
    if plan is None or entry["by"] not in by:
        return ""
    return f"{by.index(entry['by']) + 1} of {plan.terms.people}"


def _confirmed(entry: Entry, _case: Case) -> Told:
    what = clean(entry["remedy"] or "the plan")
    words = f" confirmed {what} with a signature that AWS vouches for."
    return "Confirmed in AWS", [code(clean(entry["by"])), text(words), *_plan(entry)]


def _withdrawn(entry: Entry, _case: Case) -> Told:
    what = clean(entry["remedy"] or "the plan")
    return "An approval was taken back", [
        user(entry["by"]),
        text(f" took back the approval of {what}. It no longer counts."),
    ]


def _voided(entry: Entry, case: Case) -> Told:
    why = clean(entry["why"] or "something changed", 400)
    begun = "Unlatch stopped" if case.has_begun else "Stopped before the first call"
    return "Changed since approval", [text(f"{begun}: {why}. The approvals no longer count.")]


def _began(entry: Entry, _case: Case) -> Told:
    by = entry["by"].replace(",", " ").split()
    approved = [text(", approved by "), *users(by)] if by else []
    remedy = upper_first(clean(entry["remedy"] or "the plan"))
    return f"{remedy} begins", [text(f"{remedy} begins"), *approved, text("."), *_plan(entry)]


def _kept(entry: Entry, _case: Case) -> Told:
    pieces = [user(entry["by"]), text(" decided to keep it as it is")]
    until = moment(entry["until"])
    if until:
        pieces += [text(" until "), date(until, DAY)]
    pieces.append(text(f"{_reason(entry)}."))
    if entry["owner"]:
        pieces += [text(" "), user(entry["owner"]), text(" looks after it.")]
    return "Kept as it is", pieces


def _lapsed(_entry: Entry, _case: Case) -> Told:
    return "Asked again", [text("The time to keep it is over, so the question is open again.")]


def _asked_back(entry: Entry, case: Case) -> Told | None:
    """A rejection is told by its closing line."""
    if entry["act"] == Act.REJECT:
        return None
    asked = "asked to undo this" if entry["act"] == Act.UNDO else "cancelled"
    rest = "Unlatch puts back what can be put back." if case.has_begun else "Nothing had begun."
    return asked.capitalize(), [user(entry["by"]), text(f" {asked}. {rest}")]


def _reopened(entry: Entry, _case: Case) -> Told:
    return "Trying again", [user(entry["by"]), text(" pressed Try again.")]


def _keys_gone(entry: Entry, case: Case) -> Told:
    number = int(entry["count"]) if entry["count"].isdecimal() else facts.planned_keys(case)
    words = (
        f"{upper_first(all_of(number, 'key'))} {be(number)} gone."
        if number
        else "The keys are gone."
    )
    return "Keys gone", [text(f"{words} AWS was read again to make sure.")]


def _key_used(entry: Entry, case: Case) -> Told:
    may_cancel = not case.is_over and (keys_go(case) or not case.trigger.is_outage)
    cancel = " To cancel, use the button in the message above." if may_cancel else ""
    pieces = [
        symbol(WARNING),
        text(" "),
        bold(caller(entry["who"])),
        text(f" tried to {key_used.verb(entry['operation'] or 'use it')} with "),
        bold(facts.key_name(case, entry["key"])),
        text(f" and failed.{cancel}"),
    ]
    return "A key that is being deleted was used", pieces


def _forged(entry: Entry, _case: Case) -> Told:
    words = (
        " carries no valid seal, so it was not counted. Somebody may have written to Unlatch’s "
        "table: tell whoever looks after security."
    )
    pieces = [symbol(WARNING), text(" An entry in the name of "), user(entry["by"]), text(words)]
    return "An entry was not counted", pieces


def _taken_in(_entry: Entry, _case: Case) -> Told:
    words = "An earlier version of Unlatch began this case. From now on its record is sealed."
    return words, [text(words)]


def _closed(entry: Entry, case: Case) -> Told:
    """How it ended; whoever made the failed call is named, so that Slack tells them."""
    heading, pieces = _end(entry, case)
    if case.requester_id:
        pieces = [*pieces, text(" "), user(case.requester_id), text(" made the failed call.")]
    return heading, pieces


def _end(entry: Entry, case: Case) -> Told:
    outcome, reason = entry["outcome"], clean(entry["reason"], 600) if entry["reason"] else ""
    head = entry.hash or case.log_head
    seal = [text(" Log head "), code(ident(head)[:12])] if head else []
    if outcome == "rejected":
        by = user(case.ending.by) if case.ending else text("Somebody")
        return "Closed", [by, text(" closed the case. Nothing was changed.")]
    if outcome in ("retired", "repointed", "parked"):
        return outcome.capitalize(), [symbol(CHECK_MARK), text(f" {reason or outcome}"), *seal]
    if outcome == "stopped":
        waits = text(f" {reason or 'Stopped.'} Waiting for a person.")
        return "Stopped: a person is needed", [symbol(WARNING), waits]
    words = {"expired": "Closed, nothing changed.", "cancelled": ""}.get(outcome, "Closed.")
    if case.has_begun:
        words = ""
    return f"Closed: {clean(outcome or 'over')}", [
        text(f"{reason} {words}".strip() or "Closed."),
        *seal,
    ]


TELLERS: dict[Kind, Callable[[Entry, Case], Told | None]] = {
    Kind.OPENED: opened,
    Kind.ATTEMPT: _attempt,
    Kind.READ: _read,
    Kind.APPROVED: _approved,
    Kind.CONFIRMED: _confirmed,
    Kind.WITHDRAWN: _withdrawn,
    Kind.VOIDED: _voided,
    Kind.ONCE_MORE: once_more,
    Kind.BEGAN: _began,
    Kind.RESULT: result,
    Kind.DRY_RUN: dry_run,
    Kind.QUIET: _quiet,
    Kind.KEPT: _kept,
    Kind.LAPSED: _lapsed,
    Kind.ASKED_BACK: _asked_back,
    Kind.REOPENED: _reopened,
    Kind.KEYS_GONE: _keys_gone,
    Kind.KEY_USED: _key_used,
    Kind.REMINDED: reminded,
    Kind.OVERDUE: late.told,
    Kind.FORGED: _forged,
    Kind.TAKEN_IN: _taken_in,
    Kind.CLOSED: _closed,
}
