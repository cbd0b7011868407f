"""The brake: one parameter of Systems Manager, out of reach of whoever can write the table. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.aws.denials import OWN
from chalicelib.aws.errors import translated
from chalicelib.failures import PermanentError, TemporaryError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


OFF = "off"
"""The parameter's value while nobody has stopped anything."""


@dataclass(frozen=True)
class SsmBrake:
    """`ssm` is the hub's Systems Manager client."""

    ssm: SSMClient
    name: str

    def why(self) -> str:
        """Who stopped all changes and why, in words; "" if nobody did. Unreadable counts as stopped."""
        try:
            with translated("ssm:GetParameter", **OWN):
                value = str(self.ssm.get_parameter(Name=self.name)["Parameter"]["Value"])
        except (TemporaryError, PermanentError) as trouble:
            return f"the brake can’t be read ({trouble.reason.removesuffix('.')})"
        return "" if value == OFF else value
