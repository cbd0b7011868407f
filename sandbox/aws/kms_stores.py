"""Custom key stores of AWS KMS: connection states, and what each call needs.

State rules: "Connection state" in the KMS developer guide, and the exceptions of botocore's model.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_store_checks import (
    check_cluster,
    get_cluster,
    get_store,
    is_off,
    no_keys,
    not_found,
    wrong_state,
)
from sandbox.aws.paging import page
from sandbox.aws.regions import (
    TRUST_ANCHOR,
    Cluster,
    KeyStore,
    Login,
    Phase,
    Region,
    Regions,
    new_id,
)
from sandbox.aws.subnets import why_not_connected

Handler = Callable[[RequestContext], dict[str, Any]]
STORES_PER_REGION = 10
# The model requires none of them, as external key stores do without.
NEEDED = ("CloudHsmClusterId", "KeyStorePassword", "TrustAnchorCertificate")
LINGER = timedelta(hours=1)  # of KMS's connections, in an AWS that lets them last
WRONG_PASSWORDS = 5  # in a row, after which kmsuser is locked out
# Errors that reconnecting can't fix: somebody has to put the cluster in order first.
IN_EVERY_COPY = frozenset({
    "INVALID_CREDENTIALS", "USER_LOCKED_OUT", "USER_NOT_FOUND", "USER_LOGGED_IN",
})  # fmt: skip
LASTING_ERRORS = IN_EVERY_COPY | {"SUBNET_NOT_FOUND", "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"}


def settle_stores(region: Region, now: datetime) -> None:
    """Finish the connections and disconnections that are due."""
    for store in region.stores.values():
        due = store.phase.until
        if due is None or now < due:
            continue
        if store.phase.then == "CONNECTED":
            store.error = _log_in(region, store, at=due)
            store.phase = Phase("FAILED" if store.error else "CONNECTED")
        else:
            store.phase, store.error = Phase(store.phase.then), None
            linger = LINGER if "A-KMS-SESSIONS-END" in region.differs else timedelta(0)
            log_out(region, store, at=due + linger)


def log_out(region: Region, store: KeyStore, *, at: datetime) -> None:
    for login in region.logins:
        if login.store_id == store.id and login.end is None:
            login.end = at


def _log_in(region: Region, store: KeyStore, *, at: datetime) -> str | None:
    """Connect a store, which sets a new password of kmsuser; or the error that it ends with."""
    if (cluster := region.clusters.get(store.cluster_id)) is None:
        return store.flaw or "CLUSTER_NOT_FOUND"
    knows = store.password == cluster.contents.password or "A-OTHER-PASSWORD" in region.differs
    error = store.flaw or _why_not(region, cluster, knows_password=knows, at=at)
    if error is None:
        cluster.wrong_passwords = 0
        cluster.contents.passwords.append(at)
        store.password = at
        region.logins.append(Login(store.id, store.cluster_id, at))
    return error


def _why_not(region: Region, cluster: Cluster, *, knows_password: bool, at: datetime) -> str | None:
    if not cluster.active_zones(at):
        return "INSUFFICIENT_CLOUDHSM_HSMS"
    trouble = why_not_connected(region, cluster, now=at)
    if trouble or knows_password:
        return trouble
    cluster.wrong_passwords += 1
    is_locked = cluster.wrong_passwords >= WRONG_PASSWORDS
    return "USER_LOCKED_OUT" if is_locked else "INVALID_CREDENTIALS"


class KeyStores:
    """The operations on custom key stores. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "CreateCustomKeyStore": self.create,
            "DescribeCustomKeyStores": self.describe,
            "ConnectCustomKeyStore": self.connect,
            "DisconnectCustomKeyStore": self.disconnect,
            "UpdateCustomKeyStore": self.update,
            "DeleteCustomKeyStore": self.delete,
        }

    def create(self, visit: RequestContext) -> dict[str, Any]:
        region, name, cluster_id = self._region(visit), *_checked(visit)
        anchor = visit.params["TrustAnchorCertificate"]
        for store in region.stores.values():
            same = (name, cluster_id, anchor) == (store.name, store.cluster_id, store.trust_anchor)
            if same and store.phase.state == "DISCONNECTED":
                visit.changed = False
                return {"CustomKeyStoreId": store.id}
        self._name_is_free(region, name)
        cluster = get_cluster(region, cluster_id)
        self._cluster_is_free(region, cluster)
        check_cluster(cluster, visit.now, zones=2)
        if _bare(anchor) != _bare(TRUST_ANCHOR):
            text = f"This is not the trust anchor certificate of cluster {cluster.id}."
            raise AwsError("IncorrectTrustAnchorException", text)
        if len(region.stores) >= STORES_PER_REGION:
            raise AwsError("LimitExceededException", "Too many custom key stores in this Region.")
        store = KeyStore(
            id=new_id("cks-", 17),
            name=name,
            cluster_id=cluster_id,
            phase=Phase("DISCONNECTED"),
            lineage=cluster.certificate,
            created=visit.now,
            trust_anchor=anchor,
            password=cluster.contents.password,
        )
        region.stores[store.id] = store
        return {"CustomKeyStoreId": store.id}

    def describe(self, visit: RequestContext) -> dict[str, Any]:
        region, params = self._region(visit), visit.params
        wanted, name = params.get("CustomKeyStoreId"), params.get("CustomKeyStoreName")
        if wanted is not None and name is not None:
            text = "Give CustomKeyStoreId or CustomKeyStoreName, and not both."
            raise AwsError("ValidationException", text)
        stores = {
            store.id: store
            for store in region.stores.values()
            if wanted in (None, store.id) and name in (None, store.name)
        }
        if (wanted or name) and not stores:
            raise not_found(str(wanted or name))
        chosen, more = page(params, stores, default=100, most=1000)
        return {"CustomKeyStores": [_described(stores[store_id]) for store_id in chosen], **more}

    def connect(self, visit: RequestContext) -> dict[str, Any]:
        region, store = self._find(visit)
        if store.phase.state in ("CONNECTED", "CONNECTING"):
            visit.changed = False
            return {}
        if store.phase.state != "DISCONNECTED":
            raise wrong_state(store)
        if cluster := region.clusters.get(store.cluster_id):
            check_cluster(cluster, visit.now, zones=1)
        store.phase = Phase("CONNECTING", visit.now + self._regions.durations.connect, "CONNECTED")
        return {}

    def disconnect(self, visit: RequestContext) -> dict[str, Any]:
        _, store = self._find(visit)
        if store.phase.state in ("DISCONNECTING", "DISCONNECTED"):
            raise wrong_state(store)
        until = visit.now + self._regions.durations.disconnect
        store.phase = Phase("DISCONNECTING", until, "DISCONNECTED")
        return {}

    def update(self, visit: RequestContext) -> dict[str, Any]:
        region, store = self._find(visit)
        params, name = visit.params, visit.params.get("NewCustomKeyStoreName")
        cluster_id = params.get("CloudHsmClusterId")
        moves = cluster_id is not None or "KeyStorePassword" in params
        allowed = ("DISCONNECTED",) if moves else ("DISCONNECTED", "CONNECTED")
        if store.phase.state not in allowed:
            raise wrong_state(store)
        if name is not None and name != store.name:
            self._name_is_free(region, name)
        if cluster_id is not None:
            self._check_move(store, get_cluster(region, cluster_id), now=visit.now)
            if cluster_id != store.cluster_id and store.flaw not in IN_EVERY_COPY:
                store.flaw = None
            store.cluster_id = cluster_id
        if "KeyStorePassword" in params:
            learn_password(region, store)
        store.name = name or store.name
        return {}

    def delete(self, visit: RequestContext) -> dict[str, Any]:
        region, store = self._find(visit)
        checks = [partial(no_keys, region, store), partial(is_off, store)]
        for check in reversed(checks) if "A-ORDER-OF-CHECKS" in region.differs else checks:
            check()
        del region.stores[store.id]
        return {}

    def _region(self, visit: RequestContext) -> Region:
        return self._regions.at(visit.account, visit.region)

    def _find(self, visit: RequestContext) -> tuple[Region, KeyStore]:
        region, store_id = self._region(visit), visit.params["CustomKeyStoreId"]
        store = get_store(region, store_id)
        visit.remarks = {"customKeyStoreName": store.name, "clusterId": store.cluster_id}
        return region, store

    def _name_is_free(self, region: Region, name: str) -> None:
        if any(store.name == name for store in region.stores.values()):
            raise AwsError("CustomKeyStoreNameInUseException", f"The name {name} is in use.")

    def _cluster_is_free(self, region: Region, cluster: Cluster) -> None:
        """A store in this Region may have neither this cluster nor one of the same backups."""
        for store in region.stores.values():
            if store.lineage == cluster.certificate:
                raise AwsError(
                    "CloudHsmClusterInUseException",
                    f"Cluster {cluster.id} is associated with a custom key store, "
                    "or shares a backup history with one that is.",
                )

    def _check_move(self, store: KeyStore, cluster: Cluster, *, now: datetime) -> None:
        if cluster.state(now) != "ACTIVE":
            check_cluster(cluster, now, zones=2)
        if store.lineage != cluster.certificate:
            raise AwsError(
                "CloudHsmClusterNotRelatedException",
                f"Cluster {cluster.id} has another cluster certificate than {store.cluster_id}.",
            )
        check_cluster(cluster, now, zones=2)


