"""botocore's errors as temporary or permanent ones."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.aws.denials import OWN, help_for
from chalicelib.aws.errors import BUSY, DENIED, MOVED, translated, understood
from chalicelib.failures import Code, PermanentError, TemporaryError

CALL = "kms:DeleteCustomKeyStore"


def raised(code: str, *, status: int = 400) -> TemporaryError | PermanentError:
    metadata = {"HTTPStatusCode": status, "RequestId": "request-7"}
    reply: Any = {"Error": {"Code": code}, "ResponseMetadata": metadata}
    return word_for(ClientError(reply, "X"))


def word_for(error: Exception) -> TemporaryError | PermanentError:
    trouble = pytest.raises((TemporaryError, PermanentError))
    with trouble as caught, translated(CALL, role="unlatch-executor", account="111122223333"):
        raise error
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, TemporaryError | PermanentError)
    return caught.value


@pytest.mark.parametrize("code", sorted(DENIED))
def test_a_denial_names_what_to_allow(code: str) -> None:
    word = raised(code, status=403)
    assert isinstance(word, PermanentError)
    assert word.reason == f"AWS refused {CALL}: access denied."
    assert "unlatch-executor in account 111122223333" in word.advice[0]
    assert word.request_id == "request-7"
    assert word.code is Code.DENIED


USER = "User: arn:aws:sts::111122223333:assumed-role/unlatch-executor/case-1 is not authorized to "
CALLED = f"{USER}perform: {CALL} on resource: * "


def denied(message: str) -> PermanentError:
    said = {"Code": "AccessDeniedException", "Message": message}
    metadata = {"HTTPStatusCode": 400, "RequestId": "request-7"}
    reply: Any = {"Error": said, "ResponseMetadata": metadata}
    word = word_for(ClientError(reply, "X"))
    assert isinstance(word, PermanentError)
    return word


@pytest.mark.parametrize(
    ("end", "who", "helps"),
    [
        (
            f"because no identity-based policy allows the {CALL} action",
            "the role’s own policies",
            "Give the role",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "the role’s own policies",
            "remove the Deny",
        ),
        (
            f"because no resource-based policy allows the {CALL} action",
            "the resource itself",
            "its key policy) allow",
        ),
        (
            "with an explicit deny in a resource-based policy",
            "the resource itself",
            "exempt the role unlatch-executor",
        ),
        ("with an explicit deny in a service control policy", "the organisation", "denies kms:"),
        (
            "because no service control policy allows it",
            "the organisation",
            "No policy of your organisation",
        ),
        (
            "with an explicit deny in a resource control policy",
            "the organisation",
            "of your organisation denies",
        ),
        (
            "because no permissions boundary allows it",
            "permissions boundary",
            "Let the permissions boundary",
        ),
        ("because no session policy allows it", "the session policy", "Deploy the newest version"),
        (
            "with an explicit deny in a VPC endpoint policy",
            "a VPC endpoint",
            "The policy of a VPC endpoint denies",
        ),
    ],
)
def test_the_advice_fits_what_denies_it(end: str, who: str, helps: str) -> None:
    word = denied(CALLED + end)
    assert word.reason.startswith(f"AWS refused {CALL}: access denied by ")
    assert who in word.reason
    assert helps in word.advice[0]
    assert word.said == f"AccessDeniedException: {CALLED}{end}"


def test_of_a_function_s_own_call_it_names_the_function() -> None:
    message = CALLED + "with an explicit deny in an identity-based policy"
    said = help_for(message, "dynamodb:Query", **OWN)
    where = "the policies of the role of this function in the hub’s account"
    assert said == f"In {where}, remove the Deny for dynamodb:Query."


@pytest.mark.parametrize(
    "end",
    [
        "",
        "because no identity-based policy allows the sts:AssumeRole action",
        "because no resource-based policy allows the sts:AssumeRole action",
    ],
)
def test_a_role_that_can_not_be_taken_needs_its_stack_and_not_a_right_of_its_own(end: str) -> None:
    said = help_for(CALLED + end, "sts:AssumeRole", role="unlatch-reader", account="1")
    assert said.startswith("Deploy infra/account.yaml in account 1 again: the role unlatch-reader")
    organisation = "because no service control policy allows it"
    said = help_for(organisation, "sts:AssumeRole", role="unlatch-reader", account="1")
    assert said.startswith("No policy of your organisation")


def test_aws_own_words_are_cleaned_and_cut_in_the_middle() -> None:
    assert (
        denied("<!channel> \x1b[1mNo\u202e\n `x`").said == "AccessDeniedException: !channel [1mNo x"
    )
    assert denied("No. Encoded authorization failure message: AbC" + "d" * 5000).said.endswith(
        "No."
    )
    said = denied("a" * 5000 + " with an explicit deny in a service control policy").said
    assert len(said) <= 401
    assert said.endswith("with an explicit deny in a service control policy")
    assert denied("").said == "AccessDeniedException"


@pytest.mark.parametrize("code", sorted(BUSY | MOVED | {"SomethingThrottled"}))
def test_busy_and_moved_are_tried_again_and_did_not_land(code: str) -> None:
    word = raised(code)
    assert isinstance(word, TemporaryError)
    assert not word.unknown


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_may_have_landed(status: int) -> None:
    word = raised("InternalFailure", status=status)
    assert isinstance(word, TemporaryError)
    assert word.unknown


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")],
    ids=["no connection", "no answer"],
)
def test_no_answer_may_have_landed(error: Exception) -> None:
    word = word_for(error)
    assert isinstance(word, TemporaryError)
    assert word.unknown
    assert word.reason == f"AWS did not answer {CALL}"


def test_anything_else_needs_a_person() -> None:
    word = raised("ValidationException")
    assert isinstance(word, PermanentError)
    assert word.reason == f"AWS refused {CALL}: ValidationException."
    assert word.advice


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated(CALL, role="r", account="a"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (raised("AccessDeniedException"), Code.DENIED),
        (raised("ThrottlingException"), Code.BUSY),
        (raised("SomethingThrottled"), Code.BUSY),
        (raised("KMSInternalException"), Code.FAILED),
        (raised("Whatever", status=503), Code.FAILED),
        (raised("KMSInvalidStateException"), Code.MOVED),
        (raised("DisabledException"), Code.MOVED),
        (raised("ExecutionAlreadyExists"), Code.EXISTS),
        (raised("ExecutionDoesNotExist"), Code.MISSING),
        (raised("InvalidToken"), Code.TOKEN_SPENT),
        (raised("TaskTimedOut"), Code.TOKEN_SPENT),
        (raised("TaskDoesNotExist"), Code.TOKEN_SPENT),
        (raised("KMSInvalidMacException"), Code.MAC_WRONG),
        (raised("ValidationException"), Code.REFUSED),
        (word_for(ReadTimeoutError(endpoint_url="https://kms")), Code.NO_ANSWER),
    ],
)
def test_it_says_which_kind_of_failure_it_is(
    word: TemporaryError | PermanentError, code: Code
) -> None:
    assert word.code is code


def test_a_reply_that_cannot_be_read_says_so() -> None:
    with pytest.raises(TemporaryError) as caught, understood(CALL):
        raise KeyError("Keys")
    assert caught.value.code is Code.UNREADABLE
