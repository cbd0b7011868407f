"""botocore's errors in the two words of the house."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.aws.errors import BUSY, DENIED, MOVED, translated
from chalicelib.ports import GiveUp, TryLater

CALL = "kms:DeleteCustomKeyStore"


def raised(code: str, *, status: int = 400) -> Exception:
    metadata = {"HTTPStatusCode": status, "RequestId": "request-7"}
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "X")
    return word_for(error)


def word_for(error: Exception) -> Exception:
    trouble = pytest.raises((TryLater, GiveUp))
    with trouble as caught, translated(CALL, role="unlatch-executor", account="111122223333"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("code", sorted(DENIED))
def test_a_denial_names_what_to_allow(code: str) -> None:
    word = raised(code, status=403)
    assert isinstance(word, GiveUp)
    assert word.reason == f"AWS refused {CALL}: access denied."
    assert "unlatch-executor in account 111122223333" in word.advice[0]
    assert word.request_id == "request-7"


@pytest.mark.parametrize("code", sorted(BUSY | MOVED | {"SomethingThrottled"}))
def test_busy_and_moved_are_tried_again_and_did_not_land(code: str) -> None:
    word = raised(code)
    assert isinstance(word, TryLater)
    assert not word.unknown


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_may_have_landed(status: int) -> None:
    word = raised("InternalFailure", status=status)
    assert isinstance(word, TryLater)
    assert word.unknown


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")],
    ids=["no connection", "no answer"],
)
def test_no_answer_may_have_landed(error: Exception) -> None:
    word = word_for(error)
    assert isinstance(word, TryLater)
    assert word.unknown
    assert word.reason == f"AWS did not answer {CALL}"


def test_anything_else_needs_a_person() -> None:
    word = raised("ValidationException")
    assert isinstance(word, GiveUp)
    assert word.reason == f"AWS refused {CALL}: ValidationException."
    assert word.advice


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated(CALL, role="r", account="a"):
        raise ZeroDivisionError
