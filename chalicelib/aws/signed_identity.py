"""Who signed a GetCallerIdentity request: asks STS by sending it on. Sends nothing else, nowhere else.

The signature covers the deployment, the case, and the plan or the cancel's reason, so that STS
vouches for who means what (Vault's IAM login works the same way), and nobody who was given one can
use it elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_never

from chalicelib.failures import Code, RequestError, TemporaryError
from chalicelib.ports import Signed, SignedCancel, SignedPlan

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient


BODY = "Action=GetCallerIdentity&Version=2011-06-15"
HUB, CASE = "x-unlatch-hub", "x-unlatch-case"
PLAN, CANCEL = "x-unlatch-plan", "x-unlatch-cancel"
MUST = frozenset({"host", "x-amz-date", HUB, CASE})
MAY = frozenset({"content-type", "x-amz-security-token"})
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[\w/.-]+/aws4_request, SignedHeaders=([a-z0-9;-]+), "
    r"Signature=[0-9a-f]{64}"
)
OLDEST = timedelta(minutes=5)
WITHIN_SECONDS = 3
AGAIN = "Run the command again."


@dataclass(frozen=True)
class SignedIdentity:
    """`sts` is the hub's client: its endpoint is the only one that requests are sent to.

    `hub` is the host that the API was called by: no two deployments share one.
    """

    sts: STSClient
    hub: str
    clock: Callable[[], datetime]

    def __call__(self, signed: Signed) -> str:
        """The ARN of whoever signed. Raises Refused, or TemporaryError if STS does not answer."""
        endpoint = self.sts.meta.endpoint_url
        headers = self._checked(signed, endpoint)
        status, body = self._sent(f"{endpoint.rstrip('/')}/", headers)
        if status >= 500:
            raise TemporaryError("STS is busy", code=Code.BUSY)
        told = self._parsed(status, body)
        if status == 200 and not told.get("Arn"):
            raise TemporaryError("STS’s answer can’t be read", code=Code.UNREADABLE)
        if status != 200:
            code = told.get("Error", {}).get("Code", status)
            raise RequestError(401, f"AWS does not accept the signature ({code}). {AGAIN}")
        return str(told["Arn"])

    def _checked(self, signed: Signed, endpoint: str) -> dict[str, str]:
        """The headers to send: those that the signature covers, and no others."""
        if signed.body != BODY:
            raise RequestError(401, f"The signed body must be exactly {BODY}.")
        if signed.url.rstrip("/").lower() != endpoint.rstrip("/").lower():
            raise RequestError(401, f"The request must be signed for {endpoint}.")
        headers = {name.lower(): value for name, value in signed.headers.items()}
        authorization = headers.pop("authorization", "")
        found = AUTHORIZATION.fullmatch(authorization)
        names = set(found[1].split(";")) if found else set()
        meant = self._meant(signed)
        must = MUST | set(meant)
        strange = names - must - MAY
        if not names >= must or strange or names - {"host"} != set(headers) - {"host"}:
            wanted = ", ".join(sorted(must))
            raise RequestError(401, f"The signature must cover {wanted} and every header sent.")
        if len(headers) + 1 != len(signed.headers):
            raise RequestError(401, "A header is there twice.")
        if headers[HUB].lower() != self.hub.lower():
            raise RequestError(401, f"It was signed for {headers[HUB]}, and this is {self.hub}.")
        if any(headers[name] != value for name, value in meant.items()):
            raise RequestError(401, f"Another case or plan was signed than is asked for. {AGAIN}")
        self._check_age(headers["x-amz-date"])
        return {**headers, "authorization": authorization}

    def _meant(self, signed: Signed) -> dict[str, str]:
        """A signature for a plan is none for a cancel, and the other way round."""
        match signed:
            case SignedPlan():
                return {CASE: signed.case_id, PLAN: signed.plan_hash}
            case SignedCancel():
                reason = hashlib.sha256(signed.reason.encode()).hexdigest()
                return {CASE: signed.case_id, CANCEL: reason}
            case _:
                assert_never(signed)

    def _check_age(self, stamp: str) -> None:
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise RequestError(401, "X-Amz-Date is no time.") from None
        if abs(self.clock() - at) > OLDEST:
            raise RequestError(401, f"The signature is not of the last five minutes. {AGAIN}")

    def _sent(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
        from botocore.httpsession import URLLib3Session

        from chalicelib.aws.whole import torn_bytes

        plain = {name: value for name, value in headers.items() if name != "host"}
        request = AWSRequest("POST", url, headers=plain, data=BODY.encode()).prepare()
        try:
            reply = URLLib3Session(timeout=WITHIN_SECONDS).send(request)
            status, body = int(reply.status_code), bytes(reply.content)
        except (BotoCoreError, ValueError) as error:
            raise TemporaryError("STS did not answer", code=Code.NO_ANSWER) from error
        if torn_bytes(body, reply.headers):
            raise TemporaryError("STS’s answer can’t be read", code=Code.UNREADABLE)
        return status, body

    def _parsed(self, status: int, body: bytes) -> Mapping[str, Any]:
        from botocore.parsers import ResponseParserError, create_parser

        model = self.sts.meta.service_model
        shape = model.operation_model("GetCallerIdentity").output_shape
        reply = {"status_code": status, "headers": {}, "body": body}
        try:
            assert shape is not None, "GetCallerIdentity has an output"
            told: Mapping[str, Any] = create_parser("query").parse(reply, shape)
        except ResponseParserError as error:
            raise TemporaryError("STS’s answer can’t be read", code=Code.UNREADABLE) from error
        return told
