"""The fleet that sweeps and scans are measured on: quotas a place, sessions an account, one that hangs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bench.stub import fleet as stub
from bench.stub.fleet import HOME, HUB, REGIONS, Fleet

OTHER = str(int(HUB) + 1)


def client(fleet: Fleet, service: str, account: str, region: str = HOME) -> Any:
    """As the reader role’s session makes it."""
    sts = fleet.client("sts", HOME, None)
    role = {"RoleArn": f"arn:aws:iam::{account}:role/unlatch-reader", "RoleSessionName": "x1"}
    given = sts.assume_role(**role)["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
    }
    return fleet.client(service, region, keys)


def test_each_place_has_quotas_of_its_own() -> None:
    fleet = Fleet(2, latency=0)
    here, there = (client(fleet, "cloudtrail", HUB), client(fleet, "cloudtrail", OTHER))
    for trail in (here, here, there, there):
        assert trail.lookup_events()["Events"] == []
    with pytest.raises(ClientError):
        here.lookup_events()
    assert fleet.throttled == 1


def test_clusters_and_keys_are_spread_over_the_places() -> None:
    fleet = Fleet(4, latency=0, clusters=8, keys=80)
    held = [place for place in fleet.places.values() if place.keys]
    assert (len(held), len(fleet.places)) == (8, 4 * len(REGIONS))
    described = client(fleet, "cloudhsmv2", HUB).describe_clusters()["Clusters"]
    stores = client(fleet, "kms", HUB).describe_custom_key_stores()["CustomKeyStores"]
    assert [c["ClusterId"] for c in described] == [s["CloudHsmClusterId"] for s in stores]
    assert len(client(fleet, "kms", HUB).list_keys()["Keys"]) == 10
    nothing = client(fleet, "kms", HUB, REGIONS[1])
    assert nothing.describe_custom_key_stores()["CustomKeyStores"] == []


def test_one_account_hangs_and_the_others_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub, "GIVES_UP_SECONDS", 0.0)
    fleet = Fleet(2, latency=0, hangs=OTHER)
    assert client(fleet, "cloudtrail", HUB).lookup_events()["Events"] == []
    for service in ("cloudtrail", "cloudhsmv2"):
        made = client(fleet, service, OTHER)
        with pytest.raises(ReadTimeoutError):
            made.lookup_events() if service == "cloudtrail" else made.describe_clusters()
