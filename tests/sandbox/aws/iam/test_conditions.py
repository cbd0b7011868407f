"""Each operator holds if AWS's would, also if the request does not have the key."""

from typing import Any

import pytest

from sandbox.aws.iam.conditions import UnknownElementError, conditions_of, is_arn_like

ORIGIN, WINDOW, CASE = "kms:KeyOrigin", "kms:ScheduleKeyDeletionPendingWindowInDays", "case"
ROLE = "arn:aws:iam::111122223333:role/unlatch-dev-turn"


def holds(operator: str, key: str, wanted: Any, told: Any = None) -> bool:
    context = {} if told is None else {key.lower(): told}
    return all(each.holds(context) for each in conditions_of({operator: {key: wanted}}))


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "told", "expected"),
    [
        ("StringEquals", ORIGIN, "AWS_CLOUDHSM", "AWS_CLOUDHSM", True),
        ("StringEquals", ORIGIN, "AWS_CLOUDHSM", "aws_cloudhsm", False),
        ("StringEquals", ORIGIN, ["AWS_KMS", "AWS_CLOUDHSM"], "AWS_CLOUDHSM", True),
        ("StringEquals", ORIGIN, "AWS_*", "AWS_KMS", False),
        ("StringEquals", ORIGIN, "AWS_CLOUDHSM", None, False),
        ("StringEqualsIfExists", ORIGIN, "AWS_CLOUDHSM", None, True),
        ("StringEqualsIgnoreCase", ORIGIN, "aws_cloudhsm", "AWS_CLOUDHSM", True),
        ("StringNotEquals", ORIGIN, ["AWS_KMS", "EXTERNAL"], "EXTERNAL", False),
        ("StringNotEquals", ORIGIN, "AWS_KMS", None, True),
        ("StringLike", ORIGIN, "AWS_?MS", "AWS_KMS", True),
        ("StringLike", ORIGIN, "AWS", "AWS_KMS", False),
        ("StringNotLike", ORIGIN, "AWS_*", "AWS_KMS", False),
        ("NumericGreaterThanEquals", WINDOW, "7", "7", True),
        ("NumericGreaterThanEquals", WINDOW, "10", "9", False),
        ("NumericGreaterThanEquals", WINDOW, 7, None, False),
        ("NumericLessThan", WINDOW, "10", "9", True),
        ("NumericNotEquals", WINDOW, "7", None, True),
        ("Null", "sts:SourceIdentity", "false", "alice", True),
        ("Null", "sts:SourceIdentity", "false", None, False),
        ("Null", "sts:SourceIdentity", True, None, True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/unlatch-*", ROLE, True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::1*", ROLE, False),
        ("ArnNotLike", "aws:PrincipalArn", "arn:*:iam::*:role/unlatch-dev-turn", ROLE, False),
        ("ArnNotEquals", "aws:PrincipalArn", ROLE, None, True),
        ("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/u-*", ("alias/a", "alias/u-1"), True),
        ("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/u-*", ("alias/a",), False),
        ("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/u-*", None, False),
        ("ForAllValues:StringLike", "kms:ResourceAliases", "alias/u-*", ("alias/a", "alias/u"), False),
        ("ForAllValues:StringLike", "kms:ResourceAliases", "alias/u-*", None, True),
    ],
)  # fmt: skip
def test_an_operator_holds_as_in_aws(
    operator: str, key: Any, wanted: Any, told: Any, expected: bool
) -> None:
    assert holds(operator, key, wanted, told) is expected


def test_all_conditions_of_a_statement_must_hold() -> None:
    both = conditions_of(
        {"StringEquals": {ORIGIN: "AWS_KMS"}, "Null": {"aws:RequestTag/case": "false"}}
    )
    assert [each.holds({"kms:keyorigin": "AWS_KMS"}) for each in both] == [True, False]


def test_what_cloudformation_left_out_is_no_condition() -> None:
    assert conditions_of({"StringEquals": None, "StringLike": {ORIGIN: None}}) == ()
    (condition,) = conditions_of({"StringLike": {ORIGIN: ["AWS_KMS", None]}})
    assert condition.wanted == ("AWS_KMS",)


@pytest.mark.parametrize(
    "block",
    [
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {ORIGIN: "${aws:PrincipalTag/origin}"}},
        {"ForSomeValues:StringEquals": {ORIGIN: "AWS_KMS"}},
    ],
)
def test_what_cant_be_judged_is_refused(block: dict[str, Any]) -> None:
    with pytest.raises(UnknownElementError):
        conditions_of(block)


def test_a_key_with_several_values_needs_a_set_operator() -> None:
    with pytest.raises(UnknownElementError):
        holds("StringLike", "kms:ResourceAliases", "alias/u-*", ("alias/u-1",))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", True),
        ("arn:*:iam::*:role/unlatch-*", True),
        ("arn:aws:iam::111122223333:role/unlatch-dev-turn", True),
        ("arn:aws:iam::1111*", False),
        ("arn:aws:iam:*:role/unlatch-dev-turn", False),
        ("arn:aws:iam::444455556666:role/*", False),
        ("arn:aws:iam::111122223333:role/unlatch-dev-tur", False),
    ],
)
def test_a_wildcard_stays_within_its_segment_of_an_arn(pattern: str, expected: bool) -> None:
    assert is_arn_like(ROLE, pattern) is expected
