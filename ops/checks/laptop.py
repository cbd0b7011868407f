"""The operator’s own side: SDK and clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from ops.checks.finding import Finding
from ops.hub import Hub

MOST_SKEW = timedelta(minutes=1)
"""Slack and AWS refuse signatures that are five minutes off."""


def sdk(hub: Hub) -> Iterator[Finding]:
    knows = hasattr(hub.client("kms"), "get_key_last_usage")
    yield Finding(
        "boto3",
        knows,
        "knows when keys were last used" if knows else "too old: it can’t ask when keys were used",
        "" if knows else "make setup, then deploy again",
    )


def clock(hub: Hub) -> Iterator[Finding]:
    reply = hub.client("sts").get_caller_identity()
    stated = reply["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        skew = abs(parsedate_to_datetime(stated) - hub.clock())
    except (TypeError, ValueError):
        yield Finding("clock", None, "AWS’s reply carried no date")
        return
    right, seconds = skew <= MOST_SKEW, int(skew.total_seconds())
    yield Finding(
        "clock",
        right,
        f"{seconds} s from AWS’s",
        "" if right else "Set this machine’s clock (NTP)",
    )


def fips(hub: Hub) -> Iterator[Finding]:
    """CloudHSM has FIPS endpoints under dual-stack names alone (AWS General Reference)."""
    for who, asked in (("functions", hub.variables), ("your machine", os.environ)):
        if not _is_on(asked.get("AWS_USE_FIPS_ENDPOINT")):
            continue
        dual = _is_on(asked.get("AWS_USE_DUALSTACK_ENDPOINT"))
        says = (
            f"asked for by {who}"
            if dual
            else (
                f"{who}: AWS_USE_FIPS_ENDPOINT alone does not reach CloudHSM, whose FIPS endpoints are dual-stack only"
            )
        )
        do = "" if dual else "Set AWS_USE_DUALSTACK_ENDPOINT=true beside it (.chalice/config.json)"
        yield Finding("fips", dual, says, do)


def _is_on(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"
