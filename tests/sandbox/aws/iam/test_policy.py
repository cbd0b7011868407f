"""Deny wins, every kind of policy must allow, and what a document says is taken as AWS takes it."""

from typing import Any

import pytest

from sandbox.aws.iam.conditions import UnknownElementError
from sandbox.aws.iam.policy import Ask, Policy, Principal, judged, policy_of

HUB = "111122223333"
ROLE = f"arn:aws:iam::{HUB}:role/unlatch-dev-turn"
KEY = f"arn:aws:kms:us-east-1:{HUB}:key/1"
WHO = Principal(arn=ROLE, session="arn:aws:sts::111122223333:assumed-role/x/y", account=HUB)
ASK = Ask("kms:DescribeKey", KEY, {})


def policy(
    effect: str = "Allow", action: str = "kms:*", resource: str = "*", **more: Any
) -> Policy:
    return policy_of(
        {"Statement": {"Effect": effect, "Action": action, "Resource": resource, **more}}
    )


ALLOW, DENY, NOTHING = policy(), policy("Deny"), ()
ROOT = policy(Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
STRANGER = policy(Principal={"AWS": "arn:aws:iam::444455556666:root"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"identity": ALLOW}, ""),
        ({"identity": NOTHING}, "because no identity-based policy allows the kms:DescribeKey action"),
        ({"identity": ALLOW + DENY}, "with an explicit deny in an identity-based policy"),
        ({"identity": ALLOW, "session": ALLOW}, ""),
        ({"identity": ALLOW, "session": policy(action="kms:ListKeys")}, "because no session policy allows the kms:DescribeKey action"),
        ({"identity": ALLOW, "session": DENY}, "with an explicit deny in a session policy"),
        ({"identity": NOTHING, "session": ALLOW}, "because no identity-based policy allows the kms:DescribeKey action"),
        ({"identity": ALLOW, "guardrails": DENY}, "with an explicit deny in a service control policy"),
        ({"identity": ALLOW, "on_resource": ROOT}, ""),
        ({"identity": NOTHING, "on_resource": ROOT}, "because no identity-based policy allows the kms:DescribeKey action"),
        ({"identity": ALLOW, "on_resource": STRANGER}, "because no resource-based policy allows the kms:DescribeKey action"),
        ({"identity": ALLOW, "on_resource": ROOT + policy("Deny", Principal="*")}, "with an explicit deny in a resource-based policy"),
        ({"identity": None}, ""),
    ],
)  # fmt: skip
def test_the_verdict(given: dict[str, Any], why: str) -> None:
    verdict = judged(ASK, WHO, **given)
    assert verdict.why == why
    assert verdict.allowed is (why == "" and given["identity"] is not None)


@pytest.mark.parametrize(
    ("statement", "speaks"),
    [
        ({"Action": "kms:describekey"}, True),
        ({"Action": ["kms:List*", "kms:Describe?ey"]}, True),
        ({"Action": "kms:Describe"}, False),
        ({"NotAction": "kms:DescribeKey"}, False),
        ({"NotAction": "iam:*"}, True),
        ({"Resource": f"arn:aws:kms:*:{HUB}:key/*"}, True),
        ({"Resource": "arn:aws:kms:*:444455556666:key/*"}, False),
        ({"NotResource": f"arn:aws:kms:*:{HUB}:key/*"}, False),
        ({"Condition": {"StringEquals": {"kms:KeyOrigin": "AWS_CLOUDHSM"}}}, False),
    ],
)
def test_what_a_statement_speaks_of(statement: dict[str, Any], speaks: bool) -> None:
    action = {} if "NotAction" in statement else {"Action": "kms:*"}
    resource = {} if "NotResource" in statement else {"Resource": "*"}
    (read,) = policy_of({"Statement": [{"Effect": "Allow", **action, **resource, **statement}]})
    assert read.speaks_of(ASK) is speaks


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", True),
        ({"AWS": ROLE}, True),
        ({"AWS": [f"arn:aws:iam::{HUB}:root"]}, True),
        ({"AWS": HUB}, True),
        ({"AWS": "arn:aws:iam::444455556666:root"}, False),
        ({"Service": "states.amazonaws.com"}, False),
    ],
)
def test_whom_a_statement_names(principal: dict[str, Any] | str, named: bool) -> None:
    (read,) = policy(Principal=principal)
    assert read.names(WHO) is named


def test_a_service_is_named_as_itself_alone() -> None:
    (read,) = policy(Principal={"Service": "states.amazonaws.com"})
    assert read.names(Principal(service="states.amazonaws.com"))
    assert not read.names(Principal(service="lambda.amazonaws.com"))


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": "*"},
        {"Effect": "Permit", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"Federated": "x"}},
        {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Like": {"kms:KeyOrigin": "x"}}},
    ],
)  # fmt: skip
def test_what_cant_be_judged_is_refused(statement: dict[str, Any]) -> None:
    with pytest.raises(UnknownElementError):
        policy_of({"Statement": [statement]})
