"""Checks the SigV4 signature of a request, as AWS does. Knows nothing of who may do what."""

from __future__ import annotations

import hmac
import re
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws.calls import AwsError, Request

SIGNED = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")
WRONG = "The request signature we calculated does not match the signature you provided."


def wrong_signature(
    environ: dict[str, Any], request: Request, *, secret: str | None
) -> AwsError | None:
    """What is wrong with the signature; None if it holds, and for keys that nobody issued."""
    if secret is None:
        return None
    found = SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found and hmac.compare_digest(_signature(environ, request, found[1], secret), found[2]):
        return None
    return AwsError("SignatureDoesNotMatch", WRONG, status=403)


def _signature(environ: dict[str, Any], request: Request, names: str, secret: str) -> str:
    """The signature that these headers and this body must have."""
    host = environ["HTTP_HOST"]
    headers = {name: _header(environ, name) for name in names.split(";") if name != "host"}
    signed = AWSRequest(
        environ["REQUEST_METHOD"],
        f"http://{host}{environ['PATH_INFO']}",
        headers=headers,
        data=request.body,
    )
    signed.context["timestamp"] = _header(environ, "x-amz-date")
    auth = SigV4Auth(Credentials(request.access_key, secret), request.service, request.region)
    return str(auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed))


def _header(environ: dict[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}", ""))
