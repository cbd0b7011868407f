"""What somebody is told who may not decide, or too late: a sentence that only they see."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.answers import filled_in
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.clicks import NotPossible, Obstacle
from chalicelib.domain.rules.endings import NO_SUCH
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.slack.messages.blocks import section
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.text import (
    GROUP,
    Message,
    approvers,
    clean,
    ident,
    marked,
    upper_first,
)

VERBS = {"cancel": "cancel", "refresh": "do", "reject": "close", "undo": "undo"}
"""What a button that approves nothing would have done."""
REFUSALS = {
    Refusal.EXTERNAL: "You can’t decide here: your account belongs to another company. "
    "Nothing was changed. Ask your contact in this channel.",
    Refusal.GUEST: "You can’t decide here: guest accounts can’t approve. Nothing was changed. "
    "{approvers} can.",
    Refusal.BOT: "Apps and bots can’t decide here. Nothing was changed. {approvers} can.",
    Refusal.GONE: "This account is deactivated, so nothing was counted. {approvers} can decide.",
    Refusal.REQUESTER: "You can’t {verb} this: you made the delete that failed, so somebody else "
    "has to agree. Nothing was changed. {approvers} can.",
    Refusal.NOT_AN_APPROVER: "You can’t {verb} this: you are not {among}. "
    "Nothing was changed. {anybody} can decide; you can write in the thread.",
    Refusal.NO_APPROVERS: "Nobody can approve: the list of approvers is empty. "
    "Nothing was changed. Whoever runs Unlatch can set APPROVERS.",
    Refusal.REFUSED: "Slack refuses to tell Unlatch who you are, so nothing was counted. "
    "Nothing was changed. Whoever runs Unlatch can find out why with `unlatch doctor`.",
    Refusal.CROWDED: "Nobody can {verb} this: more callers made the delete that failed than "
    "Unlatch can tell apart from you. Nothing was changed. Close this case and start a new one.",
    Refusal.UNKNOWN: "Slack could not say who may approve, so nothing was counted. "
    "Nothing was changed. Please click again in a minute.",
}


def sentence(
    refusal: Refusal, *, policy: Policy, action: str = "", unread: Sequence[str] = ()
) -> str:
    """What did not happen and who can help, as mrkdwn with mentions.

    `action`: what was pressed. `unread`: groups that Slack did not tell the members of.
    """
    are_groups = all(GROUP.fullmatch(name) for name in policy.approvers)
    within, anybody = ("in", "Anybody there") if are_groups else ("one of", "Any of them")
    names = approvers(policy.approvers)
    words = REFUSALS[refusal].format(
        verb=VERBS.get(action, "approve"),
        among=f"{within} {names}",
        anybody=anybody,
        approvers=names,
    )
    words = upper_first(words)
    if not unread:
        return words
    return f"{words} Slack did not say who is in {approvers(unread)}, so nobody counts by it."


OBSTACLES = {
    Obstacle.ON_HOLD: "This case is on hold: its record can’t be trusted, so nobody can decide "
    "here. Nothing was changed. An operator has to look; the message has the steps.",
    Obstacle.TOO_MANY_CLICKS: "This case has had too many clicks. Close or cancel it, and start a "
    "new one.",
    Obstacle.BEGUN_NO_WITHDRAWAL: "The plan has begun, so approvals can’t be taken back. "
    "Press Cancel instead.",
    Obstacle.BEGUN_NO_REJECT: "The plan has begun, so closing would leave it half done. "
    "Press Cancel instead.",
    Obstacle.DECIDED_BY_YOU: "You decided this already, and it is under way. It counts once.",
    Obstacle.DECIDED: "{who} decided this just before you. Your click changed nothing. "
    "The message shows how it stands.",
    Obstacle.ENDED: "{who} ended this just before you. Your click changed nothing.",
    Obstacle.NOT_OFFERED: "{what} is not possible now. The message says why.",
    Obstacle.NOTHING_TO_UNDO: "There is nothing to undo: Unlatch has changed nothing.",
    Obstacle.ASKED_ALREADY: "{who} asked for this already. It is under way.",
    Obstacle.EXPIRED: "This case closed on {when}. Your click changed nothing. "
    "Write `/unlatch {cluster}` to start again.",
    Obstacle.CLOSED_BY: "{who} closed this on {when}. Your click changed nothing.",
    Obstacle.OVER: "This case is over ({outcome}, {when}). Your click changed nothing.",
}


def why_not(found: NotPossible, case: Case) -> str:
    """What somebody is told who clicks on something that the case as it stands does not allow."""
    return filled_in(OBSTACLES[found.obstacle], found, case, by=f"<@{found.by}>")


def no_such_cluster(case: Case, names: Names) -> str:
    """To who asked by hand; the place may be the wrong one."""
    place = f"`{ident(case.cluster_id)}` in {names.there(case)}"
    found = f"There is no {place}. No case was started."
    if case.reason != NO_SUCH.reason:
        found = f"{place}: {clean(case.reason)} Its case is closed."
    return (
        f"{found} "
        f"For another account or Region write `/unlatch {ident(case.cluster_id)} "
        "111122223333/eu-west-1`."
    )


def private(text: str) -> Message:
    """A private answer. People, groups, dates and code stay mark-up; anything else is literal."""
    words = marked(text.strip() or "Nothing was changed.")
    return Message(words, (section(words),))
