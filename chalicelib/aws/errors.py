"""botocore's errors as temporary or permanent ones. One place decides what can be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.aws.denials import help_for, why_denied, words_of
from chalicelib.failures import Code, PermanentError, TemporaryError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "CloudHsmAccessDeniedException",
        "Client.UnauthorizedOperation",
        "UnauthorizedOperation",
    }
)
THROTTLED = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
    }
)
BUSY = THROTTLED | frozenset(
    {
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
KNOWN = {
    "ExecutionAlreadyExists": Code.EXISTS,
    "ExecutionDoesNotExist": Code.MISSING,
    "InvalidToken": Code.TOKEN_SPENT,
    "KMSInvalidMacException": Code.MAC_WRONG,
    "TaskDoesNotExist": Code.TOKEN_SPENT,
    "TaskTimedOut": Code.TOKEN_SPENT,
}
"""Refusals that a caller expects and has an answer to."""
MOVED = frozenset(
    {
        "KMSInvalidStateException",
        "DisabledException",
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
    """Turns what botocore raises during `call` (kms:DeleteCustomKeyStore) into TemporaryError or PermanentError."""
    from botocore.exceptions import BotoCoreError, ClientError  # not on cold paths

    try:
        yield
    except ClientError as error:
        raise _word_for(error, call, role, account) from error
    except BotoCoreError as error:
        raise TemporaryError(
            f"AWS did not answer {call}", code=Code.NO_ANSWER, unknown=True
        ) from error


@contextmanager
def understood(call: str) -> Iterator[None]:
    """A reply whose parts are missing or odd is a failed read of `call`, not a fact."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TemporaryError(
            f"AWS’s answer to {call} can’t be read", code=Code.UNREADABLE
        ) from error


def _word_for(
    error: ClientError, call: str, role: str, account: str
) -> TemporaryError | PermanentError:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = str(error.response.get("Error", {}).get("Message", ""))
    said = words_of(f"{code}: {message}" if message else code)
    about = {"request_id": request_id_of(error), "said": said}
    if code in DENIED:
        who = why_denied(message)
        by = f" by {who}" if who else ""
        helps = help_for(message, call, role=role, account=account)
        return PermanentError(
            f"AWS refused {call}: access denied{by}.", helps, code=Code.DENIED, **about
        )
    if code in BUSY or "Throttl" in code or status >= 500:
        unknown = status >= 500
        kind = Code.BUSY if code in THROTTLED or "Throttl" in code else Code.FAILED
        return TemporaryError(f"AWS is busy ({code})", code=kind, unknown=unknown, said=said)
    if code in MOVED:
        return TemporaryError(f"AWS says {code} to {call}", code=Code.MOVED, said=said)
    return PermanentError(
        f"AWS refused {call}: {code}.",
        "Read what AWS says of this error in its documentation and fix the cause.",
        code=KNOWN.get(code, Code.REFUSED),
        **about,
    )
