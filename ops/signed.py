"""Asks the deployed API for something, signed with the operator’s AWS sign-in. Credentials stay on this machine.

What is posted is a GetCallerIdentity request that names the deployment, the case and what is meant.
Unlatch lets STS say who signed it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from ops.deployment import record
from ops.deployment.found import found
from ops.errors import OperatorError
from ops.expected import LOG_IN
from ops.hub import Hub

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
WITHIN_SECONDS = 30


def ask(
    hub: Hub, url: str, *, case_id: str, told: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    """The sentence that Unlatch answers with. `headers` are signed; `told` is posted beside them."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise OperatorError(f"{url} is no https URL, so nothing was sent.")
    about = {"X-Unlatch-Hub": urlsplit(url).netloc, "X-Unlatch-Case": case_id, **headers}
    status, text = _post(url, {"case_id": case_id, **told, **signed(hub, about)})
    if status != 200:  # HTTP's own
        raise OperatorError(text)
    return text


def signed(hub: Hub, about: Mapping[str, str]) -> dict[str, Any]:
    """The request for the hub’s STS, signed and not sent. The signature covers these headers."""
    url = str(hub.client("sts").meta.endpoint_url)
    headers = {"Content-Type": FORM, **about}
    request = AWSRequest("POST", f"{url.rstrip('/')}/", headers=headers, data=BODY)
    credentials = hub.session.get_credentials()
    if credentials is None:
        raise OperatorError("There are no AWS credentials.", LOG_IN)
    SigV4Auth(credentials.get_frozen_credentials(), "sts", hub.region).add_auth(request)
    return {"url": url, "body": BODY, "headers": dict(request.headers.items())}


def api_of(hub: Hub, *, given: str | None, path: str) -> str:
    """Where to post: as given, or else where this stage is deployed."""
    return f"{(given or deployed(hub)).rstrip('/')}/{path}"


def deployed(hub: Hub) -> str:
    """As AWS itself says; who may not look there takes what was noted down at the deployment."""
    try:
        urls = [r["rest_api_url"] for r in found(hub)["resources"] if "rest_api_url" in r]
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        noted = record.read(hub)
        urls = [noted.url] if noted else []
    if not urls:
        raise hub.not_deployed()
    return str(urls[0])


def _post(url: str, posted: dict[str, Any]) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(posted).encode(), headers)  # noqa: S310  # checked by ask
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as reply:  # noqa: S310  # same
            return reply.status, _sentence(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _sentence(error.read())


def _sentence(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    words = told.get("message") or told.get("Message") if isinstance(told, dict) else ""
    return str(words or "The answer could not be read.")
