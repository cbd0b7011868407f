"""CloudTrail records in, failed deletes and failed key uses out. Reads what it is given; calls nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.state.caller import Caller, Tool, caller_of, tool_of
from chalicelib.domain.state.case import Attempt, KeyUse
from chalicelib.ids import ACCOUNT, CLUSTER_ID, REGION
from chalicelib.ports import CaseTrigger

"""As cloudhsmv2's own model has it."""
PROBE_CLUSTER = "cluster-unlatchLiveProbe"
"""An id that the model allows and that no cluster has: CloudHSM's own are 11 small letters and digits."""
EVENT_ID = re.compile(r"[\w.-]{1,100}")
USES = frozenset(
    {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}
)
"""What can be done with a symmetric key of a custom key store."""
KEY_PARAMETERS = ("keyId", "sourceKeyId", "destinationKeyId")
SSO_PATH = ":role/aws-reserved/sso.amazonaws.com/"
LONGEST = 1_000


class NotOursError(ValueError):
    """Why an event opens no case, as a sentence for the log."""


def failed_delete(
    event: Mapping[str, Any], *, codes: tuple[str, ...], own_roles: tuple[str, ...]
) -> CaseTrigger:
    """The failed DeleteCluster of an EventBridge event. Raises NotOursError with the reason.

    Only what is needed is asked for: errorMessage, userIdentity.type and more may be missing.
    """
    event = mapping(event, "event")
    detail = mapping(event.get("detail"), "detail")
    if detail.get("eventSource", "cloudhsm.amazonaws.com") != "cloudhsm.amazonaws.com":
        raise NotOursError(f"eventSource is {short(detail.get('eventSource'))}, not CloudHSM’s")
    if detail.get("eventName") != "DeleteCluster":
        raise NotOursError(f"eventName is {short(detail.get('eventName'))}, not DeleteCluster")
    code = detail.get("errorCode")
    if code not in codes and f"{code}Exception" not in codes:
        raise NotOursError(f"errorCode is {short(code)}, which is not listed in error_codes")
    parameters = mapping(detail.get("requestParameters"), "requestParameters")
    cluster_id = text(parameters.get("clusterId"), "requestParameters.clusterId", CLUSTER_ID)
    if cluster_id == PROBE_CLUSTER:
        raise NotOursError("it is the call of unlatch doctor --live")
    made = made_by_others(detail, event, own_roles)
    attempt = Attempt(made.event_id, made.at, str(code), made.caller)
    return CaseTrigger(made.account, made.region, cluster_id, attempt)


@dataclass(frozen=True)
class Made:
    """Who made a call, where and when."""

    caller: Caller
    account: str
    region: str
    event_id: str
    at: datetime


def made_by_others(
    detail: Mapping[str, Any], event: Mapping[str, Any], own_roles: tuple[str, ...]
) -> Made:
    """What every record of a call tells. Raises NotOursError for calls of our own."""
    caller = caller_from(detail)
    if is_own(caller, own_roles):
        raise NotOursError("the call was made by Unlatch itself")
    account, region = place(detail, event)
    event_id = text(detail.get("eventID"), "eventID", EVENT_ID)
    at = when(detail.get("eventTime") or event.get("time"))
    return Made(caller, account, region, event_id, at)


def probe_of(event: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, str]]:
    """The record of the doctor's call, and its account and Region. Raises NotOursError for all else."""
    event = mapping(event, "event")
    detail = mapping(event.get("detail"), "detail")
    if part(detail, "requestParameters").get("clusterId") != PROBE_CLUSTER:
        raise NotOursError("it is not the call of unlatch doctor --live")
    text(detail.get("eventID"), "eventID", EVENT_ID)
    return detail, place(detail, event)


def place(detail: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, str]:
    """Account and Region of the call; the envelope says it if the record doesn't."""
    account = detail.get("recipientAccountId") or event.get("account")
    region = detail.get("awsRegion") or event.get("region")
    return text(account, "account", ACCOUNT), text(region, "awsRegion", REGION)


