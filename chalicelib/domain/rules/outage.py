"""Whether a key store serves its keys now, and if not, why. One rule for events, the sweep and decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from chalicelib.domain.rules.gone import until_sure
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Close
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.hsm_states import GOING
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Cluster, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger


class Outage(StrEnum):
    """Why the keys of a store fail; the value is a sentence's end, after “Its keys fail:”"""

    CLUSTER_GONE = "its cluster is deleted"
    NO_HSM = "its cluster has no HSM left"
    FAILED = "its connection failed"
    OFF = "it is disconnected"

    @property
    def is_silent(self) -> bool:
        """Nobody means a store to be so: it counts although nobody complains."""
        return self is not Outage.OFF


def outage_of(store: KeyStore, cluster: Cluster | None) -> Outage | None:
    """None while the store serves its keys, or is on its way from or to that.

    `cluster` is the store's own, None if AWS does not show it. AWS goes on showing CONNECTED when
    the HSMs are gone.
    """
    lost = loss_of(cluster)
    if lost is Outage.CLUSTER_GONE:
        return lost
    if store.state is StoreState.DISCONNECTED:
        return Outage.OFF
    if lost and store.state is not StoreState.DISCONNECTING:
        return lost
    return Outage.FAILED if store.state is StoreState.FAILED else None


def loss_of(cluster: Cluster | None) -> Outage | None:
    """Why this cluster can serve no store, whatever KMS shows of one; None if it may."""
    if cluster is None or cluster.state in GOING:
        return Outage.CLUSTER_GONE
    return None if cluster.live_hsms else Outage.NO_HSM


def cluster_in(clusters: Iterable[Cluster], cluster_id: str) -> Cluster | None:
    return next((cluster for cluster in clusters if cluster.cluster_id == cluster_id), None)


def outage_in(case: Case, snapshot: Snapshot) -> Outage | None:
    """Why the keys of the case's store fail now; None if they don't, or if nobody can tell.

    A store that is only switched off counts if somebody complained: it may be meant so.
    """
    store = snapshot.holder
    if store is None or snapshot.unread or not snapshot.keys:
        return None
    found = outage_of(store, snapshot.cluster)
    complained = case.trigger.is_outage or any(a.trigger.is_outage for a in case.attempts)
    return found if found is None or found.is_silent or complained else None


def turned(situation: Situation) -> Case:
    """The case as the world makes it: keys that are cut off under it make it an outage, kept or not."""
    case = situation.case
    found = outage_in(case, situation.snapshot)
    case = _renamed(situation, found)
    if not case.trigger.is_outage or situation.snapshot.unread:
        return case
    return replace(case, is_down=found is not None or _is_at_it(case, situation.snapshot))


def _renamed(situation: Situation, found: Outage | None) -> Case:
    case = situation.case
    is_lost = found is Outage.CLUSTER_GONE and until_sure(case, situation.now) is None
    told = bool(case.attempts) and case.attempts[-1].trigger.is_outage and found is not None
    is_new = not case.trigger.is_outage or (is_lost and case.trigger is Trigger.STORE_DOWN)
    if not is_new or not (is_lost or told) or (case.has_begun and case.plan is None):
        return case
    if case.keep:
        # As if the keep had lapsed: its click counts no longer.
        clicks = len(case.clicks)
        case = replace(case, phase=Phase.WAITING, outcome=None, closed_at=None, keep=None)
        case = replace(case, round=case.round + 1, reset_at_click=clicks)
    trigger = Trigger.CLUSTER_LOST if found in LOST else Trigger.STORE_DOWN
    return replace(case, trigger=trigger, reason="", expires_at=None)


LOST = (Outage.CLUSTER_GONE, Outage.NO_HSM)


def _is_at_it(case: Case, snapshot: Snapshot) -> bool:
    """A rescue is at an outage until its store is connected."""
    return case.is_rescue and not serves(case, snapshot)


def serves(case: Case, snapshot: Snapshot) -> bool:
    """The store that the plan names, or that holds the cluster, is connected to HSMs; or there is none."""
    store, home = _store_and_home(case, snapshot)
    if store is None or store.state is not StoreState.CONNECTED:
        return store is None
    return outage_of(store, home) is None


def has_too_few_hsms(case: Case, snapshot: Snapshot) -> bool:
    """A plan of ours makes HSMs, and stopped before there were enough: the store may serve by the first."""
    plan, (_, home) = case.current_plan, _store_and_home(case, snapshot)
    made = plan and any(
        case.tried(Operation.CREATE_HSM, z) for z in plan.names(Operation.CREATE_HSM)
    )
    return bool(made) and home is not None and not home.can_take_keys


def _store_and_home(case: Case, snapshot: Snapshot) -> tuple[KeyStore | None, Cluster | None]:
    """The case's store, and the cluster that it is at."""
    plan = case.current_plan
    store = snapshot.key_store(plan.key_store_id if plan else None) or snapshot.holder
    clusters = (c for c in (snapshot.cluster, *snapshot.siblings) if c)
    return store, cluster_in(clusters, store.cluster_id) if store else None


def ended(situation: Situation) -> Close | None:
    """The end of an outage without us; None while it lasts, or while the store is between two states.

    Other plans than a rescue are not over with the outage: people decide how they go on.
    """
    case, snapshot = situation.case, situation.snapshot
    at_work = case.has_begun and (
        case.plan is not None or case.ending is not None or not case.is_rescue
    )
    if not case.trigger.is_outage or at_work or snapshot.unread or case.is_down:
        return None
    store = snapshot.holder
    if store is None:
        return Close(
            Outcome.RESOLVED, "The key store is gone from this cluster. Nothing of it fails."
        )
    if not snapshot.keys:
        return Close(Outcome.EXPLAINED, "The key store has no keys, so nothing fails.")
    if store.state is not StoreState.CONNECTED:
        return None
    if case.has_begun and case.is_rescue:
        return Close(
            Outcome.RESOLVED,
            "The key store is connected again. What Unlatch had made by then stays: Undo removes what "
            "no key needs.",
        )
    return Close(Outcome.RESOLVED, "The key store is connected again, and its cluster has HSMs.")
