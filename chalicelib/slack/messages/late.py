"""A step that takes far longer than usual: since when, what is usual, and what to check. AWS has refused nothing."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.overdue import Overdue, overdue
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    bold,
    code,
    date,
    items,
    line,
    rich,
    symbol,
    text,
)
from chalicelib.slack.messages.happened import Told, moment, operation_of
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import TIME, Block, count, ident

STILL = {
    Operation.DISCONNECT_KEY_STORE: "the key store is still disconnecting",
    Operation.CONNECT_KEY_STORE: "the key store is still connecting",
    Operation.CREATE_HSM: "an HSM is still being created",
    Operation.DELETE_HSM: "an HSM is still being deleted",
    Operation.DELETE_CLUSTER: "the cluster is still being deleted",
}
IN_KMS = {
    Operation.DISCONNECT_KEY_STORE: "Disconnecting",
    Operation.CONNECT_KEY_STORE: "Connecting",
}
ASK_AFTER = timedelta(hours=1)


def found(shown: Shown) -> Overdue | None:
    case = shown.case
    return overdue(case, case.snapshot, shown.now) if case.snapshot else None


def says(late: Overdue) -> list[Piece]:
    """Since when, what is usual, and that nothing is wrong on Unlatch's side."""
    minutes = count(int(late.usual.total_seconds() // 60), "minute")
    return [
        text(" It began on "),
        date(late.since),
        text(
            f"; usually it takes {minutes}.\nAWS has refused nothing. Unlatch waits, and goes on by "
            "itself when AWS is done. "
        ),
    ]


def checks(shown: Shown, late: Overdue) -> Block:
    """What a person can look at meanwhile."""
    request: list[Piece] = []
    if late.request_id:
        request = [text(" Request id of the call: "), code(ident(late.request_id))]
    lines: list[list[Piece]] = [
        _in_console(shown, late),
        [
            text(
                f"On the AWS Health page: is there trouble with KMS or CloudHSM in {_region(shown)}?"
            )
        ],
        [
            text("If it still says so at "),
            date(late.since + max(ASK_AFTER, 8 * late.usual), TIME),
            text(", ask AWS Support."),
            *request,
        ],
    ]
    return rich(line(bold("What to check")), items("ordered", lines))


def _region(shown: Shown) -> str:
    return ident(shown.case.region)


def _in_console(shown: Shown, late: Overdue) -> list[Piece]:
    state = IN_KMS.get(late.operation)
    if state is None:
        return [
            text("In the CloudHSM console: what does it say of "),
            code(ident(late.cluster_id)),
            text("?"),
        ]
    name = facts.store_name(shown.case) or "of this cluster"
    return [
        text("In the KMS console: does the key store "),
        bold(name),
        text(f" still say {state}?"),
    ]


def told(entry: Entry, _case: Case) -> Told:
    """The line in the thread."""
    operation = operation_of(entry)
    what = STILL.get(operation, "AWS is not done") if operation else "AWS is not done"
    since = moment(entry["since"])
    when = [text(" It began on "), date(since), text(".")] if since else []
    usual = f" Usually it takes {count(int(entry['usual_minutes'] or 0), 'minute')}."
    return "It takes far longer than usual", [
        symbol(WARNING),
        text(f" It takes far longer than usual: {what}."),
        *when,
        text(f"{usual} Unlatch goes on waiting; what to check is in the message."),
    ]
