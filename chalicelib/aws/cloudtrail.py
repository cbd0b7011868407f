"""CloudTrail records in, failed deletes and failed key uses out. Reads what it is given; calls nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.caller import Caller, Tool, caller_of, tool_of
from chalicelib.domain.case import Attempt, KeyUse
from chalicelib.ports import FailedDelete

CLUSTER_ID = re.compile(r"cluster-[2-7a-zA-Z]{11,16}")
"""As cloudhsmv2's own model has it."""
ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
EVENT_ID = re.compile(r"[\w.-]{1,100}")
USES = frozenset(
    {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}
)
"""What can be done with a symmetric key of a custom key store."""
SSO_PATH = ":role/aws-reserved/sso.amazonaws.com/"
LONGEST = 1_000


class NotOurs(ValueError):  # noqa: N818  # not an error: an event that is none of our business
    """Why an event opens no case, as a sentence for the log."""


def failed_delete(
    event: Mapping[str, Any], *, codes: tuple[str, ...], own_roles: tuple[str, ...]
) -> FailedDelete:
    """The failed DeleteCluster of an EventBridge event. Raises NotOurs with the reason.

    Only what is needed is asked for: errorMessage, userIdentity.type and more may be missing.
    """
    event = mapping(event, "event")
    detail = mapping(event.get("detail"), "detail")
    if detail.get("eventSource", "cloudhsm.amazonaws.com") != "cloudhsm.amazonaws.com":
        raise NotOurs(f"eventSource is {short(detail.get('eventSource'))}, not CloudHSM’s")
    if detail.get("eventName") != "DeleteCluster":
        raise NotOurs(f"eventName is {short(detail.get('eventName'))}, not DeleteCluster")
    code = detail.get("errorCode")
    if code not in codes and f"{code}Exception" not in codes:
        raise NotOurs(f"errorCode is {short(code)}, which is not listed in error_codes")
    parameters = mapping(detail.get("requestParameters"), "requestParameters")
    cluster_id = text(parameters.get("clusterId"), "requestParameters.clusterId", CLUSTER_ID)
    caller = caller_from(detail)
    if is_own(caller, own_roles):
        raise NotOurs("the call was made by Unlatch itself")
    account, region = place(detail, event)
    event_id = text(detail.get("eventID"), "eventID", EVENT_ID)
    at = when(detail.get("eventTime") or event.get("time"))
    return FailedDelete(account, region, cluster_id, Attempt(event_id, at, str(code), caller))


def place(detail: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, str]:
    """Account and Region of the call; the envelope says it where the record doesn't."""
    account = detail.get("recipientAccountId") or event.get("account")
    region = detail.get("awsRegion") or event.get("region")
    return text(account, "account", ACCOUNT), text(region, "awsRegion", REGION)


def key_use(event: Mapping[str, Any]) -> tuple[KeyUse, str, str]:
    """A failed use of a KMS key, its account and Region. Raises NotOurs with the reason."""
    event = mapping(event, "event")
    detail = mapping(event.get("detail"), "detail")
    if detail.get("errorCode") not in ("DisabledException", "KMSInvalidStateException"):
        raise NotOurs(f"errorCode is {short(detail.get('errorCode'))}")
    if str(detail.get("eventName")) not in USES:
        raise NotOurs(f"eventName is {short(detail.get('eventName'))}, which is no use of a key")
    key_id = short(_key_named(detail)).rpartition("/")[2]
    if not key_id:
        raise NotOurs("the record does not name the key")
    use = KeyUse(
        event_id=text(detail.get("eventID"), "eventID", EVENT_ID),
        at=when(detail.get("eventTime") or event.get("time")),
        key_id=key_id,
        who=caller_from(detail).name,
        operation=short(detail.get("eventName")),
    )
    return use, *place(detail, event)


def _key_named(detail: Mapping[str, Any]) -> str:
    """The key's ARN among the resources, else what the request says; "" where neither does."""
    resources = detail.get("resources")
    listed = [r for r in resources if isinstance(r, Mapping)] if isinstance(resources, list) else []
    parameters = detail.get("requestParameters")
    asked = parameters.get("keyId") if isinstance(parameters, Mapping) else None
    named = (one.get("ARN") or one.get("arn") for one in listed)
    return next((name for name in (*named, asked) if name and isinstance(name, str)), "")


def caller_from(detail: Mapping[str, Any]) -> Caller:
    """The principal of a record; service events have no type and no ARN."""
    identity = detail.get("userIdentity")
    identity = identity if isinstance(identity, Mapping) else {}
    arn = short(identity.get("arn") or "")
    agent = detail.get("userAgent")
    tool = tool_of(short(agent)) if agent else Tool.UNKNOWN
    if not arn:
        name = short(identity.get("invokedBy") or identity.get("userName") or "somebody unknown")
        return Caller(arn="", name=name, kind=short(identity.get("type") or ""), tool=tool)
    kind = short(identity.get("type") or "")
    caller = caller_of(
        arn=arn, kind=kind, user_name=short(identity.get("userName") or ""), tool=tool
    )
    return _doubted(caller, identity) if caller.is_person else caller


def _doubted(caller: Caller, identity: Mapping[str, Any]) -> Caller:
    """A role may be called like one of Identity Center’s; the path of the real ones is reserved."""
    context = identity.get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, Mapping) else None
    role = issuer.get("arn") if isinstance(issuer, Mapping) else None
    if role is None or SSO_PATH in str(role):
        return caller
    name = f"role {str(role).rpartition('/')[2]}"
    return replace(caller, name=short(name), email="")


def is_own(caller: Caller, own_roles: tuple[str, ...]) -> bool:
    """Unlatch's own executor failed: that opens no case, or the bot would chase itself."""
    resource = caller.arn.split(":", 5)[-1].split("/")
    return resource[0] == "assumed-role" and len(resource) > 1 and resource[1] in own_roles


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NotOurs(f"{name} is missing")
    return value


def text(value: Any, name: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise NotOurs(f"{name} is {short(value)}, which is not one")
    return value


def when(value: Any) -> datetime:
    """An ISO time; 2026-03-02T09:00:00Z."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise NotOurs(f"the time is {short(value)}, which is not one") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def short(value: Any) -> str:
    """Untrusted text for a log line, never longer than a screen."""
    return str(value)[:LONGEST] if len(str(value)) <= LONGEST else f"{str(value)[:100]}… (cut)"
