"""The messages that notify: one a moment that must reach people, and the one that counts what would be too many.

No buttons: decisions are made in the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.rules.notices import disabled_by_us, lapsed
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.slack_message import Moment, Notice
from chalicelib.slack.messages import facts, going, key_used, notice_down
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    bold,
    date,
    note,
    says,
    section,
    symbol,
    text,
)
from chalicelib.slack.messages.names import Names, mentions, whom
from chalicelib.slack.messages.text import (
    DAY,
    TIME,
    Block,
    Message,
    caller,
    clean,
    count,
    cut,
    ident,
    listing,
    marked,
    quoted,
    utc,
)

MOST_LINES = 20


@dataclass(frozen=True)
class Said:
    """What one moment says: the notification, the fact in bold, what it means, and the question.

    `ask` follows the names, if anybody is named.
    """

    summary: str
    fact: str
    pieces: tuple[Piece, ...]
    ask: str
    link: str = "Open the case"
    after: str = "."
    is_alarming: bool = True


def message(case: Case, notice: Notice, *, policy: Policy, names: Names) -> Message:
    """The message of its own."""
    told = SAYS[notice.moment](case, notice, policy)
    who = mentions(
        whom(
            case,
            notice.moment,
            setting=policy.mention,
            approvers=policy.approvers,
            owners=names.owners,
        )
    )
    lead = [symbol(WARNING), text(" ")] if told.is_alarming else []
    summary = told.summary.format(where=f"{facts.cluster(case)} in {names.there(case)}")
    return Message(
        marked(" ".join([*who, summary])),
        (
            says(*lead, bold(f"{told.fact}"), *told.pieces),
            section(_asked(told, who, link_to(case, names, told.link))),
            place(case, names),
        ),
    )


def _asked(told: Said, who: Sequence[str], link: str) -> str:
    ask = f"{' '.join(who)}, {told.ask}" if who else told.ask[:1].upper() + told.ask[1:]
    return f"{ask} {link}{told.after}" if link else ask


def link_to(case: Case, names: Names, words: str) -> str:
    address = names.link(case.message.channel, case.message.ts)
    return f"<{address}|{words}>" if address else ""


def place(case: Case, names: Names) -> Block:
    where = f"{names.account(case.account)} · {ident(case.region)} · {ident(case.case_id)}"
    return note(where)


def _covered(case: Case, notice: Notice) -> tuple[KeyUse, ...]:
    """The uses since the notice of them before."""
    before = [n.uses for n in case.message.notices if n.uses < notice.uses]
    return case.key_uses[max(before, default=0) : notice.uses]


def _used(case: Case, notice: Notice, _policy: Policy) -> Said:
    uses = _covered(case, notice)
    last = max(uses, key=lambda use: use.at)
    off = disabled_by_us(case, last.key_id)
    what = f"a key that {'was switched off' if off else 'is being deleted'} was just used"
    waiting = returning_keys(case)
    ends = f"It will be deleted{going.day(waiting)} unless somebody cancels."
    return Said(
        f"{{where}}: {what}, and the caller failed. {'Cancel if the job matters.' if off else ends}",
        f"{facts.cluster(case)}: {what}.",
        (*_who(case, last), *_more(uses), *(_not_yet() if off else _when(case, last))),
        "does that job matter?",
        after=" to cancel.",
    )


def _who(case: Case, last: KeyUse) -> list[Piece]:
    return [
        text(f" {caller(last.who)} tried to {key_used.verb(last.operation)} with "),
        bold(facts.key_name(case, last.key_id)),
        text(" at "),
        date(last.at, TIME),
        text(" and failed."),
    ]


def _not_yet() -> list[Piece]:
    return [text(" No key is being deleted yet.")]


def _when(case: Case, last: KeyUse) -> list[Piece]:
    waiting = returning_keys(case)
    this = [key for key in waiting if key.key_id == last.key_id]
    when = going.when(this or waiting)
    return [text(" It will be deleted"), *when, text(" unless somebody cancels.")]


def _more(uses: Sequence[KeyUse]) -> list[Piece]:
    """“14 more uses by 2 callers since 02:00.”"""
    if len(uses) < 2:
        return []
    who = count(len({use.who for use in uses}), "caller")
    words = f" In all {count(len(uses), 'use')} by {who} since "
    return [text(words), date(min(use.at for use in uses), TIME), text(".")]


def _stopped(case: Case, _notice: Notice, _policy: Policy) -> Said:
    waiting = returning_keys(case)
    number = len(waiting)
    rest = (
        f"{count(number, 'key')} will be deleted{going.day(waiting)} unless somebody cancels."
        if waiting
        else "No key is waiting for deletion."
    )
    reason = clean(case.reason or "Unlatch can’t go on.", 400)
    reason = reason if reason.endswith((".", "”")) else f"{reason}."
    return Said(
        f"{{where}}: stopped, a person is needed. {reason} {rest}",
        f"{facts.cluster(case)}: stopped, a person is needed.",
        (text(f" {reason} {rest} Nothing more happens until somebody presses Try again."),),
        "the steps are in the message.",
    )


def _last_call(case: Case, notice: Notice, _policy: Policy) -> Said:
    waiting = returning_keys(case)
    number, its = len(waiting), "key is" if len(waiting) == 1 else "keys are"
    when = max((k.deletion_date for k in waiting if k.deletion_date), default=notice.at)
    last = max((use.at for use in case.key_uses), default=None)
    begun = facts.keys_begin(case)
    quiet = (
        [text(" The last failed use was on "), date(last), text(".")]
        if last
        else [text(" Nobody has tried to use them since "), date(begun, DAY), text(".")]
        if begun
        else []
    )
    them = "it" if number == 1 else "them"
    they = "It" if number == 1 else "They"
    return Said(
        f"Last call for {{where}}: {count(number, 'key')} will be deleted on {utc(when)}. "
        f"After that nobody can bring {them} back.",
        f"{facts.cluster(case)}: last call before its {'' if number == 1 else f'{number:,} '}{its} gone.",
        (
            text(f" {they} will be deleted"),
            *going.when(waiting),
            text(f". After that nobody can bring {them} back."),
            *quiet,
        ),
        f"if anybody needs {them}, cancel before then. Otherwise nothing for you to do.",
    )


def _down(case: Case, notice: Notice, _policy: Policy) -> Said:
    number = len(case.snapshot.live_keys) if case.snapshot else 0
    keys = "only key fails" if number == 1 else f"{number:,} keys fail"
    have = "only key has" if number == 1 else f"{number:,} keys have"
    since, _ = notice_down.since(case, notice)
    return Said(
        f"{{where}}: its key store is down and its {have} failed since {utc(since)}."
        f"{notice_down.lost(case)}",
        f"{facts.cluster(case)}: its key store is down, and its {keys}.",
        notice_down.pieces(case, notice),
        "please decide.",
    )


def _keep_lapsed(case: Case, notice: Notice, policy: Policy) -> Said:
    click = lapsed(case, notice.at)
    since = [text(" It was kept since "), date(click.at, DAY)] if click else []
    why = [text(f": {quoted(click.reason)}")] if click and click.reason.strip() else []
    rest = f". Nothing has been changed. {facts.cost_line(case, policy)}" if since else ""
    return Said(
        "{where}: the time to keep it is over. Please decide again. Nothing has been changed.",
        f"{facts.cluster(case)}: the time to keep it is over.",
        (*since, *why, text(rest or " ")),
        "you look after it: keep it longer, or choose another way.",
        is_alarming=False,
    )


SAYS = {
    Moment.KEY_USED: _used,
    Moment.STOPPED: _stopped,
    Moment.LAST_CALL: _last_call,
    Moment.STORE_DOWN: _down,
    Moment.KEEP_LAPSED: _keep_lapsed,
}


def line(case: Case, notice: Notice, *, policy: Policy, names: Names) -> str:
    """One moment in the message that counts several."""
    told = SAYS[notice.moment](case, notice, policy)
    link = link_to(case, names, "open the case")
    return marked(cut(told.fact, 200)) + (f" {link}" if link else "")


def rest(lines: Sequence[str], who: Sequence[str]) -> Message:
    """What came after the most that a channel gets in an hour, in one message."""
    number = len(lines)
    shown = [f"• {one}" for one in lines[:MOST_LINES]]
    if number > MOST_LINES:
        shown.append(f"and {number - MOST_LINES} more: `/unlatch status`")
    fact = f"{count(number, 'more warning')} within this hour"
    called = f"{listing(mentions(who))}: " if mentions(who) else ""
    return Message(
        marked(f"{' '.join(mentions(who))} {fact}.".strip()),
        (
            section(f"{called}*{fact}*, in one message so that the channel stays readable."),
            section("\n".join(shown)),
        ),
    )
