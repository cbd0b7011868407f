"""What stands idle, broken or empty in an account’s Region, from one survey of it. Decides nothing, and opens no case.

Unknown is never idle: what could not be read is said as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial

from chalicelib.domain.rules.sessions import NO_KMS, Verdict, verdict
from chalicelib.domain.state.snapshot import NO_OTHERS, Cluster, Key, KeyStore, OtherUse, StoreState

HOURS_A_MONTH = 730
RETIRED_TYPE = "hsm1.medium"
"""Can’t be created any more: a cluster of this type that loses an HSM does not get it back."""


class Concern(StrEnum):
    """Why somebody should look, most urgent first."""

    BROKEN_STORE = "broken_store"
    CLUSTER_LOST = "cluster_lost"
    KEYS_GOING = "keys_going"
    STORE_OFF = "store_off"
    IDLE = "idle"
    HOLDS_NOTHING = "holds_nothing"
    RETIRED = "retired_type"
    UNKNOWN_USE = "unknown_use"
    UNREAD = "unread"


@dataclass(frozen=True)
class Held:
    """A key store and all its keys."""

    store: KeyStore
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Survey:
    """One Region of one account. `use` has what else was seen on each cluster with HSMs, by its id.

    `unread` lists, in words, what AWS refused to tell.
    """

    account: str
    region: str
    at: datetime
    clusters: tuple[Cluster, ...] = ()
    stores: tuple[Held, ...] = ()
    use: Mapping[str, OtherUse] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def on(self, cluster: Cluster) -> tuple[Held, ...]:
        return tuple(h for h in self.stores if h.store.cluster_id == cluster.cluster_id)


@dataclass(frozen=True)
class Remark:
    """`number` counts what the concern is about; `at` is its moment; `detail` is in AWS’s words."""

    concern: Concern
    cluster_id: str = ""
    key_store_id: str = ""
    number: int = 0
    at: datetime | None = None
    detail: str = ""


def monthly_cost(cluster: Cluster, *, hour_price: float) -> float:
    """Dollars for the HSMs that it has now."""
    return len(cluster.live_hsms) * hour_price * HOURS_A_MONTH


def last_use(held: Iterable[Held]) -> datetime | None:
    """Of any key of these stores; None if no use is known."""
    uses = (key.last_use.at for one in held for key in one.keys)
    return max((at for at in uses if at), default=None)


def judge(survey: Survey, *, idle_days: int) -> tuple[Remark, ...]:
    """All remarks, most urgent first."""
    remarks = [*_of_stores(survey), *_of_clusters(survey, idle_days=idle_days)]
    remarks += [Remark(Concern.UNREAD, detail=what) for what in survey.unread]
    order = list(Concern)
    return tuple(sorted(remarks, key=lambda remark: order.index(remark.concern)))


def _of_stores(survey: Survey) -> Iterator[Remark]:
    known = {cluster.cluster_id for cluster in survey.clusters}
    for held in survey.stores:
        store, live = held.store, sum(key.is_live for key in held.keys)
        about = partial(Remark, cluster_id=store.cluster_id, key_store_id=store.key_store_id)
        if store.cluster_id not in known and not survey.unread:
            yield about(Concern.CLUSTER_LOST, number=live)
        elif store.state is StoreState.FAILED:
            yield about(Concern.BROKEN_STORE, number=live, detail=store.error)
        elif store.state is StoreState.DISCONNECTED:
            yield about(Concern.STORE_OFF, number=live)
        going = [key for key in held.keys if not key.is_live]
        if going:
            first = min((k.deletion_date for k in going if k.deletion_date), default=None)
            yield about(Concern.KEYS_GOING, number=len(going), at=first)


def _of_clusters(survey: Survey, *, idle_days: int) -> Iterator[Remark]:
    for cluster in survey.clusters:
        if cluster.hsm_type == RETIRED_TYPE:
            yield Remark(Concern.RETIRED, cluster.cluster_id, detail=cluster.hsm_type)
        if not cluster.live_hsms:
            continue
        held = survey.on(cluster)
        judged = _used(survey, cluster, held, days=idle_days)
        number = len(cluster.live_hsms)
        if judged is None:
            yield Remark(Concern.UNKNOWN_USE, cluster.cluster_id, number=number)
        elif not judged:
            concern = Concern.IDLE if held else Concern.HOLDS_NOTHING
            yield Remark(concern, cluster.cluster_id, number=number, at=last_use(held))


def _used(survey: Survey, cluster: Cluster, held: tuple[Held, ...], *, days: int) -> bool | None:
    """Whether anybody used it within the last days; None if that can’t be told."""
    keys = [key for one in held for key in one.keys]
    if any(key.used_within(survey.at, days=days) for key in keys):
        return True
    if cluster.was_never_activated:
        return False
    foreign = _used_by_others(survey.use.get(cluster.cluster_id, NO_OTHERS), held)
    if foreign:
        return True
    unknown = any(key.unread or key.use_is_unknown(survey.at, days=days) for key in keys)
    return None if unknown or survey.unread or foreign is None else False


def _used_by_others(use: OtherUse, held: tuple[Held, ...]) -> bool | None:
    """While a store is connected its own sessions hide others’, and network interfaces decide."""
    if any(one.store.state not in NO_KMS for one in held):
        return None if use.interfaces is None else bool(use.interfaces)
    judged = verdict(use)
    if judged is Verdict.USE:
        return True
    return False if judged is Verdict.QUIET else None
