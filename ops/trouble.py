"""Expected trouble in words for an operator. Never hides what AWS or Slack said."""

from __future__ import annotations

import json

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.config import BadSettings
from chalicelib.ports import Conflict, GiveUp, TryLater
from chalicelib.slack.replies import SlackFailed

LOG_IN = "Log in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN_KEY = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}
)


class Trouble(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """What is wrong, and what to do about it, a sentence each."""

    def __init__(self, reason: str, *advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


EXPECTED = (
    Trouble,
    ClientError,
    BotoCoreError,
    ResponseParserError,
    BadSettings,
    GiveUp,
    TryLater,
    Conflict,
    SlackFailed,
    OSError,
    json.JSONDecodeError,
)


def trouble_of(error: Exception) -> Trouble:
    """Any of EXPECTED as Trouble."""
    match error:
        case Trouble():
            return error
        case GiveUp():
            return Trouble(error.reason, *error.advice)
        case TryLater():
            return Trouble(f"{error.reason}.", "Run the command again in a minute")
        case Conflict():
            return Trouble("The case moved on meanwhile.", "Run the command again")
        case SlackFailed():
            return Trouble(f"Slack said {error.code}.")
        case ClientError():
            return _refused(error)
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound():
            return Trouble(f"There are no AWS credentials: {error}.", LOG_IN)
        case NoRegionError():
            return Trouble("No AWS Region is set.", "Use --region, or set AWS_REGION")
        case EndpointConnectionError():
            return Trouble(
                f"AWS could not be reached: {error}.", "Is the Region right, and the network up?"
            )
        case ResponseParserError():
            why = "Does a proxy stand between? NO_PROXY names what it must not touch"
            return Trouble("What came back instead of AWS’s answer can’t be read.", why)
    return Trouble(f"{type(error).__name__}: {error}")


def _refused(error: ClientError) -> Trouble:
    code, call = code_of(error), error.operation_name
    message = error.response.get("Error", {}).get("Message", "")
    if code in EXPIRED:
        return Trouble("Your AWS session has expired.", LOG_IN)
    if code in UNKNOWN_KEY:
        return Trouble(f"AWS does not accept your credentials ({code}).", LOG_IN)
    if code in DENIED:
        return Trouble(f"AWS refused {call}: access denied. {message}", f"Get the right for {call}")
    if code == "ResourceNotFoundException":
        return Trouble(
            f"AWS knows no such thing ({call}): {message}.",
            "Is Unlatch deployed with this --stage, --region and account?",
        )
    return Trouble(f"AWS refused {call}: {code}. {message}")
