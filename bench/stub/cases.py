"""A table with many open cases in one place, and the AWS that they are about: a cluster and a key store each."""

from __future__ import annotations

import copy
from typing import Any

from bench import inputs
from bench.stub.answers import Answers
from chalicelib.aws.store import codec
from sandbox.reliability.table import Item, MemoryTable
from tests.flows.cloud import CLUSTER, HUB, REGION, STORE, world

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def case_id(number: int) -> str:
    return f"case-{number:010d}"


def cluster_id(number: int) -> str:
    return "cluster-" + "".join(LETTERS[number >> shift & 31] for shift in range(50, -1, -5))


class Crowd(Answers):
    """`count` cases, copies of one that waits for people; each has a cluster and a store of its own."""

    def __init__(self, table: MemoryTable, secrets: dict[str, str], count: int) -> None:
        super().__init__(table, secrets)
        case = inputs.waiting_case(table)
        first = {sk: item for (pk, sk), item in table.items.items() if pk == f"CASE#{case.case_id}"}
        table.items.clear()
        for number in range(count):
            names = {
                case.case_id: case_id(number),
                CLUSTER: cluster_id(number),
                STORE: f"cks-{number:017x}",
            }
            for item in map(copy.deepcopy, first.values()):
                _put(table, renamed(item, names))
            where = f"{HUB}#{REGION}#{cluster_id(number)}"
            _put(table, {"pk": "OPEN", "sk": where, "case_id": names[case.case_id]})
        seen = world()
        assert seen.cluster, "it is there"
        hsms = [
            {"HsmId": hsm.hsm_id, "State": "ACTIVE", "AvailabilityZone": hsm.zone}
            for hsm in seen.cluster.hsms
        ]
        self._clusters = [
            {"ClusterId": cluster_id(number), "State": "ACTIVE", "Hsms": hsms}
            for number in range(count)
        ]
        self._stores = [
            {
                "CustomKeyStoreId": f"cks-{number:017x}",
                "CustomKeyStoreName": "payments",
                "CloudHsmClusterId": cluster_id(number),
                "CustomKeyStoreType": "AWS_CLOUDHSM",
                "ConnectionState": "CONNECTED",
            }
            for number in range(count)
        ]

    def _other(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "DescribeClusters":
                return {"Clusters": self._clusters}
            case "DescribeCustomKeyStores":
                return {"CustomKeyStores": self._stores, "Truncated": False}
            case "LookupEvents":
                return {"Events": []}
            case "DescribeExecution":
                times = {"startDate": 1.0, "executionArn": asked["executionArn"]}
                return {"status": "RUNNING", "stateMachineArn": "arn", **times}
        return super()._other(operation, asked)


def renamed(item: Item, names: dict[str, str]) -> Item:
    """The same with these ids in the place of others, in packed texts too."""
    return {name: _renamed(value, names) for name, value in item.items()}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    match value:
        case str():
            for old, new in names.items():
                value = value.replace(old, new)
            return value
        case bytes():
            return codec.packed(_renamed(codec.text_of(value), names))
        case list():
            return [_renamed(one, names) for one in value]
    return value


def _put(table: MemoryTable, item: Item) -> None:
    table.items[item["pk"], item["sk"]] = item
