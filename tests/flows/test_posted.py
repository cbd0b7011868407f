"""What `unlatch` posts, read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.failures import RequestError
from chalicelib.flows.signed import case_to_cancel, plan_to_confirm
from chalicelib.ports import SignedCancel, SignedPlan

HASH = "ab" * 32
HEADERS = {"Authorization": "AWS4-HMAC-SHA256 …", "X-Unlatch-Case": "case-1"}
SIGNED = {"case_id": "case-1", "url": "https://sts/", "body": "Action=G", "headers": HEADERS}
NO_PLAN = "What was posted names no case and plan."
NO_LINE = "A header of the signed request is no single line."
NO_REQUEST = "What was posted is no signed request of `unlatch`."


def posted(**fields: Any) -> bytes:
    return json.dumps({**SIGNED, **fields}).encode()


def test_a_plan_to_confirm() -> None:
    assert plan_to_confirm(posted(plan_hash=HASH)) == SignedPlan(
        "case-1", "https://sts/", "Action=G", HEADERS, HASH
    )


def test_a_case_to_cancel() -> None:
    assert case_to_cancel(posted(reason="the wrong cluster")) == SignedCancel(
        "case-1", "https://sts/", "Action=G", HEADERS, "the wrong cluster"
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"plan_hash": None}, NO_PLAN),
        ({"plan_hash": HASH[1:]}, NO_PLAN),
        ({"plan_hash": HASH.upper()}, NO_PLAN),
        ({"plan_hash": HASH, "case_id": "case 1"}, NO_PLAN),
        ({"plan_hash": HASH, "case_id": "c" * 101}, NO_PLAN),
        ({"plan_hash": HASH, "url": 1}, NO_REQUEST),
        ({"plan_hash": HASH, "headers": []}, NO_REQUEST),
        ({"plan_hash": HASH, "headers": {"a": 1}}, NO_LINE),
        (
            {"plan_hash": HASH, "headers": {"a": "1\n2"}},
            NO_LINE,
        ),
    ],
)
def test_a_plan_that_can_not_be_read(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(RequestError) as refused:
        plan_to_confirm(posted(**fields))
    assert (refused.value.status, refused.value.reason) == (400, why)


@pytest.mark.parametrize("reason", [None, "", "   ", "r" * 1_001])
def test_a_cancel_needs_a_reason(reason: Any) -> None:
    with pytest.raises(RequestError) as refused:
        case_to_cancel(posted(reason=reason))
    words = "A reason is needed, of at most 1000 characters."
    assert (refused.value.status, refused.value.reason) == (400, words)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"x" * 20_001])
def test_what_is_no_request(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        plan_to_confirm(body)
    assert refused.value.status == 400
