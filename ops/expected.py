"""Expected errors as OperatorError: AWS’s, Slack’s, files’. Never hides what AWS or Slack said."""

from __future__ import annotations

import json
import re
from http.client import HTTPException
from urllib.error import URLError

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)
from botocore.parsers import ResponseParserError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.config import BadSettingsError
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.slack.replies import SlackError
from ops.errors import OperatorError
from ops.exits import Exit
from ops.words import for_a_shell

LOG_IN = "Log in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
LIST_PROFILES = "aws configure list-profiles names those that there are (--profile, AWS_PROFILE)"
ONLINE = "Is the Region right, and the network up?"
NOT_SIGNED_IN = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    RefreshWithMFAUnsupportedError,
    NoAuthTokenError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)
SIGN_IN_ENDED = (SSOError, TokenRetrievalError, LoginError)
"""From the SSO cache or `aws login`; the SDK says so before any call is made."""
UNREACHABLE = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ReadTimeoutError,
    ProxyConnectionError,
    SSLError,
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidGrantException"})
OF_SIGN_IN = frozenset({"GetRoleCredentials", "CreateToken", "CreateOAuth2Token"})
"""Calls that the SDK makes by itself to get credentials."""
SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
BAD_SIGNATURE = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException"})
SIGNED_AT = re.compile(r"signature (?:expired|not yet current)", re.IGNORECASE)
UNKNOWN_KEY = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})

EXPECTED = (
    OperatorError,
    ClientError,
    BotoCoreError,
    ResponseParserError,
    BadSettingsError,
    PermanentError,
    TemporaryError,
    ConflictError,
    SlackError,
    OSError,
    HTTPException,
    UnicodeDecodeError,
    json.JSONDecodeError,
)


def trouble_of(error: Exception) -> OperatorError:
    """Any of EXPECTED as OperatorError."""
    if isinstance(error, PermanentError | TemporaryError) and (cause := _behind(error)):
        return trouble_of(cause)
    match error:
        case OperatorError():
            return error
        case PermanentError():
            return OperatorError(for_a_shell(error.reason), *map(for_a_shell, error.advice))
        case TemporaryError():
            return OperatorError(f"{error.reason}.", "Run the command again in a minute")
        case ConflictError():
            return OperatorError("The case moved on meanwhile.", "Run the command again")
        case SlackError():
            return OperatorError(f"Slack said {error.code}.")
        case ClientError():
            return _refused(error)
        case BotoCoreError() | ResponseParserError():
            return _of_sdk(error)
        case OSError() | HTTPException():
            return _of_system(error)
        case UnicodeDecodeError() | json.JSONDecodeError():
            return OperatorError(f"A file is not what it should be: {error}.")
    return OperatorError(f"{type(error).__name__}: {error}")


def _behind(error: PermanentError | TemporaryError) -> ClientError | BotoCoreError | None:
    """What the SDK said, if it is about the operator’s own machine or sign-in: functions have neither."""
    cause = error.__cause__
    if isinstance(cause, BotoCoreError):
        return cause
    is_own = isinstance(cause, ClientError) and _is_of_operator(cause)
    return cause if isinstance(cause, ClientError) and is_own else None


def _is_of_operator(error: ClientError) -> bool:
    codes = EXPIRED | SKEWED | BAD_SIGNATURE | UNKNOWN_KEY
    return code_of(error) in codes or error.operation_name in OF_SIGN_IN


def _of_system(error: OSError | HTTPException) -> OperatorError:
    """A file, or the network without the SDK around it."""
    if isinstance(error, HTTPException | URLError):
        why = error.reason if isinstance(error, URLError) else repr(error)
        return OperatorError(f"The other side could not be reached, or broke off: {why}.", ONLINE)
    why = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ConnectionError | TimeoutError):
        return OperatorError(f"The network failed: {why}.", ONLINE)
    what = error.filename or "Something that this command needs"
    return OperatorError(f"{what} can’t be used: {why}.")


def _of_sdk(error: BotoCoreError | ResponseParserError) -> OperatorError:
    """What went wrong before AWS could answer, or in its answer."""
    if isinstance(error, SIGN_IN_ENDED):
        return _expired()
    if isinstance(error, ProfileNotFound):
        return OperatorError(f"{error}.", LIST_PROFILES, code=Exit.NOT_SIGNED_IN)
    if isinstance(error, NOT_SIGNED_IN):
        return OperatorError(
            f"There are no AWS credentials: {error}.".replace("..", "."),
            LOG_IN,
            code=Exit.NOT_SIGNED_IN,
        )
    if isinstance(error, NoRegionError):
        return OperatorError("No AWS Region is set.", "Use --region, or set AWS_REGION")
    if isinstance(error, UNREACHABLE):
        return OperatorError(f"AWS could not be reached: {error}.", ONLINE)
    if isinstance(error, ResponseParserError):
        why = "Does a proxy stand between? NO_PROXY names what it must not touch"
        return OperatorError("What came back instead of AWS’s answer can’t be read.", why)
    return OperatorError(f"The AWS SDK says: {error}")


def _refused(error: ClientError) -> OperatorError:
    code, call = code_of(error), error.operation_name
    message = error.response.get("Error", {}).get("Message", "")
    if code in EXPIRED or call in OF_SIGN_IN:
        return _expired()
    if code in SKEWED or (code in BAD_SIGNATURE and SIGNED_AT.search(message)):
        why = "Set this machine’s clock (NTP), or log in again"
        return OperatorError(f"This machine’s clock differs from AWS’s. {message}", why)
    if code in UNKNOWN_KEY or code in BAD_SIGNATURE:
        reason = f"AWS does not accept your credentials ({code})."
        return OperatorError(reason, LOG_IN, code=Exit.NOT_SIGNED_IN)
    if code in DENIED:
        return OperatorError(
            f"AWS refused {call}: access denied. {message}", f"Get the right for {call}"
        )
    if code == "ResourceNotFoundException":
        return OperatorError(
            f"AWS knows no such thing ({call}): {message}.",
            "Is Unlatch deployed with this --stage, --region and account?",
        )
    return OperatorError(f"AWS refused {call}: {code}. {message}")


def _expired() -> OperatorError:
    return OperatorError("Your AWS session has expired.", LOG_IN, code=Exit.NOT_SIGNED_IN)
