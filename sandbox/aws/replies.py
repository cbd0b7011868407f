"""Replies and errors as each protocol writes them, checked against botocore's service models.

Never fixes a reply: a wrong one is raised, so that the fake cannot drift from the API.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from sandbox.aws.calls import AwsError, Request

MODEL_NAMES = {
    "cloudhsm": "cloudhsmv2",
    "states": "stepfunctions",
    "servicequotas": "service-quotas",
}
CHECKED = frozenset({"kms", "cloudhsm", "cloudtrail", "cloudwatch", "events", "servicequotas"})
# Answered by AWS's front door for any operation, and so named by no operation's model.
COMMON_ERRORS = frozenset({
    "AccessDeniedException", "ThrottlingException", "ValidationException", "InternalFailure",
    "UnknownOperationException", "ServiceUnavailable", "SerializationException", "ValidationError",
})  # fmt: skip
# No model lists it for DeleteCluster, and the sandbox plays it if `blocked_by` says so.
UNPROVEN_ERRORS = frozenset({("cloudhsm:DeleteCluster", "CloudHsmClusterInUseException")})
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
}
THROTTLES = {"ec2": ("RequestLimitExceeded", 503), "query": ("Throttling", 400)}


class WrongReplyError(Exception):
    """The sandbox answered what AWS's model does not allow; the message says where."""


@dataclass(frozen=True)
class Reply:
    """An HTTP reply, ready for the wire. `error` is the code that it tells, if any."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    error: str | None = None
    message: str = ""
    result: dict[str, Any] | None = field(default=None, repr=False)


@cache
def model_of(service: str) -> ServiceModel:
    """Botocore's model of a service by its name in policies."""
    session = botocore.session.get_session()
    return ServiceModel(
        session.get_component("data_loader").load_service_model(
            MODEL_NAMES.get(service, service), "service-2"
        )
    )


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    return model_of(service).operation_model(operation)


def check_result(service: str, operation: str, *, result: dict[str, Any]) -> None:
    """Walk a result along its output shape: members, required ones, enums, types."""
    shape = operation_model(service, operation).output_shape
    if shape is None:
        if result:
            raise WrongReplyError(f"{service}:{operation} answers nothing, not {sorted(result)}")
        return
    _walk(shape, result, at=f"{service}:{operation}")


def check_error(request: Request, code: str) -> None:
    """An error must stand in the operation's model, or be one that any operation may answer."""
    if code in COMMON_ERRORS or (request.name, code) in UNPROVEN_ERRORS:
        return
    shapes = operation_model(request.service, request.operation).error_shapes
    if code not in {shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes}:
        raise WrongReplyError(f"{request.name} has no error {code} in botocore's model")


def _walk(shape: Shape, value: Any, *, at: str) -> None:
    if isinstance(shape, StructureShape):
        _walk_structure(shape, value, at=at)
    elif isinstance(shape, ListShape):
        _expect(value, (list,), at=at)
        for place, item in enumerate(value):
            _walk(shape.member, item, at=f"{at}[{place}]")
    elif isinstance(shape, MapShape):
        _expect(value, (dict,), at=at)
        for key, item in value.items():
            _walk(shape.key, key, at=f"{at} key")
            _walk(shape.value, item, at=f"{at}.{key}")
    else:
        _expect(value, JSON_TYPES[shape.type_name], at=at)
        if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
            raise WrongReplyError(f"{at} is {value!r}, none of {', '.join(shape.enum)}")


def _walk_structure(shape: StructureShape, value: Any, *, at: str) -> None:
    _expect(value, (dict,), at=at)
    for name in shape.required_members:
        if name not in value:
            raise WrongReplyError(f"{at} lacks the required {name}")
    for name, item in value.items():
        if name not in shape.members:
            raise WrongReplyError(f"{at} has no member {name} in botocore's model")
        _walk(shape.members[name], item, at=f"{at}.{name}")


def _expect(value: Any, types: tuple[type, ...], *, at: str) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        names = " or ".join(kind.__name__ for kind in types)
        raise WrongReplyError(f"{at} is a {type(value).__name__}, not a {names}")


def render(request: Request, result: dict[str, Any], *, request_id: str) -> Reply:
    """A result in the protocol of its request."""
    if request.protocol == "json":
        body = json.dumps(result, default=_plain).encode()
        headers = (("Content-Type", "application/x-amz-json-1.1"),)
        return Reply(200, body, (*headers, ("x-amzn-RequestId", request_id)), result=result)
    operation = get_service_model(request.service).operation_model(request.operation)
    serializer = get_serializer_class(request.service, request.protocol)(
        operation, SerializationContext(request_id=request_id)
    )
    written = serializer.serialize(result)
    text = written["body"]
    body = text.encode() if isinstance(text, str) else bytes(text)
    headers = (("Content-Type", "text/xml"),)
    return Reply(200, body, (*headers, ("x-amzn-RequestId", request_id)), result=result)


def render_error(request: Request, error: AwsError, *, request_id: str) -> Reply:
    """An error in the protocol of its request."""
    headers: tuple[tuple[str, str], ...] = (("x-amzn-RequestId", request_id),)
    if request.protocol in ("json", "rest-json"):
        label = "Message" if request.service == "cloudhsm" else "message"
        told = {"__type": error.code, label: error.message}
        body = json.dumps(told)
        headers += (("x-amzn-ErrorType", error.code), ("Content-Type", "application/json"))
    else:
        body = _xml_error(request.protocol, error, request_id=request_id)
        headers += (("Content-Type", "text/xml"),)
    return Reply(error.status, body.encode(), headers, error=error.code, message=error.message)


def throttled(request: Request) -> AwsError:
    """What this service says when asked too often."""
    if request.service == "lambda":
        return AwsError("TooManyRequestsException", "Rate exceeded", status=429)
    code, status = THROTTLES.get(request.protocol, ("ThrottlingException", 400))
    return AwsError(code, "Rate exceeded", status=status)


def injected(request: Request, code: str | None) -> AwsError:
    """An error by its code alone, with the status that the service's model gives it."""
    if code is None:
        return AwsError("InternalFailure", "An internal error occurred.", status=500)
    denied = code.startswith("AccessDenied")
    if denied and request.protocol == "ec2":
        text = "You are not authorized to perform this operation."
        return AwsError("UnauthorizedOperation", text, status=403)
    if denied and request.protocol not in ("json", "rest-json"):
        return AwsError("AccessDenied", "Not authorized to perform this action.", status=403)
    text = f"not authorized to perform: {request.name}" if denied else "Injected by the scenario."
    return AwsError(code, text, status=_status_of(request.service, code))


def _status_of(service: str, code: str) -> int:
    if code in ("InternalFailure", "InternalError", "InternalServerError"):
        return 500
    if code == "ServiceUnavailable":
        return 503
    try:
        for shape in model_of(service).error_shapes:
            told = shape.metadata.get("error", {})
            if code in (shape.name, told.get("code")):
                return int(told.get("httpStatusCode", 500 if shape.metadata.get("fault") else 400))
    except botocore.exceptions.DataNotFoundError:  # it signs by another name than its model has
        pass
    return 400


def _xml_error(protocol: str, error: AwsError, *, request_id: str) -> str:
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol == "ec2":
        return (
            f"<Response><Errors><Error>{inner}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    if protocol == "rest-xml":
        return f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    side = "Receiver" if error.status >= 500 else "Sender"
    return (
        f"<ErrorResponse><Error><Type>{side}</Type>{inner}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")
