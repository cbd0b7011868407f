"""botocore's errors in the two words of the house. One place decides what can be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.aws.denials import PRESS, help_for, why_denied, words_of
from chalicelib.failures import GiveUp, TryLater

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "CloudHsmAccessDeniedException",
        "Client.UnauthorizedOperation",
        "UnauthorizedOperation",
    }
)
BUSY = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "KMSInternalException",
        "DependencyTimeoutException",
        "CloudHsmInternalFailureException",
        "CloudHsmServiceException",
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
MOVED = frozenset(
    {
        "KMSInvalidStateException",
        "CustomKeyStoreInvalidStateException",
        "CustomKeyStoreHasCMKsException",
        "CustomKeyStoreNotFoundException",
        "NotFoundException",
        "CloudHsmInvalidRequestException",
        "CloudHsmResourceNotFoundException",
        "CloudHsmClusterNotActiveException",
        "CloudHsmClusterInUseException",
        "ConflictException",
    }
)
"""The world is not as the snapshot showed it: look again before saying more."""


def code_of(error: Exception) -> str:
    """The error code, compared as a string: `client.exceptions.X` does not exist for all of them."""
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def request_id_of(error: Exception) -> str:
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("ResponseMetadata", {}).get("RequestId", ""))


@contextmanager
def translated(call: str, *, role: str, account: str) -> Iterator[None]:
    """Turns what botocore raises during `call` (kms:DeleteCustomKeyStore) into TryLater or GiveUp."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # not on cold paths

    try:
        yield
    except ClientError as error:
        raise _word_for(error, call, role, account) from error
    except BotoCoreError as error:
        raise TryLater(f"AWS did not answer {call}", unknown=True) from error


@contextmanager
def understood(call: str) -> Iterator[None]:
    """A reply whose parts are missing or odd is a failed read of `call`, not a fact."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TryLater(f"AWS’s answer to {call} can’t be read") from error


def _word_for(error: Any, call: str, role: str, account: str) -> Exception:
    code, request_id = code_of(error), request_id_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = str(error.response.get("Error", {}).get("Message", ""))
    said = words_of(f"{code}: {message}" if message else code)
    if code in DENIED:
        who = why_denied(message)
        by = f" by {who}" if who else ""
        return GiveUp(
            f"AWS refused {call}: access denied{by}.",
            help_for(message, call, role=role, account=account),
            PRESS,
            request_id=request_id,
            said=said,
            denied=True,
        )
    if code in BUSY or "Throttl" in code or status >= 500:
        return TryLater(f"AWS is busy ({code})", unknown=status >= 500, said=said)
    if code in MOVED:
        return TryLater(f"AWS says {code} to {call}", said=said)
    return GiveUp(
        f"AWS refused {call}: {code}.",
        "Read what AWS says of this error in its documentation and fix the cause.",
        PRESS,
        request_id=request_id,
        said=said,
    )
