"""Grey lines and sentences that several messages share: who tried, where, who may decide, the dry run."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.rules.approval import is_mapped
from chalicelib.domain.rules.gone import asked_by_hand
from chalicelib.domain.state.caller import Caller, Tool
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack.messages import facts, lead
from chalicelib.slack.messages.blocks import Piece, bold, date, marked_note, note, says, text, users
from chalicelib.slack.messages.names import mentions
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    TIME,
    Block,
    clean,
    count,
    escape,
    ident,
    listing,
    marked,
    person,
    quoted,
    token,
    utc,
)

DRY_RUN = "*Dry run*: approvals count, the steps are played, nothing in AWS changes."
TERRAFORM = "Terraform may have forgotten this key store. If so, it will not delete it later."
MOST_TAGS = 6


def dry_run() -> Block:
    return marked_note(DRY_RUN)


def hidden(unread: Sequence[str]) -> Block:
    """AWS does not show all: what stands in the message is partly what was known before."""
    why = clean(unread[0], 200).removesuffix(".")
    return says(
        bold(f"Unlatch can’t see everything: {why}."),
        text(
            " What it can’t see stands here as it was last known. Keys that wait are deleted on their "
            "day all the same. Allow the role unlatch-reader to read it."
        ),
    )


def store_pieces(case: Case) -> list[Piece]:
    """“The key store payments”, the name in bold."""
    name = facts.store_name(case)
    return [text("The key store "), bold(name)] if name else [text("Its key store")]


def nothing_done(shown: Shown) -> str:
    """What has been changed so far, in one sentence."""
    return "Nothing has been changed." if not shown.case.has_begun else facts.as_it_is(shown.case)


def lapse(case: Case) -> str:
    """What becomes of a case that nobody decides."""
    return "nothing more is done" if case.has_begun else "nothing changes"


def tried_by(shown: Shown) -> Block:
    """Who made the delete that failed, how often, with what."""
    case = shown.case
    attempts = case.attempts
    if not attempts:
        return note("Started by a person; no delete has failed.")
    if asked_by_hand(case):
        names = listing(dict.fromkeys(person(a.caller.name) for a in attempts))
        return marked_note(f"Started by {names}, who can’t approve this.")
    who = list(dict.fromkeys(attempt.caller for attempt in attempts))
    number, last = len(attempts), attempts[-1]
    often = "once," if number == 1 else f"{count(number, 'attempt')}, last"
    what = lead.what_was_tried(last)
    to = f": {what}" if what else ""
    known = person(shown.case.requester_id) if shown.case.requester_id and len(who) == 1 else ""
    by = f"{known or _callers(who)}{_tool(last.caller)}"
    sentences = [f"Tried by {by}, {often} on {utc(last.at)}{to}."]
    if deleted := lead.deleted(last):
        sentences = [f"{deleted} by {by} on {utc(last.at)}. AWS allowed it."]
    barred = [c for c in who if is_mapped(c, shown.policy)]
    if barred:
        whose = "They" if len(who) == 1 else _callers(barred)
        sentences.append(f"{whose} can’t approve their own request.")
    if shown.case.store and any(lead.terraform_forgets(attempt) for attempt in attempts):
        sentences.append(TERRAFORM)
    return marked_note(marked(" ".join(sentences))) if known else note(" ".join(sentences))


def _callers(who: Sequence[Caller]) -> str:
    names = list(dict.fromkeys(clean(caller.words) for caller in who))
    more = [count(len(names) - 3, "other")] if len(names) > 3 else []
    return listing([*names[:3], *more])


def _tool(caller: Caller) -> str:
    return "" if caller.tool is Tool.UNKNOWN else f" with {caller.tool.value}"


def place(shown: Shown) -> Block:
    """Account, Region and tags, under the heading of every state."""
    case = shown.case
    tags = case.snapshot.cluster.tags if case.snapshot and case.snapshot.cluster else ()
    words = [shown.names.account(case.account), ident(case.region)]
    words += [clean(f"{key}={value}") for key, value in tags[:MOST_TAGS]]
    if len(tags) > MOST_TAGS:
        words.append(count(len(tags) - MOST_TAGS, "more tag"))
    return note(" · ".join(words))


def told_where(shown: Shown, words: str) -> str:
    """A notification names account and Region behind the cluster, as it stands alone on a screen."""
    there = f"{shown.cluster} in {shown.names.there(shown.case)}"
    before, found, after = words.partition(shown.cluster)
    if not found:
        return f"{there}: {words}"
    return f"{before}{there}{',' if after.startswith(' ') else ''}{after}"


def owner(shown: Shown) -> list[Block]:
    """Who looks after cluster and keys, by a tag; told of the case by this. What AWS hides is said."""
    who, told = mentions(shown.names.owners), shown.case.key_owners
    words = []
    if who:
        words.append(f"Owner: {listing(who)}, by the tag {escape(clean(shown.names.owner_tag))}")
    if told and told.unread:
        them = "its owner is" if told.unread == 1 else "their owners are"
        words.append(
            f"AWS does not let Unlatch read the tags of {count(told.unread, 'key')}, so {them} not told"
        )
    return [marked_note(". ".join(words))] if words else []


def record(shown: Shown, *, approved: Sequence[str] = (), missing: int = 0) -> Block:
    """For who looks it up: who can approve, expiry, case and plans. Names, as this notifies nobody."""
    case, names = shown.case, shown.names
    out = {*approved, *([case.requester_id] if approved else [])}
    can = names.plainly([one for one in shown.policy.approvers if one not in out])
    words = [f"Can approve: {can}", "Approved so far: nobody"]
    if approved:
        words = [f"Approved: {names.plainly(approved)}"]
        words += [f"Still needed: {missing} more, {can} can"] if missing > 0 else []
    if case.expires_at:
        words.append(f"Closes {token(case.expires_at)}")
    plans = [f"{p.remedy} `{p.plan_hash[:8]}`" for p in case.offers if p.remedy is not Remedy.KEEP]
    words.append(f"`{ident(case.case_id)}`")
    if plans:
        words.append(f"{'Plan' if len(plans) == 1 else 'Plans'}: {', '.join(plans[:6])}")
    return marked_note(" · ".join(words))


def decided(case: Case, *more: str) -> Block:
    """For who looks it up, once it is decided: by whom, case and plan."""
    plan = case.current_plan
    words = [_approved(case)] if case.approved else []
    words += [*more, f"`{ident(case.case_id)}`"]
    if plan and case.approved:
        words.append(f"Plan `{plan.plan_hash[:8]}`")
    return marked_note(" · ".join(words))


def _approved(case: Case) -> str:
    last = max(click.at for click in case.approved)
    return f"Approved by {listing(person(c.by) for c in case.approved)}, {token(last, DAY)}"


def approved_by(clicks: Sequence[Click]) -> list[Piece]:
    """“@alice approved at 09:31: “reason””, a line each."""
    pieces: list[Piece] = []
    for click in clicks[:5]:
        pieces += [*users([click.by]), text(" approved at "), date(click.at, TIME)]
        pieces.append(text(f": {quoted(click.reason)}\n" if click.reason.strip() else "\n"))
    return pieces


def read_again(case: Case) -> list[Piece]:
    """“AWS was read again at 10:21 to make sure.”"""
    if case.snapshot is None:
        return []
    return [text(" AWS was read again at "), date(case.snapshot.at, TIME), text(" to make sure.")]


def start_again(case: Case) -> list[Piece]:
    """How a new case comes about."""
    return [
        text("The next failed delete opens a new case. To start one now, write "),
        text(f"/unlatch {facts.cluster(case)}", code=True),
        text("."),
    ]
