"""The types of AWS's clients by the name of their service. For the type checker alone: never loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

if TYPE_CHECKING:
    from mypy_boto3_cloudhsmv2 import CloudHSMV2Client
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


class Clients(Protocol):
    """Makes clients of one account and Region, as one role."""

    @overload
    def __call__(self, service: Literal["cloudhsmv2"], /) -> CloudHSMV2Client: ...
    @overload
    def __call__(self, service: Literal["cloudtrail"], /) -> CloudTrailClient: ...
    @overload
    def __call__(self, service: Literal["cloudwatch"], /) -> CloudWatchClient: ...
    @overload
    def __call__(self, service: Literal["dynamodb"], /) -> DynamoDBClient: ...
    @overload
    def __call__(self, service: Literal["ec2"], /) -> EC2Client: ...
    @overload
    def __call__(self, service: Literal["kms"], /) -> KMSClient: ...
    @overload
    def __call__(self, service: Literal["secretsmanager"], /) -> SecretsManagerClient: ...
    @overload
    def __call__(self, service: Literal["ssm"], /) -> SSMClient: ...
    @overload
    def __call__(self, service: Literal["stepfunctions"], /) -> SFNClient: ...
    @overload
    def __call__(self, service: Literal["sts"], /) -> STSClient: ...
    @overload
    def __call__(self, service: str, /) -> Any: ...


class MakesClients(Protocol):
    """Makes one client, with these credentials or the function's own."""

    def __call__(
        self,
        service: str,
        region: str,
        credentials: Mapping[str, str] | None,
        /,
    ) -> Any: ...
