"""The rehearsal on a throwaway key store: a key of its own scheduled and cancelled, the store parked and back.

Calls DeleteCluster only while HSMs are there, which makes AWS refuse it; deletes no HSM itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.domain.overdue import USUAL
from chalicelib.domain.rules.sessions import LATE
from chalicelib.domain.state.case import Case, Outcome
from ops.command_context import CommandContext
from ops.errors import OperatorError
from ops.exits import Exit
from ops.probing import following, seen
from ops.probing.cluster import SETTLED
from ops.probing.copies import Copies
from ops.probing.following import Watch, add_duration
from ops.probing.records import judge_refused_store
from ops.probing.refusal import Refusal, refusal_of, refused_delete
from ops.probing.report import Findings, span
from ops.probing.there import TAG, WEEK, There

IN_USE, HAS_KEYS = "CloudHsmClusterInUseException", "CustomKeyStoreHasCMKsException"
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Store:
    """As it was before anything was done."""

    id: str
    name: str
    cluster: Item
    keys: int
    last_use: datetime | None

    @property
    def cluster_id(self) -> str:
        return str(self.cluster["ClusterId"])

    @property
    def hsms(self) -> Sequence[Item]:
        return [h for h in self.cluster.get("Hsms", ()) if h.get("State") == "ACTIVE"]

    @property
    def off_for(self) -> timedelta:
        """How long its keys are off, from the disconnect to the connect; people’s time comes on top."""
        each = USUAL.delete_hsm + USUAL.create_hsm
        return USUAL.disconnect + USUAL.connect + each * len(self.hsms)


def look_at(there: There, store_id: str) -> Store:
    """Raises OperatorError for one that can’t be parked and put back as it is now."""
    kms = there.client("kms")
    found = kms.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"][0]
    state, cluster_id = found["ConnectionState"], found.get("CloudHsmClusterId", "")
    one = seen.cluster(there.client, cluster_id) if cluster_id else None
    if state != "CONNECTED" or one is None or one["State"] != "ACTIVE":
        how = one["State"] if one else "not there"
        raise OperatorError(
            f"{store_id} is {state} and its cluster is {how}; it should be CONNECTED and ACTIVE.",
            code=Exit.DECLINED,
        )
    keys, last, waiting = _keys(kms, store_id)
    if waiting:
        raise OperatorError(
            f"A key of {store_id} waits for its deletion until {max(waiting):%Y-%m-%d}, so it can’t be parked.",
            "Each rehearsal leaves one for a week",
            code=Exit.DECLINED,
        )
    store = Store(store_id, found["CustomKeyStoreName"], one, keys, last)
    if not store.hsms:
        raise OperatorError(f"{cluster_id} has no active HSM.", code=Exit.DECLINED)
    return store


def _keys(kms: Any, store_id: str) -> tuple[int, datetime | None, list[datetime]]:
    """How many keys of the store there are, when any was used last, and when those go that wait."""
    number, last, waiting = 0, None, []
    for page in kms.get_paginator("list_keys").paginate():
        for item in page["Keys"]:
            try:
                meta = kms.describe_key(KeyId=item["KeyId"])["KeyMetadata"]
                if meta.get("CustomKeyStoreId") != store_id:
                    continue
                used = kms.get_key_last_usage(KeyId=item["KeyId"]).get("KeyLastUsage", {})
            except ClientError as error:
                if code_of(error) not in {"AccessDeniedException", "NotFoundException"}:
                    raise
                continue
            number += 1
            waiting += [meta["DeletionDate"]] if meta["KeyState"] == "PendingDeletion" else []
            last = max(filter(None, (last, used.get("Timestamp"))), default=None)
    return number, last, waiting


@dataclass
class StoreRehearsal:
    there: There
    context: CommandContext
    found: Findings
    name: str
    most: timedelta
    store: Store
    watch: Watch = field(default_factory=Watch)
    was_parked: bool = False
    copies: bool = False
    looked_for_interfaces: bool = False
    refused: Refusal | None = None
    began: datetime = field(init=False)

    def play(self) -> None:
        self.began = self.context.clock()
        self._schedule_and_cancel()
        shown = seen.interfaces(self.there.client, self.store.cluster)
        seen.judge_own_interfaces(self.found, self.store.hsms, shown)
        seen.judge_interfaces_of_kms(self.found, self.store.cluster, shown)
        seen.judge_addresses(self.found, self.store.cluster, shown)
        refusal = refused_delete(self.there, self.store.cluster_id)
        self.context.say(f"AWS refused DeleteCluster: {refusal.code}: {refusal.text}")
        self._judge_refusal(refusal)
        here: Any = {"cluster_id": self.store.cluster_id, "refusal": refusal}
        case = following.case_of(self.there, self.context, self.found, most=self.most, **here)
        self.context.screen.line(f"{case.case_id} is in Slack. Have it parked there: press Park.")
        self._ask_for_its_end()
        following.judge_record(self.there, self.context, self.found, **here)
        self._until_back(case)
        self._judge_refused_store()
        self._try_backups()

    def conclude(self) -> None:
        watch, found, name = self.watch, self.found, self.store.id
        add_duration(found, following.DISCONNECT, watch.took(name, "DISCONNECTING", "DISCONNECTED"))
        back = watch.took(f"{name} again", "CONNECTING", "CONNECTED")
        add_duration(found, following.CONNECT, back)
        for hsm in watch.hsms:
            removed = watch.took(hsm, "DELETE_IN_PROGRESS", "gone")
            add_duration(found, following.REMOVE_HSM, removed)
            made = watch.took(hsm, "CREATE_IN_PROGRESS", "ACTIVE")
            add_duration(found, following.MAKE_HSM, made)
        following.judge_durations(found)

    unseen = ""

    @property
    def not_restored(self) -> tuple[str, ...]:
        if self.is_back:
            return ()
        way = f"press Undo on its case in Slack, or aws kms connect-custom-key-store --custom-key-store-id {self.store.id} --region {self.there.region} once it has its HSMs"
        return (f"{self.store.id} is {self._state()}: {way}",)

    @property
    def is_back(self) -> bool:
        return self._state() == "CONNECTED"

    def _schedule_and_cancel(self) -> None:
        """A key of the rehearsal’s own. KMS needs two HSMs in two zones to make one."""
        kms = self.there.client("kms")
        try:
            key = kms.create_key(
                Description="Unlatch rehearsal",
                Origin="AWS_CLOUDHSM",
                CustomKeyStoreId=self.store.id,
                Tags=[{"TagKey": TAG, "TagValue": self.name}],
            )["KeyMetadata"]["KeyId"]
        except ClientError as error:
            if code_of(error) != "CloudHsmClusterInvalidConfigurationException":
                raise
            self.context.say("No key was made: KMS needs HSMs in two zones for it")
            return
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=WEEK)
        kms.cancel_key_deletion(KeyId=key)
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        self.context.say(f"A key was made, scheduled and cancelled: it is {state}")

    def _try_backups(self) -> None:
        """Once the store is back, on what parking it left."""
        shown = seen.cluster(self.there.client, self.store.cluster_id) or self.store.cluster
        place = (self.there, self.context, self.found)
        trying = Copies(*place, self.name, shown, since=self.began)
        trying.try_restore()
        if self.copies:
            trying.try_copy()

    def _judge_refusal(self, refusal: Refusal) -> None:
        """A store and HSMs hold the cluster: who answers says whose check is there, and comes first."""
        says = f"with a store and {len(self.store.hsms)} HSMs in it AWS answers {refusal.code}"
        codes = self.there.hub.settings.error_codes
        set_to = {} if refusal.code in codes else {"ERROR_CODES": ",".join((*codes, refusal.code))}
        holds = refusal.code == IN_USE
        self.found.judge("A-STORE-BLOCKS", holds=holds, says=says, **set_to)
        self.found.judge("A-ORDER-OF-CHECKS", holds=holds, says=says)

    def _ask_for_its_end(self) -> None:
        """DeleteCustomKeyStore, for which the store is in the wrong state and has keys: which is said first?

        Only once the case is open, which takes the refused call in too.
        """
        if not self.is_back or not self.store.keys:
            return
        try:
            self.there.client("kms").delete_custom_key_store(CustomKeyStoreId=self.store.id)
        except ClientError as error:
            code = code_of(error)
            if code in DENIED:
                return
            says = f"KMS answers {code} to DeleteCustomKeyStore of a connected store with keys"
            self.found.judge("A-ORDER-OF-CHECKS", holds=code == HAS_KEYS, says=says)
            self.refused = refusal_of(error)
        else:
            raise OperatorError(
                f"AWS accepted DeleteCustomKeyStore of {self.store.id}, which is connected and has keys.",
                "That is another AWS than its documents say. CONTRIBUTING.md says how to tell us",
            )

    def _judge_refused_store(self) -> None:
        if self.refused is None:
            return
        name = "DeleteCustomKeyStore"
        if record := following.record_of(self.there, self.context, name, self.refused):
            judge_refused_store(self.found, record, self.store.id, full=self.refused.code)

    def _until_back(self, case: Case) -> None:
        """Parked, and put back: somebody may press Undo before we see that it is parked."""
        ended = following.follow(
            self.there.hub,
            self.context,
            case.case_id,
            until=lambda now: now.is_closed and now.outcome is not Outcome.PARKED,
            look=self._look,
            most=self.most,
        )
        if not self.was_parked:
            how = (
                following.words_of(ended)
                if ended
                else f"Nobody parked it within {span(self.most)}."
            )
            raise OperatorError(f"The store was not parked. {how}")
        if not self.is_back:
            raise OperatorError(f"Nobody put {self.store.id} back within {span(self.most)}.")

    def _look(self, now: datetime) -> bool:
        name = f"{self.store.id} again" if self.was_parked else self.store.id
        self._note(now, name)
        if not self.was_parked:
            self._count_sessions(now)
            self._look_for_interfaces(now)
            self.was_parked = all((h["HsmId"], "gone") in self.watch.first for h in self.store.hsms)
            if self.was_parked:
                self.context.screen.line("It is parked. Have it put back: press Undo in Slack.")
        return False

    def _note(self, now: datetime, name: str) -> None:
        self.watch.note(name, self._state(), now)
        one = seen.cluster(self.there.client, self.store.cluster_id)
        self.watch.note_cluster(self.store.cluster_id, one, now)

    def _state(self) -> str:
        reply = self.there.client("kms").describe_custom_key_stores(CustomKeyStoreId=self.store.id)
        return str(reply["CustomKeyStores"][0]["ConnectionState"])

    def _look_for_interfaces(self, now: datetime) -> None:
        """Once, when what was true at the disconnect is surely shown."""
        off = self.watch.first.get((self.store.id, "DISCONNECTED"))
        if off is None or now - off < SETTLED or self.looked_for_interfaces:
            return
        self.looked_for_interfaces = True
        shown = seen.interfaces(self.there.client, self.store.cluster)
        passed = span(now - off)
        seen.judge_left_of_kms(self.found, self.store.cluster, shown, passed=passed)

    def _count_sessions(self, now: datetime) -> None:
        """From the disconnect on, until KMS’s own connections have ended or should have."""
        name, settings = "A-KMS-SESSIONS-END", self.there.hub.settings
        off = self.watch.first.get((self.store.id, "DISCONNECTED"))
        if off is None or name in self.found.observations:
            return
        most = settings.health_sessions
        counted = seen.sessions(self.there.client, self.store.cluster, since=off, now=now)
        passed = now - off
        if counted and max(counted.values()) <= most:
            says = (
                f"{max(counted.values())} were left on an HSM {span(passed)} after the disconnect"
            )
            self.found.held(name, says)
        elif passed >= timedelta(minutes=settings.quiet_minutes + LATE):
            left = ", ".join(f"{number}" for number in counted.values()) or "an unknown number"
            says = f"{left} were left on the HSMs {span(passed)} after the disconnect"
            self.found.differs(name, says)
