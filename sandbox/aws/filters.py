"""Filters of EC2's query protocol, as the sandbox's two EC2 reads take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws.calls import AwsError

MEMBER = re.compile(r"Filter\.(\d+)\.(?:Name|Value\.\d+)")


def filters(params: Mapping[str, Any]) -> dict[str, set[str]]:
    """The values of each name."""
    found: dict[str, set[str]] = {}
    for member, value in params.items():
        if (matched := MEMBER.fullmatch(member)) and not member.endswith("Name"):
            name = params.get(f"Filter.{matched[1]}.Name")
            if name is None:
                raise AwsError("InvalidParameterValue", "A filter has no name.")
            found.setdefault(name, set()).add(value)
    return found
