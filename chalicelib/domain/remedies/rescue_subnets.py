"""Where a rescue can make HSMs: which subnets AWS would take, and which of them people chose. Reads nothing.

A cluster's subnets are those of its creation, for good. So an HSM can only go to another of them, and if
that is not enough, only a new cluster from a backup can be in others (KMS guide, “Fix a custom key store”).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.case import Case, Difference
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.hsm_states import GOING
from chalicelib.domain.state.plan import Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import ATTACHED, KeyStore, Snapshot, StoreState

Place = tuple[str, str]
"""Zone and subnet, as a cluster maps them."""
FOR_KMS = 1
"""Addresses that a connection needs in each subnet of the cluster, whether an HSM is there or not."""
NEEDED = FOR_KMS + 1
"""And an HSM needs one of its own."""
MOST_SUBNETS = 10
NO_SUBNET, NO_ADDRESS = "SUBNET_NOT_FOUND", "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"


def of_cluster(case: Case, snapshot: Snapshot) -> tuple[Place, ...]:
    """Of the cluster, as it was last seen, or as the record of its deletion has them."""
    cluster = snapshot.cluster or case.last_cluster
    if cluster is not None and cluster.subnets:
        return cluster.subnets
    return next((a.subnets for a in reversed(case.attempts) if a.subnets), ())


def listed(case: Case, snapshot: Snapshot) -> tuple[str, ...]:
    """Those that a look must tell of: the cluster's, and those that people chose, maybe in another VPC.

    One that a look leaves out would seem to be gone.
    """
    yes = (click for click in case.current_clicks if click.remedy is Remedy.RESCUE)
    chosen = (place for click in yes for place in read_choice(click.target))
    planned = case.plan.subnets if case.plan else ()
    names = (name for _, name in (*of_cluster(case, snapshot), *chosen))
    return tuple(dict.fromkeys((*names, *planned)))


def serving(case: Case, snapshot: Snapshot) -> tuple[Place, ...]:
    """Those of the cluster that can take an HSM; all, if EC2 does not tell."""
    seen, places = _seen(snapshot), of_cluster(case, snapshot)
    if seen is None:
        return places
    return tuple((zone, name) for zone, name in places if _free(seen, name) >= NEEDED)


def choosable(room: Room | None) -> tuple[Subnet, ...]:
    """Those that a new cluster could be in: with room for an HSM and for KMS."""
    seen = room.subnets if room and room.subnets else ()
    return tuple(one for one in seen if one.free >= NEEDED)


def is_choice(room: Room | None) -> bool:
    """Two zones of one VPC have room: AWS takes a key store only with HSMs in two."""
    return any(len(zones) > 1 for zones in _by_vpc(room).values())


def likely(plan: Plan, room: Room | None) -> Plan:
    """As people may choose, for a forecast: any choice takes as long."""
    zones = max(_by_vpc(room).values(), key=len, default={}) if plan.lacks_choice else {}
    return with_subnets(plan, zones.items())


def _by_vpc(room: Room | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in choosable(room):
        found.setdefault(one.vpc, {})[one.zone] = one.subnet_id
    return found


def needs_new_cluster(snapshot: Snapshot, store: KeyStore) -> bool:
    """Nothing that can be made in this cluster would bring its keys back."""
    cluster = snapshot.cluster
    if cluster is None or cluster.state in GOING:
        return True
    failed = store.state is StoreState.FAILED
    if failed and store.error == NO_SUBNET:
        return True
    seen, names = _seen(snapshot), [name for _, name in cluster.subnets]
    if seen is None or not names:
        return False
    if not cluster.live_hsms and all(_free(seen, name) < NEEDED for name in names):
        return True
    if store.state in ATTACHED:
        # An HSM in any of them serves the connection that stands.
        return False
    # What KMS itself has there is in the way of nobody once it has let go of it.
    is_off = store.state is StoreState.DISCONNECTED or (failed and store.error == NO_ADDRESS)
    least = FOR_KMS if is_off else 0
    return any(_free(seen, name) < least for name in names)


def read_choice(text: str) -> tuple[Place, ...]:
    """The places in a click's target, or in a dialog's boxes, which say the VPC too."""
    parts = [one.split("/") for one in text.split(",") if one]
    return tuple(sorted((part[1], part[0]) for part in parts if len(part) > 1))


def written(places: Iterable[Place]) -> str:
    """The same as a click's target."""
    return ",".join(f"{name}/{zone}" for zone, name in places)


