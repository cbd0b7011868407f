"""One request to the sandbox's AWS: read from the wire, and as it is remembered. Decides nothing."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from sandbox.aws.identity import Identity

# Signing names that differ from the name in policies, faults and reports.
NAMES = {"monitoring": "cloudwatch"}
REST_SERVICES = {"lambda": "lambda", "apigateway": "apigateway", "s3": "s3", "xray": "xray"}
LARGEST_PARAMS = 400_000  # bytes; a larger body is a deployment package, not worth keeping
SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
READS = (
    "Describe", "List", "Get", "Lookup", "Query", "Scan", "BatchGet", "TransactGet", "Head",
    "Search", "Simulate", "AssumeRole",
)  # fmt: skip
USES = frozenset({
    "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
    "ReEncrypt", "Sign", "Verify", "VerifyMac", "GenerateRandom", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "DeriveSharedSecret",
})  # fmt: skip

# Which assumption says that CloudTrail keeps the parameters of such a call if it fails.
KEEPS_WHAT_WAS_ASKED = {
    "cloudhsm:DeleteCluster": "A-FAILED-DELETE-RECORD",
    "kms:DeleteCustomKeyStore": "A-REFUSED-STORE-RECORD",
}


class AwsError(Exception):
    """An error that the API answers with: code as in AWS's model, text, HTTP status."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Request:
    """One signed request as it came in. `params` are empty if nobody would read them.

    `broken`: the body is not a JSON object, although it has to be one.
    """

    service: str
    operation: str
    params: dict[str, Any]
    protocol: str
    region: str
    access_key: str
    user_agent: str
    body: bytes
    peer_port: int
    broken: bool = False

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True)
class Call:
    """One request as it is remembered. `landed`: it changed AWS, whatever the caller was told."""

    at: datetime
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    error: str | None
    role: str
    source_identity: str | None
    tags: Mapping[str, str]
    user_agent: str
    landed: bool
    request_id: str
    by_bot: bool
    by_deployment: bool


@dataclass
class RequestContext:
    """One request on its way through a service; what the service notes for the records."""

    request: Request
    identity: Identity
    now: datetime
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    changed: bool = True
    key_arns: list[str] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    differs: frozenset[str] = frozenset()  # assumptions that don't hold where it goes

    @property
    def params(self) -> dict[str, Any]:
        return self.request.params

    @property
    def account(self) -> str:
        return self.identity.account

    @property
    def region(self) -> str:
        return self.request.region

    @property
    def read_only(self) -> bool:
        operation = self.request.operation
        return operation.startswith(READS) or operation in USES


def not_served(request: Request) -> AwsError:
    """What the sandbox says of an operation that AWS has and it has not."""
    text = f"The sandbox does not serve {request.name}. docs/sandbox.md lists what it serves."
    return AwsError("UnknownOperationException", text)


def read_request(environ: dict[str, Any]) -> Request | None:
    """The signed AWS request in this WSGI environment, or None. Leaves the body readable."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    access_key, region, signing_name = scope.groups()
    body = _body(environ)
    protocol, operation, params = _operation(environ, signing_name, body=body)
    return Request(
        service=NAMES.get(signing_name, signing_name),
        operation=operation,
        params=params or {},
        protocol=protocol,
        region=region,
        access_key=access_key,
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        body=body,
        peer_port=int(environ.get("REMOTE_PORT") or 0),
        broken=params is None,
    )


def _body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("CONTENT_LENGTH"):
        body: bytes = stream.read(int(environ["CONTENT_LENGTH"]))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _operation(
    environ: dict[str, Any], service: str, *, body: bytes
) -> tuple[str, str, dict[str, Any] | None]:
    """Protocol, operation and parameters; None for those that can't be read."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        params = json_object(body or b"{}") if len(body) <= LARGEST_PARAMS else {}
        return "json", target.rsplit(".", 1)[-1], params and _given(params)
    if service in REST_SERVICES:
        protocol = "rest-xml" if service == "s3" else "rest-json"
        return protocol, _rest_operation(environ, service), {}
    fields: dict[str, Any] = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    action = fields.pop("Action", "")
    fields.pop("Version", None)
    return ("ec2" if service == "ec2" else "query"), action, fields


def _given(params: dict[str, Any]) -> dict[str, Any]:
    """AWS takes a null for a parameter that was not given."""
    return {name: value for name, value in params.items() if value is not None}


def json_object(body: bytes) -> dict[str, Any] | None:
    """The object that this text holds; None for all else."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _rest_operation(environ: dict[str, Any], service: str) -> str:
    try:
        operation, _ = get_service_router(REST_SERVICES[service]).match(MotoRequest(environ.copy()))
    except (NotFound, NotImplementedError):
        return str(environ["REQUEST_METHOD"])
    return str(operation.name)
