"""A rescue that has ended as meant: which keys work again, which can't, and what is left for people."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.remedies.rescue import unchecked
from chalicelib.domain.state.case import CallStatus
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.slack.messages import facts, parts, retired
from chalicelib.slack.messages.blocks import (
    CHECK_MARK,
    Piece,
    bold,
    code,
    date,
    header,
    items,
    line,
    marked_note,
    rich,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    TIME,
    Block,
    Message,
    clean,
    count,
    ident,
    listing,
    money,
    the,
    token,
)

MOST_NAMES = 10


def message(shown: Shown) -> Message:
    case, plan = shown.case, shown.case.current_plan
    calls = sum(call.status is CallStatus.DONE for call in case.calls)
    total = len(plan.basis.keys) if plan else 0
    lost = len(plan.lost) if plan else 0
    works = total - lost - len(unchecked(plan, case)) if plan else 0
    which = f"{works:,} of {count(total, 'key')}" if works < total else the(total, "key")
    title = f"Rescued: {which} of {shown.cluster} {'works' if works == 1 else 'work'} again"
    gone = f" {count(lost, 'key')} {facts.fate_of_lost(case)}." if lost else ""
    return Message(
        f"{title}.{gone} What is left to do is in the message.",
        (
            header(title, CHECK_MARK),
            says(*_works(shown), *_unchecked(shown), *_lost(shown), text("\n"), *_where(shown)),
            rich(line(bold("What is left for you")), items("bullet", _left(shown))),
            *_how_long(shown),
            *_backup(plan),
            parts.decided(case, f"{count(calls, 'AWS call')}, told in the thread"),
            retired.audit(shown),
        ),
    )


def _works(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    unsure = unchecked(plan, shown.case) if plan else ()
    wanted = plan.names(Operation.PROVE_KEY) if plan else ()
    proved = [key_id for key_id in wanted if key_id not in unsure]
    names = [facts.key_name(shown.case, key_id) for key_id in proved[:MOST_NAMES]]
    more = [count(len(proved) - len(names), "more key")] if len(proved) > len(names) else []
    if not names:
        return [bold("The key store is connected again.")]
    once = "it was" if len(proved) == 1 else "each was"
    verb = "works" if len(proved) == 1 else "work"
    return [bold(f"{listing([*names, *more])} {verb} again:"), *_checked(shown, once)]


def _checked(shown: Shown, once: str) -> list[Piece]:
    at = _proved_at(shown)
    when = [text(", at "), date(at, TIME)] if at else []
    return [text(f" {once} used once to check"), *when, text(".")]


def _proved_at(shown: Shown) -> datetime | None:
    calls = (c for c in shown.case.calls if c.operation is Operation.PROVE_KEY)
    return max((c.at for c in calls if c.status is CallStatus.DONE), default=None)


def _how_long(shown: Shown) -> list[Block]:
    """From the first that Unlatch heard of it until the keys had shown that they work."""
    case, begin = shown.case, facts.failing_since(shown.case)
    end = _proved_at(shown) or case.closed_at
    if begin is None or end is None or end < begin:
        return []
    minutes = count(int((end - begin).total_seconds() // 60), "minute")
    words = f"The keys failed from {token(begin)} until {token(end)}, {minutes}."
    if case.key_uses:
        who = count(len({use.who for use in case.key_uses}), "caller")
        words += f" {count(len(case.key_uses), 'use')} by {who} failed; the thread has them."
    return [marked_note(words)]


def _backup(plan: Plan | None) -> list[Block]:
    if plan is None or not plan.backup_id:
        return []
    return [marked_note(f"The backup `{ident(plan.backup_id)}` is kept for good.")]


def _unchecked(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    unsure = unchecked(plan, shown.case) if plan else ()
    names = [facts.key_name(shown.case, key_id) for key_id in unsure]
    if not names:
        return []
    return [
        text("\n"),
        bold(f"{listing(names[:MOST_NAMES])} could not be checked."),
        text(
            " Have somebody who may use it try it."
            if len(names) == 1
            else " Have somebody who may use them try them."
        ),
    ]


def _lost(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    names = [facts.key_name(shown.case, key_id) for key_id in (plan.lost if plan else ())]
    if not names:
        return []
    return [
        text("\n"),
        bold(f"{listing(names[:MOST_NAMES])} {facts.fate_of_lost(shown.case)}:"),
        text(f" {'it was' if len(names) == 1 else 'they were'} made after the backup."),
    ]


def _where(shown: Shown) -> list[Piece]:
    case = shown.case
    store, plan = case.store, case.current_plan
    made = plan.new_hsms if plan else 0
    pieces = []
    if store and plan and plan.backup_id:
        pieces = [
            text(f"The key store {clean(store.name)} now uses "),
            code(ident(store.cluster_id)),
            text(". "),
        ]
    if made:
        cost = money(facts.new_hsms_a_day(case, shown.policy, made))
        pieces.append(
            text(
                f"The {count(made, 'new HSM')} {'costs' if made == 1 else 'cost'} about {cost} a day."
            )
        )
    return pieces


def _left(shown: Shown) -> list[list[Piece]]:
    plan, store = shown.case.current_plan, shown.case.store
    rows = [[text("Start the databases that stopped. They don’t start by themselves.")]]
    if plan and plan.backup_id and store:
        rows.append(
            [
                text(
                    "Give programs that use the HSMs directly the new addresses and the security group of "
                ),
                code(ident(store.cluster_id)),
                text("."),
            ]
        )
        rows.append(
            [
                text("To remove the new cluster one day, write "),
                code(f"/unlatch {ident(store.cluster_id)}"),
                text("."),
            ]
        )
    if plan and plan.backup_id and shown.case.snapshot and shown.case.snapshot.cluster:
        words = "The old cluster and its HSMs stay. If nobody needs them, write "
        rows.append([text(words), code(f"/unlatch {ident(plan.cluster_id)}"), text(".")])
    rows.append(
        [text("Find out why it could happen. Unlatch’s guard rails can forbid such deletions.")]
    )
    return rows
