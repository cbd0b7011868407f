"""HsmSessionCount tells who uses an HSM: KMS's own sessions, other programs, or nobody knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.sandbox.aws.aws_stand import CLUSTER, NOW, STORE, WORLD, Stand


def sessions(
    stand: Stand, *, minutes: int = 15, stat: str = "Maximum", period: int = 60, **dimensions: Any
) -> list[float]:
    now = stand.clock.now()
    wanted = {"ClusterId": CLUSTER, **dimensions}
    metric = {
        "Namespace": "AWS/CloudHSM",
        "MetricName": "HsmSessionCount",
        "Dimensions": [{"Name": name, "Value": value} for name, value in wanted.items()],
    }
    (series,) = stand.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {"Id": "a", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}
        ],
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        ScanBy="TimestampAscending",
    )["MetricDataResults"]
    return list(series["Values"])


def seeded(stand: Stand, clients: Any) -> None:
    first, *others = WORLD["clusters"]
    stand.seed(clusters=[{**first, "clients": clients, "health_sessions": 0}, *others])


def test_a_connected_store_holds_two_sessions_on_each_hsm(stand: Stand) -> None:
    seeded(stand, 0)
    assert sessions(stand) == [2.0] * 15
    assert sessions(stand, stat="Sum", minutes=5, period=300) == [20.0]
    stand.client("kms").disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    assert sessions(stand, minutes=1) == [2.0]
    stand.advance(minutes=5)
    assert sessions(stand) == [2.0] * 10 + [0.0] * 5


def test_other_programs_sessions_stay_after_the_disconnect(stand: Stand) -> None:
    seeded(stand, 3)
    assert sessions(stand, minutes=1) == [4.0]
    stand.client("kms").disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    assert sessions(stand, minutes=5) == [2.0] * 5, "three sessions over two HSMs"


def test_awss_own_connections_stay_on_each_hsm_after_the_disconnect(stand: Stand) -> None:
    first, *others = WORLD["clusters"]
    stand.seed(clusters=[first, *others])
    assert sessions(stand, minutes=1) == [4.0]
    stand.client("kms").disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    for stat in ("Minimum", "Maximum"):
        for hsm in stand.client("cloudhsmv2").describe_clusters()["Clusters"][0]["Hsms"]:
            found = sessions(stand, minutes=5, stat=stat, HsmId=hsm["HsmId"])
            assert found == [2.0] * 5


def test_what_nobody_measures_has_no_datapoints(stand: Stand) -> None:
    seeded(stand, "unknown")
    assert sessions(stand) == []


def test_a_deleted_hsm_counts_no_more(stand: Stand) -> None:
    seeded(stand, 0)
    hsm = stand.client("cloudhsmv2")
    gone, stays = (one["HsmId"] for one in hsm.describe_clusters()["Clusters"][0]["Hsms"])
    hsm.delete_hsm(ClusterId=CLUSTER, HsmId=gone)
    stand.advance(minutes=5)
    assert sessions(stand, minutes=5, HsmId=gone) == []
    assert sessions(stand, minutes=5, HsmId=stays) == [2.0] * 5
    assert sessions(stand, minutes=10, HsmId=gone) == [2.0] * 5
    assert stand.clock.now() == NOW + timedelta(minutes=5)
