"""What holds the cluster, and which ways out there are in this world."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.remedies import keep, park, release, repoint, rescue_plan, retire
from chalicelib.domain.rules.gates import Gate, hard_gates
from chalicelib.domain.rules.outage import outage_in
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import Snapshot, StoreState


class Cause(StrEnum):
    """Why the deletion is blocked; the value is a sentence's end, after “The cluster can’t be deleted:”"""

    NO_CLUSTER = "there is no such cluster any more"
    INCOMPLETE = "AWS did not let Unlatch see everything, so the picture is incomplete"
    LIVE_KEYS = "a key store with keys still uses it"
    PENDING_KEYS = "a key store whose keys are waiting for deletion still uses it"
    DISCONNECTING = "a key store that is just disconnecting still uses it"
    EMPTY_STORE = "an empty key store still uses it"
    ONLY_HSMS = "it still has HSMs; no key store uses it"
    NOTHING = "nothing holds it any more"


@dataclass(frozen=True)
class WayOut:
    """A remedy as it stands: a plan, or the reason why there is none; closed gates in any case."""

    remedy: Remedy
    plan: Plan | None
    impossible: str = ""
    gates: tuple[Gate, ...] = ()

    @property
    def is_open(self) -> bool:
        """People may approve it."""
        return self.plan is not None and not self.gates


def cause_of(snapshot: Snapshot) -> Cause:
    """The most telling cause, worst first."""
    holder = snapshot.holder
    if snapshot.cluster is None and not (holder and snapshot.keys):
        return Cause.INCOMPLETE if snapshot.unread else Cause.NO_CLUSTER
    if holder and snapshot.live_keys:
        return Cause.LIVE_KEYS
    if not snapshot.is_complete:
        return Cause.INCOMPLETE
    if holder and snapshot.keys:
        return Cause.PENDING_KEYS
    if holder and holder.state is StoreState.DISCONNECTING:
        return Cause.DISCONNECTING
    if holder:
        return Cause.EMPTY_STORE
    return Cause.ONLY_HSMS if snapshot.cluster and snapshot.cluster.hsms else Cause.NOTHING


def ways_out(situation: Situation) -> tuple[WayOut, ...]:
    """All remedies, from harmless to final."""
    found = []
    for remedy, module in MODULES.items():
        if remedy is Remedy.RESCUE and outage_in(situation.case, situation.snapshot) is None:
            continue
        plan = module.plan(situation)
        if isinstance(plan, str):
            found.append(WayOut(remedy, None, plan))
        else:
            found.append(WayOut(remedy, plan, gates=hard_gates(remedy, situation)))
    return tuple(found)


def way_out(remedy: Remedy, situation: Situation) -> WayOut:
    """This one; a way that is not spoken of here is none."""
    ways = {way.remedy: way for way in ways_out(situation)}
    return ways.get(remedy, WayOut(remedy, None))


def all_plans(situation: Situation) -> tuple[Plan, ...]:
    """Every plan that could be approved, a repoint for each cluster that can take the store."""
    plans = [way.plan for way in ways_out(situation) if way.plan]
    for sibling in repoint.targets(situation.snapshot):
        more = repoint.plan(situation, target=sibling.cluster_id)
        if isinstance(more, Plan) and more not in plans:
            plans.append(more)
    return tuple(plans)


MODULES = {
    Remedy.KEEP: keep,
    Remedy.RESCUE: rescue_plan,
    Remedy.PARK: park,
    Remedy.REPOINT: repoint,
    Remedy.RELEASE: release,
    Remedy.RETIRE: retire,
}


def daily_cost(snapshot: Snapshot, policy: Policy) -> float:
    """What the HSMs cost a day, in US dollars."""
    hsm_type = snapshot.cluster.hsm_type if snapshot.cluster else ""
    return len(snapshot.live_hsms) * 24 * policy.hour_price(snapshot.region, hsm_type)