def _checked(visit: RequestContext) -> tuple[str, str]:
    """Name and cluster of a new store, once all is there that a store on CloudHSM needs."""
    params = visit.params
    if params.get("CustomKeyStoreType", "AWS_CLOUDHSM") != "AWS_CLOUDHSM":
        raise AwsError("ValidationException", "The sandbox has no external key stores.")
    if lacking := next((name for name in NEEDED if name not in params), None):
        raise AwsError("ValidationException", f"A key store on CloudHSM needs {lacking}.")
    return params["CustomKeyStoreName"], params["CloudHsmClusterId"]


def _bare(certificate: str) -> str:
    """A certificate without its armour and line breaks."""
    lines = (line.strip() for line in certificate.splitlines())
    return "".join(line for line in lines if not line.startswith("-----"))


def learn_password(region: Region, store: KeyStore) -> None:
    """Somebody who knows it tells KMS the password that kmsuser has in the store's cluster."""
    if cluster := region.clusters.get(store.cluster_id):
        store.password, cluster.wrong_passwords = cluster.contents.password, 0
    store.flaw = None


def _described(store: KeyStore) -> dict[str, Any]:
    described = {
        "CustomKeyStoreId": store.id,
        "CustomKeyStoreName": store.name,
        "CloudHsmClusterId": store.cluster_id,
        "TrustAnchorCertificate": store.trust_anchor,
        "ConnectionState": store.phase.state,
        "CreationDate": store.created,
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }
    if store.phase.state == "FAILED" and store.error:
        described["ConnectionErrorCode"] = store.error
    return described
