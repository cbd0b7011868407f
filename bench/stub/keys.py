"""An account with many KMS keys, some of them in one key store; answers by JSON, page after page."""

from __future__ import annotations

import json
import uuid
from typing import Any

HUB, REGION = "111122223333", "us-east-1"
STORE, CLUSTER = "cks-1234567890abcdef0", "cluster-2a3b4c5d6e7"
QUOTAS = {
    "DescribeKey": 2_000,
    "ListKeys": 500,
    "ListAliases": 500,
    "ListGrants": 100,
    "ListResourceTags": 2_000,
    "GetKeyLastUsage": 100,
    "DescribeCustomKeyStores": 5,
}
"""AWS's defaults, requests a second; GetKeyLastUsage's is not published (as in chalicelib/aws/rate_limit.py)."""
LONG_AGO = 1_740_000_000.0


class Keys:
    """`count` keys in the account; the first `mine` of them are in the key store."""

    def __init__(self, count: int, mine: int) -> None:
        self.ids = [
            str(uuid.UUID(int=number * 0x9E3779B97F4A7C15 % 2**128)) for number in range(count)
        ]
        self._mine = set(self.ids[:mine])

    def answer(self, target: str, body: bytes) -> tuple[int, dict[str, Any] | bytes]:
        asked = json.loads(body)
        match target.partition(".")[2]:
            case "DescribeKey":
                return 200, self._metadata(asked["KeyId"])
            case "ListKeys":
                return 200, self._page(int(asked.get("Marker", 0)), asked.get("Limit", 100))
            case "ListAliases":
                return 200, {"Aliases": [], "Truncated": False}
            case "ListGrants":
                return 200, {"Grants": [], "Truncated": False}
            case "ListResourceTags":
                return 200, {"Tags": [], "Truncated": False}
            case "GetKeyLastUsage":
                return 200, {"KeyLastUsage": {}, "TrackingStartDate": LONG_AGO}
            case "DescribeCustomKeyStores":
                return 200, {"CustomKeyStores": [self._store()], "Truncated": False}
        return 400, {"__type": "UnknownOperationException"}

    def _page(self, start: int, limit: int) -> dict[str, Any]:
        end = start + limit
        found = [{"KeyId": key_id, "KeyArn": arn(key_id)} for key_id in self.ids[start:end]]
        more = end < len(self.ids)
        return {"Keys": found, "Truncated": more} | ({"NextMarker": str(end)} if more else {})

    def _metadata(self, key_id: str) -> dict[str, Any]:
        mine = key_id in self._mine
        metadata = {
            "AWSAccountId": HUB,
            "Arn": arn(key_id),
            "CreationDate": LONG_AGO,
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "Description": "",
            "Enabled": True,
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyId": key_id,
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "Origin": "AWS_CLOUDHSM" if mine else "AWS_KMS",
        }
        if mine:
            metadata |= {"CustomKeyStoreId": STORE, "CloudHsmClusterId": CLUSTER}
        return {"KeyMetadata": metadata}

    def _store(self) -> dict[str, Any]:
        return {
            "CustomKeyStoreId": STORE,
            "CustomKeyStoreName": "payments",
            "CloudHsmClusterId": CLUSTER,
            "CustomKeyStoreType": "AWS_CLOUDHSM",
            "ConnectionState": "CONNECTED",
            "CreationDate": LONG_AGO,
        }


def arn(key_id: str) -> str:
    return f"arn:aws:kms:{REGION}:{HUB}:key/{key_id}"
