"""Tells whole replies of AWS from torn ones, for every client of the session. A torn one is never “none”.

botocore answers {} for a 200 whose JSON broke off, and AWS's models require almost no member. So the
bytes are judged first, then the members that mark a whole reply of each operation that we use.
"""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import HTTPClientError
from botocore.parsers import ResponseParserError

UNREADABLE = (
    ResponseParserError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What botocore's parsers raise for bytes, types and values that they don't expect."""
TRY_AGAIN = "RequestTimeout"
"""An error code that botocore's own retries count as transient; clients without retries try once."""
WHY = "WhyNotWhole"
MARKS: Mapping[str, tuple[str, ...]] = {
    "AssumeRole": ("Credentials",),
    "CancelKeyDeletion": ("KeyId",),
    "ConnectCustomKeyStore": (),
    "CreateCluster": ("Cluster",),
    "CreateHsm": ("Hsm",),
    "DeleteCluster": ("Cluster",),
    "DeleteCustomKeyStore": (),
    "DeleteHsm": ("HsmId",),
    "DescribeBackups": ("Backups",),
    "DescribeClusters": ("Clusters",),
    "DescribeCustomKeyStores": ("CustomKeyStores",),
    "DescribeExecution": ("status",),
    "DescribeKey": ("KeyMetadata",),
    "DescribeNetworkInterfaces": ("NetworkInterfaces",),
    "DescribeSubnets": ("Subnets",),
    "DisableKey": (),
    "DisconnectCustomKeyStore": (),
    "EnableKey": (),
    "GenerateDataKeyWithoutPlaintext": ("CiphertextBlob",),
    "GenerateMac": ("Mac",),
    "GetExecutionHistory": ("events",),
    "GetItem": ("ConsumedCapacity",),
    "GetKeyLastUsage": ("TrackingStartDate",),
    "GetMetricData": ("MetricDataResults",),
    "GetParameter": ("Parameter",),
    "GetSecretValue": ("Name",),
    "ListAliases": ("Aliases",),
    "ListGrants": ("Grants",),
    "ListKeys": ("Keys",),
    "ListResourceTags": ("Tags",),
    "LookupEvents": ("Events",),
    "ModifyBackupAttributes": ("Backup",),
    "RestoreBackup": ("Backup",),
    "PutItem": (),
    "Query": ("Items", "Count"),
    "Scan": ("Items", "Count"),
    "ScheduleKeyDeletion": ("KeyId",),
    "SendTaskSuccess": (),
    "StartExecution": ("executionArn",),
    "TransactWriteItems": (),
    "UpdateCustomKeyStore": (),
    "UpdateItem": (),
    "VerifyMac": ("MacValid",),
}
"""Members that each whole reply of an operation has; () for replies that say nothing but yes.
GetItem has none by itself if there is no item: the table asks for ConsumedCapacity."""


class TornReplyError(HTTPClientError):
    """AWS answered, but not all of it arrived, or it can't be read. A mutation may have landed."""

    fmt = "{operation}: the reply was not whole: {why}"


def demand_whole(session: Any) -> None:
    """Every client that this botocore session makes from now on raises TornReplyError for a torn reply.

    Clients that retry have tried it again by then, as they do after a lost connection.
    """
    name = "response_parser_factory"
    session.register_component(name, _Parsers(session.get_component(name)))
    session.register("after-call", _refuse_torn)


def _refuse_torn(parsed: Mapping[str, Any], model: Any, **_: object) -> None:
    if WHY in parsed:
        raise TornReplyError(operation=model.name, why=parsed[WHY])


class _Parsers:
    """botocore's factory of parsers, each with a judge before it."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def set_parser_defaults(self, **defaults: Any) -> None:
        self._factory.set_parser_defaults(**defaults)

    def create_parser(self, protocol: str) -> _Parser:
        return _Parser(self._factory.create_parser(protocol), is_json="json" in protocol)


class _Parser:
    def __init__(self, inner: Any, *, is_json: bool) -> None:
        self._inner, self._is_json = inner, is_json

    def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        """The parsed reply; for a torn one an error that botocore's retries know, with the reason."""
        why = torn_bytes(response["body"], response["headers"])
        if not why:
            try:
                parsed: dict[str, Any] = self._inner.parse(response, shape)
                why = self._lacks(parsed, response, shape)
            except UNREADABLE as error:
                why = f"it can’t be read ({type(error).__name__})"
        if not why:
            return parsed
        status = {"HTTPStatusCode": response["status_code"], "HTTPHeaders": {}}
        return {"Error": {"Code": TRY_AGAIN}, "ResponseMetadata": status, WHY: why}

    def _lacks(self, parsed: Mapping[str, Any], response: Mapping[str, Any], shape: Any) -> str:
        """What a whole reply would have; "" if nothing is missing."""
        if response["status_code"] >= 300:
            # botocore parses an error twice: as such, and for the members that its model has.
            is_second = shape is not None and shape.metadata.get("exception")
            return "" if is_second else _lacks_code(parsed, response["status_code"])
        marks = MARKS.get(response["context"]["operation_name"], ())
        says_more = shape is not None and shape.members
        if (
            self._is_json
            and not marks
            and not _is_object(response["body"], or_nothing=not says_more)
        ):
            return "no JSON object"
        wanted = {*marks, *(shape.required_members if shape else ())}
        # Pages that go on say where (KMS): without it, what is left would look like all.
        wanted |= {"NextMarker"} if parsed.get("Truncated") else set()
        return ", ".join(f"no {name}" for name in sorted(wanted) if name not in parsed)


def _lacks_code(parsed: Mapping[str, Any], status: int) -> str:
    """An error that broke off has no code, or the HTTP status in its place. That of a 5xx says enough."""
    code = str(parsed.get("Error", {}).get("Code", ""))
    return "" if status >= 500 or (code and not code.isdecimal()) else "no error code"


def torn_bytes(body: bytes, headers: Mapping[str, str]) -> str:
    """Why these bytes are not what was sent; "" if length and checksum (DynamoDB's) say nothing else."""
    length, checksum = headers.get("content-length"), headers.get("x-amz-crc32")
    if length is not None and length != str(len(body)):
        return f"{len(body)} of {length} bytes"
    if checksum is not None and checksum != str(crc32(body)):
        return "its checksum differs"
    return ""


def _is_object(body: bytes, *, or_nothing: bool) -> bool:
    """`or_nothing`: KMS answers calls that return nothing without a body."""
    try:
        return isinstance(json.loads(body), dict) if body else or_nothing
    except (ValueError, RecursionError):
        return False