def flaw(text: str) -> str:
    """What is wrong with the boxes that somebody ticked, as a sentence; "" if nothing is."""
    chosen = read_choice(text)
    zones = [zone for zone, _ in chosen]
    if len({one.split("/")[2] for one in text.split(",") if one.count("/") > 1}) > 1:
        return "All subnets of a cluster are in one VPC. Choose from one."
    if len(set(zones)) < len(zones):
        return "AWS takes one subnet a zone. Choose one of each zone."
    if len(zones) < 2:
        return "Choose two zones at least: AWS takes a key store only with HSMs in two."
    if len(zones) > MOST_SUBNETS:
        return f"Choose {MOST_SUBNETS} subnets at most."
    return ""


def with_subnets(plan: Plan, places: Iterable[Place], *, first: Iterable[str] = ()) -> Plan:
    """The plan with its new cluster in these subnets: HSMs in two zones, `first` before the others.

    The same plan if they are its own: then those who approved it mean the same.
    """
    chosen = dict(sorted(places))
    names = tuple(chosen.values())
    if not names or set(names) == set(plan.subnets):
        return plan
    wanted = [zone for zone in (*plan.names(Operation.CREATE_HSM), *first) if zone in chosen]
    zones = tuple(dict.fromkeys((*wanted, *chosen)))[:2]
    hsms = [PlannedCall(Operation.CREATE_HSM, (zone,)) for zone in zones]
    calls = [call for call in plan.calls if call.operation is not Operation.CREATE_HSM]
    after = next(n for n, c in enumerate(calls, 1) if c.operation is Operation.CREATE_CLUSTER)
    others = (c for c in plan.if_needed if c.operation is not Operation.DELETE_HSM)
    replaced = (PlannedCall(Operation.DELETE_HSM, (zone,)) for zone in zones)
    return replace(
        plan,
        calls=(*calls[:after], *hsms, *calls[after:]),
        subnets=names,
        if_needed=(*replaced, *others),
    )


def chosen_by(click: Click, offers: Iterable[Plan]) -> Plan | None:
    """The rescue that this yes is to, if it is one of these in subnets that the person chose."""
    places = read_choice(click.target) if click.remedy is Remedy.RESCUE else ()
    makes = [plan for plan in offers if plan.backup_id and places]
    found = (with_subnets(plan, places) for plan in makes)
    return next((plan for plan in found if plan.plan_hash == click.plan_hash), None)


def differences(context: PlanContext) -> list[Difference]:
    """Of a plan whose cluster is yet to be made: subnets that are gone, or that have no room any more."""
    seen, plan = _seen(context.snapshot), context.plan
    if seen is None or not plan.subnets:
        return []
    found = []
    for name in plan.subnets:
        if name not in seen:
            found.append(Difference(f"Subnet {name}", "was there", "is gone"))
        elif seen[name].free < NEEDED:
            has = f"{seen[name].free} free, {NEEDED} are needed"
            found.append(Difference(f"Addresses in {name}", "enough", has))
    zones = {seen[name].zone for name in plan.subnets if name in seen}
    strange = sorted(set(plan.names(Operation.CREATE_HSM)) - zones)
    if strange and not found:
        found.append(
            Difference("Zones of the HSMs", ", ".join(strange), "no chosen subnet is there")
        )
    return found


def unseen(plan: Plan, snapshot: Snapshot) -> set[str]:
    """Subnets of the plan that this look lacks. One look is not enough to say that they are gone."""
    seen = _seen(snapshot)
    return set() if seen is None else set(plan.subnets) - set(seen)


def _seen(snapshot: Snapshot) -> dict[str, Subnet] | None:
    room = snapshot.room
    if room is None or room.subnets is None:
        return None
    return {one.subnet_id: one for one in room.subnets}


def _free(seen: dict[str, Subnet], name: str) -> int:
    """Of one that is not there: fewer than any that is."""
    return seen[name].free if name in seen else -1
