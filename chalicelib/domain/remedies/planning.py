"""What every remedy's plan is made from: place, basis and terms of this situation. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.rules.approval import in_use, terms
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Basis, KeyBasis, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import KeyStore, Snapshot


def plan_of(
    remedy: Remedy, situation: Situation, *, store: KeyStore | None, calls: Iterable[PlannedCall]
) -> Plan:
    """The plan of these calls in this world; days and a target are added by those that have them."""
    snapshot = situation.snapshot
    return Plan(
        remedy=remedy,
        account=snapshot.account,
        region=snapshot.region,
        cluster_id=snapshot.cluster_id,
        key_store_id=store.key_store_id if store else None,
        calls=tuple(calls),
        basis=basis_of(situation),
        terms=terms(remedy, situation),
        after_click=situation.case.reset_at_click,
    )


def basis_of(situation: Situation) -> Basis:
    """What an approval of a plan in this world depends on."""
    snapshot = situation.snapshot
    keys = sorted(snapshot.keys, key=lambda key: key.key_id)
    holder = snapshot.holder
    return Basis(
        store_state=holder.state if holder else None,
        keys=tuple(
            KeyBasis(
                key_id=key.key_id,
                name=key.name,
                state=key.state,
                last_used_at=None if (used := in_use(key, situation)) else key.last_use.at,
                in_use=used,
            )
            for key in keys
        ),
        zones=snapshot.cluster.zones if snapshot.cluster else (),
    )


def moved_store(case: Case, snapshot: Snapshot) -> KeyStore | None:
    """The store that an earlier repoint of this case has already taken to the other cluster."""
    last = case.last_plan
    store = snapshot.key_store(last.key_store_id) if last else None
    if last is None or store is None or last.remedy is not Remedy.REPOINT:
        return None
    return store if store.cluster_id == last.target_cluster_id else None
