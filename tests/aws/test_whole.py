"""A reply that broke off is tried again and then a failed read: for each operation that the code calls."""

from __future__ import annotations

import ast
from binascii import crc32
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.errors import translated
from chalicelib.aws.session import fast_session
from chalicelib.aws.whole import MARKS, TornReplyError
from chalicelib.failures import TemporaryError
from tests.aws.replies import REPLIES

ROOT = Path(__file__).parents[2]
OPERATIONS = [(service, name) for service, replies in REPLIES.items() for name in replies]
KEYS: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
ACTS, READS = 1, 4
"""Attempts: as wiring has them for calls that change something and for all others."""


class Raw:
    """urllib3's side of a reply."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class Line:
    """Clients whose requests this answers, in turn; the last answer stays."""

    def __init__(self, attempts: int) -> None:
        self._session = fast_session()
        self._attempts = attempts
        self.answers: list[AWSResponse] = []
        self.asked = 0

    def client(self, service: str) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            parameter_validation=False,
        )
        client: Any = self._session.create_client(service, "us-east-1", config=config, **KEYS)
        client.meta.events.register("before-send", self._answer)
        return client

    def _answer(self, **_: object) -> AWSResponse:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def reply(body: bytes, *, status: int = 200, **headers: str) -> AWSResponse:
    named: Any = {name.replace("_", "-"): value for name, value in headers.items()}
    named["content-length"] = named.get("content-length", str(len(body)))
    return AWSResponse("https://aws", status, named, Raw(body))


def body_of(service: str, operation: str) -> bytes:
    return REPLIES[service][operation].encode()


def ask(client: Any, operation: str) -> Any:
    call: Callable[[], Any] = getattr(client, xform_name(operation))
    return call()


def cuts(body: bytes) -> Iterator[bytes]:
    """Many of the beginnings of a body. Nothing may stand for “{}”: that is how KMS says yes."""
    ends = {*range(0, len(body), max(1, len(body) // 12)), max(len(body) - 1, 0)}
    yield from (body[:end] for end in sorted(ends) if body[:end] or body not in {b"{}", b""})


@pytest.fixture(scope="module")
def lines() -> Mapping[int, tuple[Line, Mapping[str, Any]]]:
    """Clients of both kinds, made once: that takes longer than all their requests."""
    made = {}
    for attempts in (ACTS, READS):
        line = Line(attempts)
        made[attempts] = line, {service: line.client(service) for service in REPLIES}
    return made


@pytest.fixture(autouse=True)
def _botocore_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_whole_reply_is_believed(lines: Any, service: str, operation: str) -> None:
    for line, clients in lines.values():
        body = body_of(service, operation)
        line.asked, line.answers = 0, [reply(body, x_amz_crc32=str(crc32(body)))]
        told = ask(clients[service], operation)
        assert line.asked == 1
        assert set(MARKS[operation]) <= set(told)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_reply_that_was_cut_is_tried_again(lines: Any, service: str, operation: str) -> None:
    """Length and checksum fit what is left: only the words tell."""
    body = body_of(service, operation)
    line, clients = lines[READS]
    for cut in cuts(body):
        line.asked, line.answers = 0, [reply(cut), reply(body)]
        told = ask(clients[service], operation)
        assert line.asked == 2, cut
        assert set(MARKS[operation]) <= set(told)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_reply_that_stays_cut_is_a_failed_read(lines: Any, service: str, operation: str) -> None:
    body = body_of(service, operation)
    for cut in [*cuts(body)][-2:]:
        line, clients = lines[ACTS]
        line.asked, line.answers = 0, [reply(cut)]
        with pytest.raises(TornReplyError):
            ask(clients[service], operation)
        assert line.asked == 1, "a call that changes something is never sent twice"


TORN = [
    ("the connection closed early", reply(b'{"Keys": []}', content_length="20")),
    ("the checksum is that of another body", reply(b'{"Keys": []}', x_amz_crc32="7")),
    ("an empty object", reply(b"{}")),
    ("nothing", reply(b"")),
    ("more pages, and not where", reply(b'{"Keys": [], "Truncated": true}')),
    ("null for a list", reply(b'{"Keys": null}')),
    ("a list of something else", reply(b'{"Keys": [7]}')),
    ("a number for a list", reply(b'{"Keys": 7}')),
    ("no text", reply(b'{"Keys": [{"KeyId": "\xff"}]}')),
    ("another page", reply(b"<html>Welcome to the hotel</html>")),
    ("an error that broke off", reply(b'{"__type": "NotFoundExc', status=400)),
    ("an error without a body", reply(b"", status=403)),
    ("half an error", reply(b'{"__type": "NotFoundException"}', status=400, content_length="90")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "torn"), TORN, ids=[why for why, _ in TORN])
def test_what_else_is_no_whole_reply(lines: Any, why: str, torn: AWSResponse) -> None:
    for line, clients in lines.values():
        line.asked, line.answers = 0, [torn]
        with (
            pytest.raises(TemporaryError) as failed,
            translated("kms:ListKeys", role="", account=""),
        ):
            clients["kms"].list_keys()
        assert failed.value.unknown, f"{why}: what the request did is not known"
        assert line.asked in (ACTS, READS)


def test_an_error_of_aws_is_still_one(lines: Any) -> None:
    line, clients = lines[READS]
    body = b'{"__type": "NotFoundException", "message": "no such key"}'
    line.asked, line.answers = 0, [reply(body, status=400)]
    with pytest.raises(ClientError) as refused:
        clients["kms"].describe_key()
    assert refused.value.response["Error"] == {
        "Code": "NotFoundException",
        "Message": "no such key",
    }
    assert line.asked == 1


def test_a_busy_server_may_answer_with_any_page(lines: Any) -> None:
    line, clients = lines[ACTS]
    line.asked, line.answers = 0, [reply(b"<html>503</html>", status=503)]
    with pytest.raises(TemporaryError) as busy, translated("sts:AssumeRole", role="", account=""):
        clients["sts"].assume_role()
    assert busy.value.unknown


def test_every_operation_that_the_code_calls_has_its_marks(lines: Any) -> None:
    """Found in the source by the names that botocore gives them, also those of pages."""
    clients = lines[ACTS][1].values()
    names = {
        method: name for one in clients for method, name in one.meta.method_to_api_mapping.items()
    }
    called = set()
    for path in (ROOT / "chalicelib" / "aws").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in names:
                called.add(names[node.attr])
            if isinstance(node, ast.Constant) and node.value in names:
                called.add(names[str(node.value)])
    called |= {"GetSecretValue"}  # wiring reads the secrets of Slack itself
    assert called == set(MARKS)
    assert {name for _, name in OPERATIONS} == set(MARKS), "and a reply that these tests cut"
