"""What somebody is told who may not decide, or too late: a sentence that only they see."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.policy import Policy
from chalicelib.slack.messages.blocks import section
from chalicelib.slack.messages.text import GROUP, Message, approvers, marked, upper_first

VERBS = {"cancel": "cancel", "refresh": "do", "reject": "close", "undo": "undo"}
"""What a button that approves nothing would have done."""


def sentence(
    refusal: Refusal, *, policy: Policy, action: str = "", unread: Sequence[str] = ()
) -> str:
    """What did not happen and who can help, as mrkdwn with mentions.

    `action`: what was pressed. `unread`: groups that Slack did not tell the members of.
    """
    words = refusal.value.replace("approve this", f"{VERBS.get(action, 'approve')} this")
    if any(not GROUP.fullmatch(name) for name in policy.approvers):
        words = words.replace("not in {approvers}", "not one of {approvers}")
        words = words.replace("Anybody there", "Any of them")
    words = upper_first(words.replace("{approvers}", approvers(policy.approvers)))
    if not unread:
        return words
    return f"{words} Slack did not say who is in {approvers(unread)}, so nobody counts by it."


def private(text: str) -> Message:
    """A private answer. People, groups, dates and code stay mark-up; anything else is literal."""
    words = marked(text.strip() or "Nothing was changed.")
    return Message(words, (section(words),))
