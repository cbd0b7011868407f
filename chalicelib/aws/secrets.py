"""Secrets of the hub's Secrets Manager, kept in memory once read. Never logs one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.denials import OWN
from chalicelib.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class Secrets:
    """`client` makes the hub's Secrets Manager client, on first use."""

    client: Callable[[], SecretsManagerClient]
    clock: Callable[[], datetime]
    _known: dict[str, str] = field(default_factory=dict)
    _read_again_at: dict[str, datetime] = field(default_factory=dict)

    def value(
        self,
        secret_id: str,
        parse: Callable[[str], str],
        *,
        fresh: bool,
        rest: timedelta = timedelta(0),
    ) -> str:
        """Raises TemporaryError or PermanentError. `fresh`: read again, but not within `rest` of the last time."""
        now = self.clock()
        before = self._read_again_at.get(secret_id, datetime.min.replace(tzinfo=UTC))
        again = fresh and now - before >= rest
        if again or secret_id not in self._known:
            with translated("secretsmanager:GetSecretValue", **OWN):
                reply = self.client().get_secret_value(SecretId=secret_id)
            self._known[secret_id] = parse(reply.get("SecretString") or "")
        if again:
            self._read_again_at[secret_id] = now
        return self._known[secret_id]
