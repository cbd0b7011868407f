"""CloudTrail records of calls on key stores that AWS refused, and of those that cut keys off. Calls nothing.

AWS shows no example of such a failed record: the fields are those of KMS's model and of records of calls
that it took. What a record does not say, a look at the key stores does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.aws.cloudtrail import (
    NotOursError,
    made_by_others,
    mapping,
    part,
    short,
    text,
)
from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.trigger import Trigger
from chalicelib.ids import CLUSTER_ID

KEY_STORE_ID = re.compile(r"cks-[0-9a-f]{1,64}")
SUBNET_ID = re.compile(r"subnet-[0-9a-f]{8,17}")
KMS, CLOUDHSM = "kms.amazonaws.com", "cloudhsm.amazonaws.com"
REFUSED: Mapping[tuple[str, str], Trigger] = {
    ("CreateCustomKeyStore", "CloudHsmClusterInUseException"): Trigger.CLUSTER_TAKEN,
    ("DeleteCustomKeyStore", "CustomKeyStoreHasCMKsException"): Trigger.STORE_DELETE_BLOCKED,
    ("DeleteCustomKeyStore", "CustomKeyStoreInvalidStateException"): Trigger.STORE_DELETE_BLOCKED,
    ("ConnectCustomKeyStore", "CloudHsmClusterNotActiveException"): Trigger.STORE_DOWN,
    ("ConnectCustomKeyStore", "CloudHsmClusterInvalidConfigurationException"): Trigger.STORE_DOWN,
    ("ConnectCustomKeyStore", "CustomKeyStoreInvalidStateException"): Trigger.STORE_DOWN,
}
"""Call and error code, and what they open."""
CUTS_OFF = ("DeleteHsm", "DeleteCluster")


def refused_store_call(event: Mapping[str, Any], *, own_roles: tuple[str, ...]) -> Heard:
    """A call on a key store that AWS refused. Raises NotOursError with the reason."""
    detail = _detail(event, KMS)
    name, code = str(detail.get("eventName")), _code(detail)
    trigger = REFUSED.get((name, code))
    if trigger is None:
        raise NotOursError(f"{short(name)} with {short(code)} opens no case")
    parameters = mapping(detail.get("requestParameters"), "requestParameters")
    cluster_id = key_store_id = ""
    if trigger is Trigger.CLUSTER_TAKEN:
        # CloudTrail writes clusterId; the API calls it CloudHsmClusterId.
        asked = parameters.get("clusterId") or parameters.get("cloudHsmClusterId")
        cluster_id = text(asked, "requestParameters.clusterId", CLUSTER_ID)
    else:
        given = parameters.get("customKeyStoreId")
        key_store_id = text(given, "requestParameters.customKeyStoreId", KEY_STORE_ID)
    named = parameters.get("customKeyStoreName")
    return _heard(
        event,
        detail,
        own_roles,
        cluster_id=cluster_id,
        trigger=trigger,
        error_code=code,
        key_store_id=key_store_id,
        name=short(named) if isinstance(named, str) else "",
    )


def cut_off(event: Mapping[str, Any], *, own_roles: tuple[str, ...]) -> Heard:
    """An HSM or a cluster that somebody deleted. Raises NotOursError with the reason."""
    detail = _detail(event, CLOUDHSM)
    name = str(detail.get("eventName"))
    if name not in CUTS_OFF:
        raise NotOursError(f"eventName is {short(name)}, which deletes neither HSM nor cluster")
    if detail.get("errorCode"):
        raise NotOursError("AWS refused the call, so nothing is lost")
    parameters = mapping(detail.get("requestParameters"), "requestParameters")
    cluster_id = text(parameters.get("clusterId"), "requestParameters.clusterId", CLUSTER_ID)
    return _heard(event, detail, own_roles, cluster_id=cluster_id, trigger=Trigger.CLUSTER_LOST)


def failed_use(event: Mapping[str, Any], *, own_roles: tuple[str, ...]) -> Heard:
    """A failed use of a key of a custom key store, which may be down. Raises NotOursError with the reason."""
    detail = _detail(event, KMS)
    if detail.get("errorCode") != "KMSInvalidStateException":
        raise NotOursError(
            f"errorCode is {short(detail.get('errorCode'))}, which tells of no store"
        )
    store = part(detail, "additionalEventData").get("customKeyStoreId")
    if store is None:
        raise NotOursError("the key is in no custom key store")
    key_store_id = text(store, "additionalEventData.customKeyStoreId", KEY_STORE_ID)
    code = "KMSInvalidStateException"
    return _heard(
        event,
        detail,
        own_roles,
        trigger=Trigger.STORE_DOWN,
        error_code=code,
        key_store_id=key_store_id,
    )


def _detail(event: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    detail = mapping(mapping(event, "event").get("detail"), "detail")
    if detail.get("eventSource", source) != source:
        raise NotOursError(f"eventSource is {short(detail.get('eventSource'))}, not {source}")
    return detail


def _code(detail: Mapping[str, Any]) -> str:
    """With “Exception” at its end, which some services leave out."""
    code = str(detail.get("errorCode"))
    return code if code.endswith("Exception") else f"{code}Exception"


def _heard(
    event: Mapping[str, Any],
    detail: Mapping[str, Any],
    own_roles: tuple[str, ...],
    *,
    trigger: Trigger,
    cluster_id: str = "",
    error_code: str = "",
    key_store_id: str = "",
    name: str = "",
) -> Heard:
    made = made_by_others(detail, event, own_roles)
    operation = short(detail.get("eventName"))
    attempt = Attempt(
        made.event_id,
        made.at,
        error_code,
        made.caller,
        trigger,
        operation,
        key_store_id=key_store_id,
        name=name,
        subnets=_subnets(detail),
    )
    return Heard(made.account, made.region, attempt, cluster_id)


def _subnets(detail: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """By zone, of a cluster that was just deleted: nothing else tells of them afterwards."""
    mapped = part(part(part(detail, "responseElements"), "cluster"), "subnetMapping")
    found = (
        (short(zone), subnet)
        for zone, subnet in mapped.items()
        if isinstance(subnet, str) and SUBNET_ID.fullmatch(subnet)
    )
    return tuple(sorted(found))
