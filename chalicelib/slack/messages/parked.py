"""A parked cluster: nothing is lost, the keys fail until it is undone."""

from __future__ import annotations

from chalicelib.slack.messages import buttons, facts, goback, parts
from chalicelib.slack.messages.blocks import CHECK_MARK, Piece, actions, bold, header, says, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Message, count, the


def message(shown: Shown) -> Message:
    case = shown.case
    row = buttons.undo(
        shown,
        label="Undo",
        title="Undo parking?",
        words=goback.what_returns(case, shown.policy),
        no="Leave it parked",
    )
    return Message(
        f"Parked: {shown.cluster} costs no HSM hours now. {_keys(shown)}",
        (
            header(f"Parked: {shown.cluster} costs no HSM hours now", CHECK_MARK),
            says(*_state(shown), text(" "), bold(_keys(shown)), *_kept(shown)),
            *actions(f"act:{shown.version}", row),
            parts.decided(case),
        ),
    )


def _state(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    number = len(plan.basis.zones) if plan else 0
    hsms = {0: "no HSM runs", 1: "its HSM is deleted", 2: "both HSMs are deleted"}.get(
        number, f"all {count(number, 'HSM')} are deleted"
    )
    if shown.case.store is None:
        return [text(f"In the cluster {hsms}; no key store uses it.")]
    return [*parts.store_pieces(shown.case), text(f" is disconnected and {hsms}.")]


def _keys(shown: Shown) -> str:
    number = len(facts.keys(shown.case))
    if not number:
        return "No KMS key is affected."
    return f"Its {count(number, 'key')} {'fails' if number == 1 else 'fail'} until somebody presses Undo."


def _kept(shown: Shown) -> list[Piece]:
    number = len(facts.keys(shown.case))
    kept = [the(number, "key"), "the store"] if shown.case.store and number else []
    if shown.case.store and not number:
        kept = ["the store"]
    words = " and ".join([", ".join(kept), "the cluster"]) if kept else "the cluster"
    verb = "are still there" if kept else "is still there"
    return [
        text(f"\n{words[:1].upper()}{words[1:]} {verb}."),
        *parts.read_again(shown.case),
    ]
