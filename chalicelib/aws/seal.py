"""Seals approvals with a KMS MAC: who can write the table still can't forge one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from chalicelib.aws.denials import OWN
from chalicelib.aws.errors import translated
from chalicelib.failures import Code, PermanentError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


ALGORITHM: Final = "HMAC_SHA_256"
MOST_REMEMBERED = 10_000
"""Seals that a function remembers to have made."""


@dataclass(frozen=True)
class KmsSeal:
    """`kms` is the hub's KMS client; the key only makes and checks MACs."""

    kms: KMSClient
    key_id: str
    _made: dict[bytes, str] = field(default_factory=dict, compare=False)

    def make(self, text: str) -> str:
        """The seal over this text, in base64. KMS takes 4,096 bytes, so the text's hash is sealed.

        One text has one seal: who looks again at what is known to be sealed need not ask KMS again.
        """
        message = _message(text)
        seal = self._made.get(message) or self._asked_for(message)
        if len(self._made) >= MOST_REMEMBERED:
            self._made.clear()
        self._made[message] = seal
        return seal

    def _asked_for(self, message: bytes) -> str:
        with translated("kms:GenerateMac", **OWN):
            reply = self.kms.generate_mac(
                KeyId=self.key_id, Message=message, MacAlgorithm=ALGORITHM
            )
        return base64.b64encode(reply["Mac"]).decode()

    def holds(self, text: str, seal: str) -> bool:
        """False for any seal that KMS does not confirm, and for what is no seal at all."""
        try:
            mac = base64.b64decode(seal, validate=True)
        except ValueError:
            return False
        if not mac:
            return False
        try:
            with translated("kms:VerifyMac", **OWN):
                reply = self.kms.verify_mac(
                    KeyId=self.key_id, Message=_message(text), MacAlgorithm=ALGORITHM, Mac=mac
                )
        except PermanentError as stop:
            if stop.code is Code.MAC_WRONG:
                return False
            raise
        return bool(reply["MacValid"])


def _message(text: str) -> bytes:
    return hashlib.sha256(text.encode()).hexdigest().encode()
