"""A secret is read once, again if it may have been rotated, and not for each who says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from chalicelib.aws.secrets import Secrets


def test_it_is_read_again_once_a_while() -> None:
    asked: list[str] = []
    now = [datetime(2026, 3, 2, tzinfo=UTC)]

    def get_secret_value(**request: str) -> dict[str, str]:
        asked.append(request["SecretId"])
        return {"SecretString": f"value {len(asked)}"}

    manager: Any = SimpleNamespace(get_secret_value=get_secret_value)
    secrets = Secrets(lambda: manager, lambda: now[0])

    def value(secret_id: str = "a", *, fresh: bool = True, seconds: int = 60) -> str:
        return secrets.value(secret_id, str.upper, fresh=fresh, rest=timedelta(seconds=seconds))

    assert [value(fresh=False), value(fresh=False)] == ["VALUE 1", "VALUE 1"]
    assert [value(), value(), value()] == ["VALUE 2"] * 3, "once for the first, then it rests"
    assert value("b") == "VALUE 3", "each for itself"
    now[0] += timedelta(seconds=60)
    assert value() == "VALUE 4"
    assert value(seconds=0) == "VALUE 5"
