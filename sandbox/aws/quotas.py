"""Service Quotas ListServiceQuotas for KMS: how often its operations may be asked. Limits nothing.

The quota of GetKeyLastUsage is not published; the sandbox takes that of ListGrants for it.
"""

from __future__ import annotations

from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.regions import Regions

PER_SECOND = {"DescribeKey": 2000, "GetKeyLastUsage": 100, "ListGrants": 100, "ListKeys": 500}
FEW = 10  # of an AWS that lets GetKeyLastUsage be asked less often


class Quotas:
    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def answer(self, visit: RequestContext) -> dict[str, Any] | None:
        """The result, or None if moto answers. Raises AwsError."""
        if visit.request.operation != "ListServiceQuotas":
            return None
        service = visit.params["ServiceCode"]
        if service != "kms":
            raise AwsError("NoSuchResourceException", f"The sandbox has no quotas of {service}.")
        return {"Quotas": [_quota(name, self._most(name)) for name in PER_SECOND]}

    def _most(self, operation: str) -> int:
        is_few = operation == "GetKeyLastUsage" and "A-LAST-USAGE-RATE" in self._regions.differs
        return FEW if is_few else PER_SECOND[operation]


def _quota(operation: str, most: int) -> dict[str, Any]:
    return {
        "ServiceCode": "kms",
        "ServiceName": "AWS Key Management Service (AWS KMS)",
        "QuotaName": f"{operation} request rate",
        "Value": float(most),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "Period": {"PeriodValue": 1, "PeriodUnit": "SECOND"},
    }
