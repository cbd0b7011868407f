"""A slice of `make fuzz`, and what it once found."""

from __future__ import annotations

import pytest

from chalicelib.aws.cloudtrail import NotOursError, failed_delete, key_uses
from chalicelib.slack.requests import UnreadableError, parse
from sandbox.reliability.corpus import CODES, DELETE, OWN, USE, button, life
from sandbox.reliability.fuzz import SHARES, Fuzz, _encoded
from sandbox.reliability.mutate import as_json
from tests.reliability.profiles import THOROUGH

pytestmark = pytest.mark.any_words


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")


@pytest.mark.parametrize("seed", range(3 if THOROUGH else 1))
def test_nothing_breaks(seed: int) -> None:
    found = Fuzz(seed).feed(7_000 if THOROUGH else 400)
    assert found.broken == {}
    assert set(found.fed) == set(SHARES)
    seen = ("case opened", "event refused", "HTTP 200", "HTTP 400", "HTTP 401", "item loaded")
    assert all(found.answers[what] for what in seen), found.answers


def test_the_unspoiled_is_taken() -> None:
    failed_delete(DELETE, codes=CODES, own_roles=OWN)
    assert [use.key_id for use in key_uses(USE, own_roles=())[0]] == ["key-0"]
    moments = life()
    assert moments[-1].items
    assert parse(_encoded({"payload": as_json(button("case-a", "retire"))})).action == "retire"


def test_half_a_character_is_refused_before_it_is_sealed() -> None:
    payload = button("case-a", "retire") | {"trigger_id": "\ud800"}
    with pytest.raises(UnreadableError):
        parse(_encoded({"payload": as_json(payload)}))


@pytest.mark.parametrize(
    "detail",
    [
        {"resources": 5},
        {"resources": ["arn"]},
        {"resources": [{"ARN": ["x"]}], "requestParameters": "x"},
        {"eventName": ["Decrypt"]},
    ],
)
def test_odd_records_of_use_are_refused(detail: dict[str, object]) -> None:
    with pytest.raises(NotOursError):
        key_uses({**USE, "detail": {**USE["detail"], **detail}}, own_roles=())
