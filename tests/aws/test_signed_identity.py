"""Who signed is what STS says, of a request that names this case and this plan, and of no other."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from chalicelib.aws.signed_identity import BODY, SignedIdentity
from chalicelib.failures import RequestError, TemporaryError
from chalicelib.ports import SignedCancel, SignedPlan

ARN = "arn:aws:sts::111122223333:assumed-role/security/grace"
WHO = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>{ARN}</Arn><Account>111122223333</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
REFUSED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
    "<Message>x</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)
PLAN = "b" * 64
HUB = "abc123.execute-api.us-east-1.amazonaws.com"
MEANT = {"X-Unlatch-Plan": PLAN}
CANCELS = {"X-Unlatch-Cancel": hashlib.sha256(b"wrong one").hexdigest()}


@dataclass
class Sts:
    """STS's place: what it answers, and what it was sent."""

    status: int = 200
    body: str = WHO
    heard: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def sts() -> Iterator[Sts]:
    it = Sts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = {name.lower(): value for name, value in self.headers.items()}
            it.heard.append({**told, "body": sent})
            self.send_response(it.status)
            self.send_header("Content-Length", str(len(it.body)))
            self.end_headers()
            self.wfile.write(it.body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    it.url = f"http://127.0.0.1:{server.server_port}"
    yield it
    server.shutdown()
    server.server_close()


def identity(sts: Sts, *, late: timedelta = timedelta()) -> SignedIdentity:
    client = boto3.client(
        "sts",
        endpoint_url=sts.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(proxies={}),
    )
    return SignedIdentity(client, HUB, lambda: datetime.now(UTC) + late)


def signed(sts: Sts, *, meant: Mapping[str, str] = MEANT, **more: str) -> SignedPlan:
    headers = {"X-Unlatch-Hub": HUB, "X-Unlatch-Case": "case-1", **meant, **more}
    request = AWSRequest("POST", f"{sts.url}/", headers=headers, data=BODY)
    SigV4Auth(Credentials("AKIA", "secret", "token"), "sts", "us-east-1").add_auth(request)
    return SignedPlan("case-1", f"{sts.url}/", BODY, dict(request.headers.items()), PLAN)


def cancelling(sts: Sts, *, meant: Mapping[str, str] = CANCELS) -> SignedCancel:
    it = signed(sts, meant=meant)
    return SignedCancel(it.case_id, it.url, it.body, it.headers, "wrong one")


def test_it_is_whoever_sts_says(sts: Sts) -> None:
    assert identity(sts)(signed(sts)) == ARN
    (heard,) = sts.heard
    assert heard["body"] == BODY
    assert heard["x-unlatch-plan"] == PLAN
    assert heard["authorization"].startswith("AWS4-HMAC-SHA256 ")


def test_the_host_may_stand_among_the_headers(sts: Sts) -> None:
    it = signed(sts)
    named = {**it.headers, "Host": sts.url.removeprefix("http://")}
    assert identity(sts)(replace(it, headers=named)) == ARN


def test_so_it_is_for_a_cancel_and_its_reason(sts: Sts) -> None:
    assert identity(sts)(cancelling(sts)) == ARN


def test_a_signature_for_a_plan_is_none_for_a_cancel(sts: Sts) -> None:
    for spoilt, words in (
        (cancelling(sts, meant=MEANT), "signature must cover"),
        (cancelling(sts, meant={**MEANT, **CANCELS}), "signature must cover"),
        (signed(sts, meant=CANCELS), "signature must cover"),
        (replace(cancelling(sts), reason="another"), "Another case or plan"),
    ):
        with pytest.raises(RequestError, match=words):
            identity(sts)(spoilt)
    assert sts.heard == []


def test_what_was_signed_for_another_deployment_is_refused(sts: Sts) -> None:
    other: dict[str, Any] = {"X-Unlatch-Hub": "evil.execute-api.us-east-1.amazonaws.com"}
    elsewhere = signed(sts, **other)
    with pytest.raises(RequestError, match=r"It was signed for evil\..*, and this is abc123\."):
        identity(sts)(elsewhere)
    assert sts.heard == []


def with_headers(it: SignedPlan, **changed: str) -> SignedPlan:
    return replace(it, headers={**it.headers, **changed})


def without(it: SignedPlan, name: str) -> SignedPlan:
    return replace(it, headers={k: v for k, v in it.headers.items() if k != name})


Spoil = Callable[[SignedPlan], SignedPlan]
SPOILT: list[tuple[str, Spoil, str]] = [
    ("another body", lambda it: replace(it, body="Action=GetSessionToken"), "must be exactly"),
    ("another host", lambda it: replace(it, url="https://evil.example/"), "must be signed for"),
    ("no signature", lambda it: without(it, "Authorization"), "signature must cover"),
    ("rubbish", lambda it: with_headers(it, Authorization="Basic abc"), "signature must cover"),
    ("an unsigned header", lambda it: with_headers(it, Cookie="a=b"), "signature must cover"),
    ("a signed one is missing", lambda it: without(it, "X-Unlatch-Plan"), "signature must cover"),
    ("twice", lambda it: with_headers(it, **{"x-unlatch-case": "case-1"}), "is there twice"),
    ("another case", lambda it: replace(it, case_id="case-2"), "Another case or plan"),
    ("another plan", lambda it: replace(it, plan_hash="c" * 64), "Another case or plan"),
    ("no time", lambda it: with_headers(it, **{"X-Amz-Date": "today"}), "is no time"),
    ("an old one", lambda it: with_headers(it, **{"X-Amz-Date": "20200101T000000Z"}), "five minutes"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "spoil", "words"), SPOILT, ids=[row[0] for row in SPOILT])
def test_what_is_spoilt_is_not_even_sent(sts: Sts, why: str, spoil: Spoil, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        identity(sts)(spoil(signed(sts)))
    assert refused.value.status == 401, why
    assert sts.heard == []


def test_a_strange_header_is_refused_though_it_is_signed(sts: Sts) -> None:
    strange: dict[str, Any] = {"X-Forwarded-Host": "evil.example"}
    with pytest.raises(RequestError, match="signature must cover"):
        identity(sts)(signed(sts, **strange))
    assert sts.heard == []


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_it_is_good_for_five_minutes(sts: Sts, late: timedelta) -> None:
    with pytest.raises(RequestError, match="five minutes"):
        identity(sts, late=late)(signed(sts))
    assert identity(sts, late=late * 4 / 6)(signed(sts)) == ARN


def test_an_answer_that_is_neither_yes_nor_an_error_names_nobody(sts: Sts) -> None:
    sts.status = 202
    with pytest.raises(RequestError, match=r"does not accept the signature \(202\)"):
        identity(sts)(signed(sts))


def test_a_signature_that_sts_refuses_counts_for_nothing(sts: Sts) -> None:
    sts.status, sts.body = 403, REFUSED
    with pytest.raises(
        RequestError, match=r"does not accept the signature \(InvalidClientTokenId\)"
    ):
        identity(sts)(signed(sts))


def test_an_answer_without_an_arn_says_nothing(sts: Sts) -> None:
    sts.body = WHO.replace(f"<Arn>{ARN}</Arn>", "")
    with pytest.raises(TemporaryError, match="can’t be read"):
        identity(sts)(signed(sts))


@pytest.mark.parametrize(("status", "body"), [(503, ""), (200, "<half"), (200, "no xml")])
def test_an_sts_in_trouble_is_asked_again_later(sts: Sts, status: int, body: str) -> None:
    sts.status, sts.body = status, body
    with pytest.raises(TemporaryError):
        identity(sts)(signed(sts))


def test_an_sts_that_is_not_there_is_asked_again_later(sts: Sts) -> None:
    sts.url = "http://127.0.0.1:1"
    with pytest.raises(TemporaryError, match="did not answer"):
        identity(sts)(signed(sts))
