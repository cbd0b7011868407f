"""Why AWS denied a call, told from its own message, and what helps. Guesses nothing that AWS does not say."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 400
OWN = {"role": "this function", "account": "the hub"}
"""Of what a function calls as itself."""
ENCODED = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
"""EC2 adds some kilobytes that nobody can read without one more permission."""
MARKUP = re.compile(r"[<>`]")
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def words_of(message: str) -> str:
    """AWS's own words in one line: without control marks and mark-up, cut in the middle.

    The cause stands at the end, the call at the beginning.
    """
    plain = MARKUP.sub("", ENCODED.sub("", message))
    shown = (" " if c.isspace() else c for c in plain if c.isspace() or _is_seen(c))
    words = " ".join("".join(shown).split())
    half = LONGEST // 2
    return words if len(words) <= LONGEST else f"{words[:half]}…{words[-half:]}"


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in UNSEEN


def why_denied(message: str) -> str:
    """Who denies it, for the end of a sentence; "" if AWS does not say."""
    for mark, who, _ in CAUSES:
        if mark in message.lower():
            return who
    return ""


def help_for(message: str, call: str, *, role: str, account: str) -> str:
    """The one thing to do about it."""
    words = {"call": call, "role": f"the role {role}", "account": f"account {account}"}
    if role == OWN["role"]:
        words |= {"role": "the role of this function", "account": "the hub’s account"}
    is_explicit = "explicit deny" in message.lower()
    said = [helps for mark, _, helps in CAUSES if mark in message.lower()]
    denied, missing = said[0] if said else (ROLE[1], ROLE[1])
    if call == "sts:AssumeRole" and missing in (ROLE[1], RESOURCE[1]):
        return TRUST.format(**words)
    return (denied if is_explicit else missing).format(**words)


ROLE = (
    "In the policies of {role} in {account}, remove the Deny for {call}.",
    "Give {role} in {account} the permission {call}.",
)
TRUST = (
    "Deploy infra/account.yaml in {account} again: {role} is not there, or does not trust whoever asked "
    "(Unlatch’s own functions; an operator’s role only as OperatorArn)."
)
"""The role named is the one to be taken, not the one that asks."""
RESOURCE = (
    (
        "In the resource’s own policy (of a key: its key policy), remove the Deny for {call}, or exempt "
        "{role} of {account} from it."
    ),
    (
        "Let the resource’s own policy (of a key: its key policy) allow {role} of {account} "
        "the call {call}."
    ),
)
ORGANISATION = (
    (
        "A policy of your organisation denies {call} in {account}. Ask whoever looks after the "
        "organisation to exempt {role}."
    ),
    (
        "No policy of your organisation allows {call} in {account}. Ask whoever looks after the "
        "organisation to allow it for {role}."
    ),
)
BOUNDARY = (
    "In the permissions boundary of {role} in {account}, remove the Deny for {call}.",
    "Let the permissions boundary of {role} in {account} allow {call}.",
)
SESSION = (
    "Unlatch’s own session policy denies {call}. Deploy the newest version.",
    "Unlatch’s own session policy lacks {call}. Deploy the newest version.",
)
ENDPOINT = (
    "The policy of a VPC endpoint denies {call}. Exempt {role} of {account}.",
    ("The policy of a VPC endpoint does not allow {call}. Allow it for {role} of {account}."),
)
CAUSES = (
    ("service control policy", "a policy of the organisation", ORGANISATION),
    ("resource control policy", "a policy of the organisation", ORGANISATION),
    ("permissions boundary", "the role’s permissions boundary", BOUNDARY),
    ("session policy", "the session policy", SESSION),
    ("vpc endpoint policy", "the policy of a VPC endpoint", ENDPOINT),
    ("resource-based policy", "the policy of the resource itself", RESOURCE),
    ("identity-based policy", "the role’s own policies", ROLE),
)
"""Marks in AWS's messages (IAM user guide, “Troubleshoot access denied error messages”), in the order
in which they are looked for: who denies it, and the help for an explicit deny and for a missing right."""
