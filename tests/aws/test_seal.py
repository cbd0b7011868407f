"""The seal over an approval: KMS makes it, KMS checks it, nothing else counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from chalicelib.aws.seal import KmsSeal
from chalicelib.failures import PermanentError, TemporaryError


def client() -> Any:
    keys: Any = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client("kms", region_name="us-east-1", **keys)


@pytest.fixture
def seal(monkeypatch: pytest.MonkeyPatch) -> Iterator[KmsSeal]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        kms = client()
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
        yield KmsSeal(kms, key["KeyId"])


def test_a_seal_holds_for_its_text_alone(seal: KmsSeal) -> None:
    made = seal.make("case-a\napprove\nalice’s reason 🔑" + "x" * 10_000)
    assert seal.holds("case-a\napprove\nalice’s reason 🔑" + "x" * 10_000, made)
    assert not seal.holds("case-a\napprove\nmallory", made)


@pytest.mark.parametrize("forged", ["", "x", "AAAA====", "ä", "c2VhbA==", "  "])
def test_what_is_no_seal_does_not_hold(seal: KmsSeal, forged: str) -> None:
    assert not seal.holds("case-a", forged)


@pytest.mark.parametrize(
    ("code", "word"),
    [("ThrottlingException", TemporaryError), ("AccessDeniedException", PermanentError)],
)
def test_trouble_is_no_verdict(code: str, word: type[Exception]) -> None:
    kms = client()
    with Stubber(kms) as stub:
        wanted = {"KeyId": ANY, "Message": ANY, "MacAlgorithm": "HMAC_SHA_256", "Mac": ANY}
        stub.add_client_error("verify_mac", code, expected_params=wanted)
        with pytest.raises(word):
            KmsSeal(kms, "alias/seal").holds("case-a", "c2VhbA==")


def test_a_text_that_is_known_to_be_sealed_is_not_sealed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.aws.seal.MOST_REMEMBERED", 2)
    asked: list[bytes] = []

    class Kms:
        def generate_mac(self, *, Message: bytes, **_: object) -> dict[str, bytes]:  # noqa: N803
            asked.append(Message)
            return {"Mac": Message}

    kms: Any = Kms()
    seal = KmsSeal(kms, "key")
    assert seal.make("a") == seal.make("a") != seal.make("b")
    assert len(asked) == 2
    seal.make("c")
    seal.make("a")
    assert len(asked) == 4, "of very many none is remembered for good"
