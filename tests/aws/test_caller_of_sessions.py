"""Who a session is: a name that Identity Center vouches for, or one that anybody may have chosen."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.cloudtrail import caller_from
from chalicelib.domain.approval import is_mapped
from chalicelib.domain.policy import Policy

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
    assert caller.is_person is vouched, why
    assert is_mapped(caller, Policy()) is vouched
    assert caller.session_name == "alice@example.com", "it bars alice all the same"
    assert caller.name == ("alice@example.com" if vouched else f"role {NAME}")
