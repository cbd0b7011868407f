"""Custom key stores follow the state rules that the KMS documentation gives."""

from __future__ import annotations

from typing import Any

from sandbox.aws.regions import TRUST_ANCHOR
from tests.sandbox.aws.aws_stand import CLUSTER, SIBLING, STORE, STRANGER, WORLD, Stand, refused

NEW = {"TrustAnchorCertificate": TRUST_ANCHOR, "KeyStorePassword": "kmsPswd1"}


def state(kms: Any, store: str = STORE) -> str:
    (found,) = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
    return str(found["ConnectionState"])


def in_state(store_state: str, **more: Any) -> dict[str, Any]:
    return {
        **WORLD,
        "key_stores": [{"id": STORE, "cluster": CLUSTER, "state": store_state, **more}],
    }


def test_a_store_takes_its_time_to_disconnect_and_connect(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    assert state(kms) == "DISCONNECTING"
    stand.advance(minutes=4)
    assert state(kms) == "DISCONNECTED"
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    assert state(kms) == "CONNECTING"
    stand.advance(minutes=10)
    assert state(kms) == "CONNECTED"


def test_each_call_is_refused_in_the_states_that_kms_names(stand: Stand) -> None:
    wrong = "CustomKeyStoreInvalidStateException"
    for held, connect, disconnect, update in (
        ("CONNECTED", None, None, wrong),
        ("CONNECTING", None, None, wrong),
        ("DISCONNECTED", None, wrong, None),
        ("DISCONNECTING", wrong, wrong, wrong),
        ("FAILED", wrong, None, wrong),
    ):
        for method, expected, params in (
            ("connect_custom_key_store", connect, {}),
            ("disconnect_custom_key_store", disconnect, {}),
            ("update_custom_key_store", update, {"CloudHsmClusterId": SIBLING}),
        ):
            stand.seed(in_state(held))
            call = getattr(stand.client("kms"), method)
            if expected is None:
                call(CustomKeyStoreId=STORE, **params)
            else:
                assert refused(call, CustomKeyStoreId=STORE, **params) == expected, (held, method)


def test_a_store_with_keys_or_connected_is_not_deleted(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    assert (
        refused(kms.delete_custom_key_store, CustomKeyStoreId=STORE)
        == "CustomKeyStoreHasCMKsException"
    )
    stand.seed(keys=[])
    stand.server.regions.at("111122223333", "us-east-1").keys.clear()
    assert (
        refused(kms.delete_custom_key_store, CustomKeyStoreId=STORE)
        == "CustomKeyStoreInvalidStateException"
    )
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    kms.delete_custom_key_store(CustomKeyStoreId=STORE)
    assert (
        refused(kms.describe_custom_key_stores, CustomKeyStoreId=STORE)
        == "CustomKeyStoreNotFoundException"
    )


def test_a_store_moves_only_to_a_related_active_cluster_with_hsms_in_two_zones(
    stand: Stand,
) -> None:
    world = in_state("DISCONNECTED")
    small = {"id": "cluster-5d6e7f2a3b4", "hsms": 1, "certificate": "lineage-a"}
    asleep = {
        "id": "cluster-6e7f2a3b4c5",
        "hsms": 2,
        "certificate": "lineage-a",
        "state": "DEGRADED",
    }
    stand.seed({**world, "clusters": [*WORLD["clusters"], small, asleep]})
    kms = stand.client("kms")
    for cluster, code in (
        (STRANGER, "CloudHsmClusterNotRelatedException"),
        (small["id"], "CloudHsmClusterInvalidConfigurationException"),
        (asleep["id"], "CloudHsmClusterNotActiveException"),
        ("cluster-7f2a3b4c5d6", "CloudHsmClusterNotFoundException"),
    ):
        call = kms.update_custom_key_store
        assert refused(call, CustomKeyStoreId=STORE, CloudHsmClusterId=cluster) == code
    kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=SIBLING)
    (found,) = kms.describe_custom_key_stores()["CustomKeyStores"]
    assert found["CloudHsmClusterId"] == SIBLING


def test_a_store_is_refused_for_each_reason_that_kms_documents(stand: Stand) -> None:
    clusters = [
        {"id": CLUSTER},
        {"id": SIBLING, "hsms": 1},
        {"id": STRANGER, "state": "DEGRADED"},
    ]
    stand.seed({"clusters": clusters})
    kms = stand.client("kms")

    def code(cluster: Any = CLUSTER, **more: Any) -> str:
        wanted = {"CustomKeyStoreName": "new", "CloudHsmClusterId": cluster, **NEW, **more}
        given = {name: value for name, value in wanted.items() if value is not None}
        return refused(kms.create_custom_key_store, **given)

    assert code("cluster-aaaaaaaaaaa") == "CloudHsmClusterNotFoundException"
    assert code(STRANGER) == "CloudHsmClusterNotActiveException"
    assert code(SIBLING) == "CloudHsmClusterInvalidConfigurationException"
    assert code(TrustAnchorCertificate="another") == "IncorrectTrustAnchorException"
    for lacking in (*NEW, "CloudHsmClusterId"):
        assert code(**{lacking: None}) == "ValidationException"
    assert code(CustomKeyStoreType="EXTERNAL_KEY_STORE") == "ValidationException"


def test_there_are_ten_stores_at_most(stand: Stand) -> None:
    clusters = [{"id": f"cluster-{letter * 11}"} for letter in "abcdefghijk"]
    stores = [
        {"id": f"cks-{n}", "cluster": cluster["id"]} for n, cluster in enumerate(clusters[:10])
    ]
    stand.seed({"clusters": clusters, "key_stores": stores})
    create = stand.client("kms").create_custom_key_store
    wanted = {"CustomKeyStoreName": "eleventh", "CloudHsmClusterId": clusters[10]["id"], **NEW}
    assert refused(create, **wanted) == "LimitExceededException"


def test_a_lost_clusters_relatives_stay_taken(stand: Stand) -> None:
    clusters = [{"id": SIBLING, "certificate": f"lineage of {CLUSTER}"}]
    stand.seed({"clusters": clusters, "key_stores": [{"id": STORE, "cluster": CLUSTER}]})
    create = stand.client("kms").create_custom_key_store
    wanted = {"CustomKeyStoreName": "new", "CloudHsmClusterId": SIBLING, **NEW}
    assert refused(create, **wanted) == "CloudHsmClusterInUseException"


def test_a_store_is_asked_for_by_id_or_by_name(stand: Stand) -> None:
    stand.seed()
    describe = stand.client("kms").describe_custom_key_stores
    both = {"CustomKeyStoreId": STORE, "CustomKeyStoreName": "payments"}
    assert refused(describe, **both) == "ValidationException"


def test_a_second_store_on_the_same_lineage_is_refused(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    params, create = NEW, kms.create_custom_key_store
    for cluster in (CLUSTER, SIBLING):
        code = refused(create, CustomKeyStoreName="two", CloudHsmClusterId=cluster, **params)
        assert code == "CloudHsmClusterInUseException"
    code = refused(create, CustomKeyStoreName="payments", CloudHsmClusterId=STRANGER, **params)
    assert code == "CustomKeyStoreNameInUseException"
    made = create(CustomKeyStoreName="two", CloudHsmClusterId=STRANGER, **params)
    again = create(CustomKeyStoreName="two", CloudHsmClusterId=STRANGER, **params)
    assert made["CustomKeyStoreId"] == again["CustomKeyStoreId"]
    assert state(kms, made["CustomKeyStoreId"]) == "DISCONNECTED"


def test_a_failed_store_tells_why_and_fails_again_where_reconnecting_mends_nothing(
    stand: Stand,
) -> None:
    for error, after in (("INVALID_CREDENTIALS", "FAILED"), ("NETWORK_ERRORS", "CONNECTED")):
        stand.seed(in_state("FAILED", error=error))
        kms = stand.client("kms")
        (found,) = kms.describe_custom_key_stores()["CustomKeyStores"]
        assert found["ConnectionErrorCode"] == error
        kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
        stand.advance(minutes=4)
        kms.connect_custom_key_store(CustomKeyStoreId=STORE)
        stand.advance(minutes=10)
        assert state(kms) == after, error


def test_connecting_needs_an_active_hsm(stand: Stand) -> None:
    world = in_state("DISCONNECTED")
    stand.seed({**world, "clusters": [{"id": CLUSTER, "hsms": 0}]})
    assert (
        refused(stand.client("kms").connect_custom_key_store, CustomKeyStoreId=STORE)
        == "CloudHsmClusterInvalidConfigurationException"
    )


def test_connecting_to_a_cluster_that_is_gone_fails_later(stand: Stand) -> None:
    stand.seed({**in_state("DISCONNECTED"), "clusters": []})
    kms = stand.client("kms")
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    (found,) = kms.describe_custom_key_stores()["CustomKeyStores"]
    assert (found["ConnectionState"], found["ConnectionErrorCode"]) == (
        "FAILED",
        "CLUSTER_NOT_FOUND",
    )


def test_stores_come_in_pages(stand: Stand) -> None:
    stores = [
        {"id": f"cks-{n:017x}", "cluster": f"cluster-{n}", "state": "DISCONNECTED"}
        for n in range(5)
    ]
    stand.seed({"key_stores": stores})
    pages = stand.client("kms").get_paginator("describe_custom_key_stores")
    found = [len(p["CustomKeyStores"]) for p in pages.paginate(PaginationConfig={"PageSize": 2})]
    assert found == [2, 2, 1]


def test_connecting_a_connected_store_changes_nothing(stand: Stand) -> None:
    stand.seed()
    stand.client("kms").connect_custom_key_store(CustomKeyStoreId=STORE)
    assert not stand.server.calls[-1].landed
    assert stand.server.calls[-1].error is None