def key_uses(
    event: Mapping[str, Any], *, own_roles: tuple[str, ...]
) -> tuple[tuple[KeyUse, ...], str, str]:
    """A failed use, once for each key that it names; its account and Region. Raises NotOursError.

    ReEncrypt names two keys, and either may be the one that is off.
    """
    event = mapping(event, "event")
    detail = mapping(event.get("detail"), "detail")
    if detail.get("errorCode") not in ("DisabledException", "KMSInvalidStateException"):
        raise NotOursError(f"errorCode is {short(detail.get('errorCode'))}")
    if str(detail.get("eventName")) not in USES:
        raise NotOursError(
            f"eventName is {short(detail.get('eventName'))}, which is no use of a key"
        )
    caller = caller_from(detail)
    if is_own(caller, own_roles):
        raise NotOursError("the call was made by Unlatch itself")
    key_ids = tuple(dict.fromkeys(_keys_named(detail)))
    if not key_ids:
        raise NotOursError("the record does not name the key")
    one = KeyUse(
        event_id=text(detail.get("eventID"), "eventID", EVENT_ID),
        at=when(detail.get("eventTime") or event.get("time")),
        key_id="",
        who=caller.words,
        operation=short(detail.get("eventName")),
        key_store_id=short(part(detail, "additionalEventData").get("customKeyStoreId") or ""),
    )
    return tuple(replace(one, key_id=key_id) for key_id in key_ids), *place(detail, event)


def _keys_named(detail: Mapping[str, Any]) -> Iterator[str]:
    """Ids of the keys among the resources and in what was asked for.

    A name says nothing by itself: the resources have the ARN of the key that it stood for.
    """
    resources, asked = detail.get("resources"), part(detail, "requestParameters")
    listed = [r for r in resources if isinstance(r, Mapping)] if isinstance(resources, list) else []
    named = [one.get("ARN") or one.get("arn") for one in listed]
    for name in (*named, *map(asked.get, KEY_PARAMETERS)):
        if isinstance(name, str) and "alias/" not in name:
            yield short(name).rpartition("/")[2]


def caller_from(detail: Mapping[str, Any]) -> Caller:
    """The principal of a record, and who stands behind it; service events have no type and no ARN."""
    identity = part(detail, "userIdentity")
    arn, kind = short(identity.get("arn") or ""), short(identity.get("type") or "")
    agent = detail.get("userAgent")
    tool = tool_of(short(agent)) if agent else Tool.UNKNOWN
    if arn:
        user_name = short(identity.get("userName") or "")
        caller = caller_of(arn=arn, kind=kind, user_name=user_name, tool=tool)
    else:
        name = short(identity.get("invokedBy") or identity.get("userName") or "somebody unknown")
        caller = Caller(arn="", name=name, kind=kind, tool=tool)
    context = part(identity, "sessionContext")
    issuer = part(context, "sessionIssuer").get("arn")
    caller = _doubted(caller, issuer) if caller.is_person else caller
    return replace(
        caller,
        source_identity=short(context.get("sourceIdentity") or ""),
        # The issuer of an assumed role's session is that role, which the ARN says already.
        issuer_arn="" if kind == "AssumedRole" else short(issuer or ""),
        web_identity=_signed_in(context),
    )


def _signed_in(context: Mapping[str, Any]) -> tuple[str, ...]:
    """Subject and e-mail among what an OpenID Connect provider said (webIdFederationData.attributes)."""
    said = part(part(context, "webIdFederationData"), "attributes")
    return tuple(
        short(value)
        for name, value in sorted(said.items())
        if isinstance(value, str) and name.rpartition(":")[2] in ("sub", "email")
    )


def _doubted(caller: Caller, issuer: Any) -> Caller:
    """A role may be called like one of Identity Center’s; the path of the real ones is reserved."""
    if issuer is None or SSO_PATH in str(issuer):
        return caller
    name = f"role {str(issuer).rpartition('/')[2]}"
    return replace(caller, name=short(name), email="")


def part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within a record; empty if there is none, or something else stands there."""
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def is_own(caller: Caller, own_roles: tuple[str, ...]) -> bool:
    """Unlatch's own executor failed: that opens no case, or the bot would chase itself."""
    resource = caller.arn.split(":", 5)[-1].split("/")
    return resource[0] == "assumed-role" and len(resource) > 1 and resource[1] in own_roles


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NotOursError(f"{name} is missing")
    return value


def text(value: Any, name: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise NotOursError(f"{name} is {short(value)}, which is not one")
    return value


def when(value: Any) -> datetime:
    """An ISO time; 2026-03-02T09:00:00Z."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise NotOursError(f"the time is {short(value)}, which is not one") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def short(value: Any) -> str:
    """Untrusted text, never longer than a screen, and without halves of characters, which no table takes."""
    whole = str(value).encode(errors="replace").decode()
    return whole if len(whole) <= LONGEST else f"{whole[:100]}… (cut)"
