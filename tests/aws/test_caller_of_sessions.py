"""Who a session is: a name that Identity Center vouches for, or one that anybody may have chosen."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.cloudtrail import caller_from
from chalicelib.domain.rules.approval import is_mapped
from chalicelib.domain.rules.policy import Policy

ACCOUNT = "111122223333"
NAME = "AWSReservedSSO_Admin_0123456789abcdef"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/{NAME}/alice@example.com"
REAL = "aws-reserved/sso.amazonaws.com/"
ISSUERS: list[tuple[str, Any, bool]] = [
    ("Identity Center’s own path", {"arn": f"arn:aws:iam::{ACCOUNT}:role/{REAL}{NAME}"}, True),
    ("with the Region of Identity Center", {"arn": f"arn:aws:iam::{ACCOUNT}:role/{REAL}eu-west-1/{NAME}"}, True),
    ("a role that is merely called so", {"arn": f"arn:aws:iam::{ACCOUNT}:role/{NAME}"}, False),
    ("a role that is called so, in a path of one’s own", {"arn": f"arn:aws:iam::{ACCOUNT}:role/x/{REAL}{NAME}"}, False),
    ("the record does not say", {}, True),
    ("the record says something else", "x", True),
]  # fmt: skip


@pytest.mark.parametrize(("why", "issuer", "vouched"), ISSUERS, ids=[i[0] for i in ISSUERS])
def test_a_role_called_like_identity_center_s_vouches_for_nobody(
    why: str, issuer: Any, vouched: bool
) -> None:
    identity = {"type": "AssumedRole", "arn": ARN, "sessionContext": {"sessionIssuer": issuer}}
    caller = caller_from({"userIdentity": identity})
    assert (caller.is_person, caller.email) == (vouched, "alice@example.com" if vouched else ""), (
        why
    )
    assert is_mapped(caller, Policy()) is vouched
    assert caller.session_name == "alice@example.com", "it bars alice all the same"
    assert caller.name == ("alice@example.com" if vouched else f"role {NAME}")


def session(kind: str, **context: Any) -> dict[str, Any]:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-7"
    if kind == "FederatedUser":
        arn = f"arn:aws:sts::{ACCOUNT}:federated-user/nightly"
    return {"userIdentity": {"type": kind, "arn": arn, "sessionContext": context}}


ROLE = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/deploy"}
USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/team/bob"}
SIGNED_IN = {
    "federatedProvider": "accounts.google.com",
    "attributes": {
        "accounts.google.com:aud": "client-7",
        "accounts.google.com:email": "alice@example.com",
        "accounts.google.com:sub": "1087",
    },
}
BEHIND: list[tuple[str, dict[str, Any], tuple[str, ...], str]] = [
    ("a role", session("AssumedRole", sessionIssuer=ROLE), (), "role deploy"),
    ("a source identity", session("AssumedRole", sessionIssuer=ROLE, sourceIdentity="alice@example.com"), ("alice@example.com",), "role deploy (for alice@example.com)"),
    ("the session's own name", session("AssumedRole", sourceIdentity="run-7"), (), "role deploy"),
    ("a federated user", session("FederatedUser", sessionIssuer=USER), ("bob",), "nightly (for bob)"),
    ("who signed in", session("AssumedRole", webIdFederationData=SIGNED_IN), ("alice@example.com", "1087"), "role deploy (for alice@example.com, 1087)"),
    ("who signed in, at a provider with a port", session("AssumedRole", webIdFederationData={"attributes": {"idp.example.com:8443:sub": "1087"}}), ("1087",), "role deploy (for 1087)"),
    ("odd values", session("AssumedRole", sourceIdentity=None, webIdFederationData={"attributes": {"x:sub": 7}}), (), "role deploy"),
    ("no context", {"userIdentity": {"userName": "alice", "sessionContext": "x"}}, (), "alice"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "record", "behind", "words"), BEHIND, ids=[b[0] for b in BEHIND])
def test_who_stands_behind_a_session_is_known_and_shown(
    why: str, record: dict[str, Any], behind: tuple[str, ...], words: str
) -> None:
    caller = caller_from(record)
    assert (caller.behind, caller.words) == (behind, words), why
    assert not caller.is_person, "names that the caller may choose vouch for nobody"


def test_the_issuer_of_a_federated_user_is_kept_whole() -> None:
    assert caller_from(session("FederatedUser", sessionIssuer=USER)).issuer_arn == USER["arn"]
    assert not caller_from(session("AssumedRole", sessionIssuer=ROLE)).issuer_arn
