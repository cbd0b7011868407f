"""Pages of a listing. A marker names the last item given, so that deletions shift nothing."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from sandbox.aws.calls import AwsError


def page(
    params: dict[str, Any], names: Iterable[str], *, default: int, most: int
) -> tuple[list[str], dict[str, Any]]:
    """KMS: the names of this page in order, and the members NextMarker and Truncated."""
    limit = params.get("Limit", default)
    if not 1 <= limit <= most:
        raise AwsError("ValidationException", f"Limit is 1 to {most}, not {limit}.")
    try:
        chosen, last = _slice(sorted(names), params.get("Marker"), limit=limit)
    except ValueError as error:
        raise AwsError("InvalidMarkerException", "The marker is not valid.") from error
    return chosen, {"Truncated": False} if last is None else {"Truncated": True, "NextMarker": last}


def token_page(
    params: dict[str, Any], names: list[str], *, most: int
) -> tuple[list[str], dict[str, Any]]:
    """CloudHSM: the names of this page as ordered by the caller, and NextToken if more follow."""
    size = params.get("MaxResults", most)
    if not 1 <= size <= most:
        raise AwsError("CloudHsmInvalidRequestException", f"MaxResults is 1 to {most}, not {size}.")
    token, start = params.get("NextToken"), 0
    if token is not None:
        try:
            start = names.index(_decoded(token)) + 1
        except ValueError as error:
            raise AwsError("CloudHsmInvalidRequestException", "Invalid NextToken.") from error
    chosen = names[start : start + size]
    more = start + size < len(names)
    return chosen, {"NextToken": _encoded(chosen[-1])} if more else {}


def _slice(names: list[str], marker: str | None, *, limit: int) -> tuple[list[str], str | None]:
    start = bisect_right(names, _decoded(marker)) if marker is not None else 0
    chosen = names[start : start + limit]
    return chosen, _encoded(chosen[-1]) if start + limit < len(names) else None


def _encoded(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decoded(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(marker) from error
