"""A place of several clusters, as two lists of AWS show it, and calls that were heard there. For what opens cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.state.caller import Caller, Tool, caller_of
from chalicelib.domain.state.case import Attempt, Case, KeyUse, Outcome, Phase
from chalicelib.domain.state.snapshot import Cluster, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import CaseTrigger
from sandbox import sample
from tests.flows.cloud import Aws
from tests.flows.stand import CI, HUB, REGION, Stand, Trail, world

CALLER = caller_of(arn=CI, kind="AssumedRole", tool=Tool.TERRAFORM)
ELSEWHERE = "999999999999"
COPY = "cluster-copy"
OPERATIONS = {
    Trigger.STORE_DELETE_BLOCKED: "DeleteCustomKeyStore",
    Trigger.CLUSTER_TAKEN: "CreateCustomKeyStore",
    Trigger.STORE_DOWN: "ConnectCustomKeyStore",
    Trigger.CLUSTER_LOST: "DeleteHsm",
}


def cluster_id(number: int) -> str:
    return f"cluster-{number}"


def store_id(number: int) -> str:
    return f"cks-{number}"


@dataclass
class Lists(Aws):
    """Inventory of a whole place: what AWS lists now, or why it does not."""

    stores: dict[str, KeyStore] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    trouble: TemporaryError | PermanentError | None = None

    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot:
        self.looks += 1
        if self.trouble:
            raise self.trouble
        listed = tuple(self.stores.values()), tuple(self.clusters.values())
        where = (now, account, region, "", None)
        return Snapshot(*where, listed[0], siblings=listed[1], unread=self.unread)


class Memory(Trail):
    """CloudTrail's own, which knows only of the time that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[datetime, tuple[str, ...]]] = []

    def calls(
        self, account: str, region: str, *, since: datetime, names: Sequence[str]
    ) -> Sequence[CaseTrigger | Heard]:
        self.asked.append((since, tuple(names)))
        found = super().calls(account, region, since=since, names=names)
        return [call for call in found if call.attempt.at >= since]


class Town(Stand):
    """Clusters 1 to `number`: each with two HSMs and a connected store, and a copy that is free."""

    def __init__(self, number: int, *, store: DynamoCases) -> None:
        super().__init__(world(), store=store)
        self.lists = Lists(self.aws.model, self.clock)
        self.memory = Memory()
        self.logged: list[tuple[str, dict[str, object]]] = []
        for one in range(1, number + 1):
            made = sample.cluster("1a", "1b", cluster_id=cluster_id(one), certificate=f"line-{one}")
            self.lists.clusters[made.cluster_id] = made
            copy = replace(made, cluster_id=f"{COPY}-{one}")
            self.lists.clusters[copy.cluster_id] = copy
            held = sample.store(key_store_id=store_id(one), cluster_id=cluster_id(one))
            self.lists.stores[held.key_store_id] = held
        self.ports = replace(
            self.ports,
            inventory=self.lists,
            trail=self.memory,
            log=lambda said, **more: self.logged.append((said, more)),
        )

    def fails(self, number: int = 1) -> None:
        """Its connection does, as AWS tells nobody."""
        self._store(number, StoreState.FAILED)

    def serves(self, number: int = 1) -> None:
        self._store(number, StoreState.CONNECTED)

    def is_off(self, number: int = 1) -> None:
        self._store(number, StoreState.DISCONNECTED)

    def _store(self, number: int, state: StoreState) -> None:
        stores = self.lists.stores
        stores[store_id(number)] = replace(stores[store_id(number)], state=state)

    def loses_hsms(self, number: int = 1) -> None:
        clusters = self.lists.clusters
        clusters[cluster_id(number)] = replace(clusters[cluster_id(number)], hsms=())

    def loses_cluster(self, number: int = 1) -> None:
        del self.lists.clusters[cluster_id(number)]

    def heard(
        self,
        trigger: Trigger,
        number: int = 1,
        *,
        event_id: str = "event-1",
        account: str = HUB,
        cluster: str = "",
        store: str = "",
        caller: Caller = CALLER,
    ) -> Heard:
        """As CloudTrail tells it: it names a cluster or a key store, never both."""
        is_of_cluster = trigger in (Trigger.CLUSTER_TAKEN, Trigger.CLUSTER_LOST)
        attempt = Attempt(
            event_id,
            self.clock.now,
            "",
            caller,
            trigger,
            OPERATIONS[trigger],
            key_store_id="" if is_of_cluster else store or store_id(number),
        )
        named = (cluster or cluster_id(number)) if is_of_cluster else ""
        return Heard(account, REGION, attempt, named)

    def use(self, number: int = 1, *, event_id: str = "use-1", key_id: str = "key-1") -> KeyUse:
        who = CALLER.words
        return KeyUse(event_id, self.clock.now, key_id, who, "Decrypt", store_id(number))

    def deleted(self, number: int = 1, *, event_id: str = "event-1") -> CaseTrigger:
        attempt = Attempt(event_id, self.clock.now, "CloudHsmClusterInUseException", CALLER)
        return CaseTrigger(HUB, REGION, cluster_id(number), attempt)

    def cases(self) -> list[Case]:
        return [self.case(pointer.case_id) for pointer in self.stored.pointers()]

    def ends(self, case_id: str, outcome: Outcome = Outcome.RESOLVED) -> None:
        """For good, so that its cluster is free for a new case."""
        over = {"phase": Phase.CLOSED, "outcome": outcome, "closed_at": self.clock.now}
        self.edit(case_id, lambda case: replace(case, **over))  # type: ignore[arg-type]  # its fields
        assert case_id not in [case.case_id for case in self.cases()]

    def reasons(self) -> list[object]:
        return [more.get("reason") for said, more in self.logged if said == "event refused"]


Build = Callable[..., Town]
HOUR = timedelta(hours=1)
