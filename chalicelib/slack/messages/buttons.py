"""Every button: label, question, and what a screen reader says. Shows only what may be asked for."""

from __future__ import annotations

from chalicelib.domain.recovery import can_restore, reconnects, returning_keys
from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.slack.messages import goback
from chalicelib.slack.messages.blocks import button, confirm
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, count

REVIEW = "Review and approve…"
SPOKEN = {
    Remedy.KEEP: "Keep {cluster} as it is and be reminded later",
    Remedy.RESCUE: "Rescue the keys of {cluster}",
    Remedy.PARK: "Park {cluster}: stop its cost and keep its keys",
    Remedy.REPOINT: "Move the keys of {cluster} to another cluster",
    Remedy.RELEASE: "Review before deleting the key store of {cluster}",
    Remedy.RETIRE: "Review before retiring {cluster}",
}


STYLES = {Remedy.RELEASE: "danger", Remedy.RETIRE: "danger", Remedy.RESCUE: "primary"}
"""Red leads to what is final; green brings something back."""


def may(case: Case, act: Act, remedy: Remedy | None = None) -> bool:
    return not_possible(case, act, remedy) is None


def may_choose(case: Case, remedy: Remedy) -> bool:
    return may(case, Act.KEEP if remedy is Remedy.KEEP else Act.APPROVE, remedy)


def choose(shown: Shown, remedy: Remedy, label: str = "") -> Block:
    """Opens the dialog of a remedy; red only if it leads to something final."""
    return button(
        label or f"{remedy.capitalize()}…",
        remedy.value,
        value=shown.value,
        spoken=SPOKEN[remedy].format(cluster=shown.cluster),
        style=STYLES.get(remedy, ""),
    )


def foot(shown: Shown, *, is_offered_above: bool = False) -> list[Block]:
    """What ends every message that waits for people, unless Try again stands further up."""
    back = go_back(shown) if shown.case.has_begun else _close(shown)
    return [*([] if is_offered_above else check_again(shown)), *back]


def take_back(shown: Shown) -> list[Block]:
    """While approvals are missing: those who gave one may take it back."""
    if not may(shown.case, Act.WITHDRAW):
        return []
    spoken = f"Take back your own approval for {shown.cluster}"
    return [button("Take back my approval", "withdraw", value=shown.value, spoken=spoken)]


def check_again(shown: Shown) -> list[Block]:
    if not may(shown.case, Act.REFRESH):
        return []
    spoken = f"Read AWS again about {shown.cluster}"
    return [button("Check again", "refresh", value=shown.value, spoken=spoken)]


def _close(shown: Shown) -> list[Block]:
    if not may(shown.case, Act.REJECT) or shown.case.is_down:
        return []
    question = confirm(
        "Close this case?",
        "Nothing in AWS is changed. The next failed delete of this cluster opens a new case.",
        yes="Close it",
        no="Go back",
    )
    spoken = f"Close the case of {shown.cluster} and change nothing in AWS"
    label = "Close the case"
    return [button(label, "reject", value=shown.value, spoken=spoken, confirm=question)]


def try_again(shown: Shown, *, green: bool = True) -> list[Block]:
    if not may(shown.case, Act.REFRESH):
        return []
    spoken = f"Try again to go on with {shown.cluster}"
    style = "primary" if green else ""
    return [button("Try again", "refresh", value=shown.value, spoken=spoken, style=style)]


def go_back(shown: Shown, *, green: bool = False) -> list[Block]:
    """Cancel, under the label that says what will be true afterwards; none if it is too late."""
    case, plan = shown.case, shown.case.current_plan
    if not may(case, Act.CANCEL):
        return []
    if plan and case.tried(Operation.DELETE_CLUSTER, plan.cluster_id):
        return []
    if case.has_begun and not case.plan and not case.is_closed and not can_restore(shown.situation):
        return []
    label, yes = _labels(shown)
    words = goback.what_returns(case, shown.policy)
    no = "Go back" if case.is_closed or not case.plan else "Let it go on"
    return [
        button(
            label,
            "cancel",
            value=shown.value,
            spoken=_spoken(shown, label),
            style="primary" if green else "",
            confirm=confirm(f"{label}?", words, yes=yes, no=no),
        )
    ]


def _labels(shown: Shown) -> tuple[str, str]:
    """The label, and the yes of the question behind it."""
    case = shown.case
    if returning_keys(case):
        return "Cancel the deletion", "Cancel the deletion"
    if case.is_closed and not can_restore(shown.situation):
        return "Leave it here", "Close it"
    if case.is_closed:
        return "Put it back", "Put it back"
    if goback.removes(case):
        return "Stop here", "Stop and remove"
    return "Stop here", "Stop and reconnect" if reconnects(case) else "Stop here"


def _spoken(shown: Shown, label: str) -> str:
    """What the button does, for who hears it alone."""
    back = len(returning_keys(shown.case))
    if back:
        return f"Cancel the key deletion and bring back {count(back, 'key')} of {shown.cluster}"
    if goback.removes(shown.case) and not shown.case.is_closed:
        return f"Stop the rescue of {shown.cluster} and remove what it made"
    return f"{label}: {shown.cluster}"


def undo(shown: Shown, *, label: str, title: str, words: str, no: str) -> list[Block]:
    if not may(shown.case, Act.UNDO):
        return []
    return [
        button(
            label,
            "undo",
            value=shown.value,
            spoken=f"{label}: {shown.cluster}",
            confirm=confirm(title, words, yes=label, no=no),
        )
    ]
