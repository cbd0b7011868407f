"""Who calls: access keys, and the role sessions behind them. Knows callers; grants nothing."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sandbox.clock import Clock

NO_TAGS: Mapping[str, str] = MappingProxyType({})
SSO_PREFIX = "AWSReservedSSO_"
KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Credentials:
    """What an SDK signs with."""

    access_key_id: str
    secret_access_key: str
    session_token: str


@dataclass(frozen=True)
class Identity:
    """The caller behind an access key. `arn` is the caller's, `role` the role's behind a session."""

    account: str
    arn: str
    access_key: str
    since: datetime
    role_arn: str | None = None
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    policy: str | None = None
    deployment: bool = False

    @property
    def role(self) -> str:
        return self.role_arn or self.arn

    @property
    def session_name(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def user_name(self) -> str:
        """As CloudTrail's Username: the session's name, the user's, or root."""
        return self.session_name if "/" in self.arn else "root"

    @property
    def principal_id(self) -> str:
        return f"{_unique_id('AROA', self.role)}:{self.session_name}"

    def as_recorded(self) -> dict[str, Any]:
        """The userIdentity of a CloudTrail record."""
        about = {"arn": self.arn, "accountId": self.account, "accessKeyId": self.access_key}
        if self.role_arn is None:
            if self.arn.endswith(":root"):
                return {"type": "Root", "principalId": self.account, **about}
            user = {"userName": self.session_name}
            return {
                "type": "IAMUser",
                "principalId": _unique_id("AIDA", self.arn),
                **about,
                **user,
            }
        return {
            "type": "AssumedRole",
            "principalId": self.principal_id,
            **about,
            "sessionContext": self._session_context(),
        }

    def _session_context(self) -> dict[str, Any]:
        context: dict[str, Any] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": _unique_id("AROA", self.role),
                "arn": self.role_arn,
                "accountId": self.account,
                "userName": self.role.rsplit("/", 1)[-1],
            },
            "attributes": {
                "creationDate": self.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "mfaAuthenticated": "false",
            },
        }
        if self.source_identity:
            context["sourceIdentity"] = self.source_identity
        return context


class Identities:
    """Every access key of the sandbox. A key that nobody issued is the hub's root user."""

    def __init__(self, clock: Clock, *, hub: str) -> None:
        self._clock = clock
        self._hub = hub
        self._lock = threading.Lock()
        self._by_key: dict[str, Identity] = {}
        self._secrets: dict[str, str] = {}

    def register(
        self,
        account: str,
        arn: str,
        *,
        role_arn: str | None = None,
        source_identity: str | None = None,
        tags: Mapping[str, str] = NO_TAGS,
        policy: str | None = None,
        deployment: bool = False,
    ) -> Credentials:
        """Issue credentials that act as this ARN (a user, root, or a session assumed-role/R/S)."""
        access_key = "ASIA" + "".join(secrets.choice(KEY_ALPHABET) for _ in range(16))
        identity = Identity(
            account=account,
            arn=arn,
            access_key=access_key,
            since=self._clock.now(),
            role_arn=role_arn or role_of_session(arn),
            source_identity=source_identity,
            tags=MappingProxyType(dict(tags)),
            policy=policy,
            deployment=deployment,
        )
        issued = Credentials(access_key, secrets.token_hex(20), secrets.token_urlsafe(48))
        with self._lock:
            self._by_key[access_key] = identity
            self._secrets[access_key] = issued.secret_access_key
        return issued

    def secret_of(self, access_key: str) -> str | None:
        """What this key signs with; None for a key that nobody issued."""
        with self._lock:
            return self._secrets.get(access_key)

    def find(self, access_key: str) -> Identity:
        """The caller behind this access key."""
        with self._lock:
            known = self._by_key.get(access_key)
        if known is not None:
            return known
        root = f"arn:aws:iam::{self._hub}:root"
        return Identity(self._hub, root, access_key, since=self._clock.now())


def role_of_session(arn: str) -> str | None:
    """The role behind arn:aws:sts::A:assumed-role/R/S; None for other callers."""
    head, _, tail = arn.partition(":assumed-role/")
    if not tail:
        return None
    account, role = head.rsplit(":", 1)[-1], tail.rsplit("/", 1)[0]
    path = "aws-reserved/sso.amazonaws.com/" if role.startswith(SSO_PREFIX) else ""
    return f"arn:aws:iam::{account}:role/{path}{role}"


def _unique_id(prefix: str, arn: str) -> str:
    digest = hashlib.sha256(arn.encode()).digest()
    return prefix + "".join(KEY_ALPHABET[byte % 32] for byte in digest[:17])
