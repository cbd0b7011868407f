"""Follows a case and its cluster to the end, and notes how long AWS takes for what. Looks only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.domain.overdue import FAR_LONGER, USUAL
from chalicelib.domain.state.case import Case, Phase
from ops.command_context import CommandContext
from ops.errors import OperatorError
from ops.hub import Hub
from ops.probing import roundtrip, seen
from ops.probing.records import judge_codes, named_in
from ops.probing.refusal import Refusal
from ops.probing.report import Duration, Findings, span
from ops.probing.there import There
from ops.probing.waiting import wait_for

CASE_MOST, SWEEP_MOST = roundtrip.LONGEST, timedelta(minutes=75)
CREATE_CLUSTER = timedelta(minutes=5)
Item = Mapping[str, Any]


@dataclass
class Watch:
    """When each thing was first seen in each state; `gone` is the state of what is not shown any more."""

    first: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def note(self, thing: str, state: str, at: datetime) -> None:
        self.first.setdefault((thing, state), at)

    def note_cluster(self, cluster_id: str, one: Item | None, at: datetime) -> None:
        """The cluster and its HSMs; those that were there and are not any more are gone."""
        hsms = {h["HsmId"]: h.get("State", "") for h in (one or {}).get("Hsms", ())}
        for name, _ in list(self.first):
            if name.startswith("hsm-") and hsms.get(name, "DELETED") == "DELETED":
                self.note(name, "gone", at)
        for name, state in hsms.items():
            self.note(name, state, at)
        is_gone = one is None or one["State"] == "DELETED"
        self.note(cluster_id, "gone" if is_gone else str((one or {})["State"]), at)

    def took(self, thing: str, begins: str, ends: str) -> timedelta | None:
        began, ended = self.first.get((thing, begins)), self.first.get((thing, ends))
        return ended - began if began and ended else None

    @property
    def hsms(self) -> list[str]:
        return sorted({name for name, _ in self.first if name.startswith("hsm-")})


def judge_durations(found: Findings) -> None:
    """Far longer than usual, as the bot itself says it, is another AWS than the one assumed."""
    for name, what in (("A-DURATIONS", KINDS[:-1]), ("A-MODIFY-DURATION", KINDS[-1:])):
        seen_ones = [one for one in found.durations if one.what in what and one.usual]
        if not seen_ones:
            continue
        slow = [one for one in seen_ones if one.took > FAR_LONGER * (one.usual or one.took)]
        says = ", ".join(f"{one.what} took {span(one.took)}" for one in slow or seen_ones)
        found.judge(name, holds=not slow, says=says)


KINDS = (
    "disconnecting a key store",
    "connecting a key store",
    "making an HSM",
    "removing an HSM",
    "deleting a cluster",
    "making a cluster",
)
DISCONNECT, CONNECT, MAKE_HSM, REMOVE_HSM, DELETE, MAKE = KINDS
USUALLY = {
    DISCONNECT: USUAL.disconnect,
    CONNECT: USUAL.connect,
    MAKE_HSM: USUAL.create_hsm,
    REMOVE_HSM: USUAL.delete_hsm,
    DELETE: USUAL.delete_cluster,
    MAKE: CREATE_CLUSTER,
}


def add_duration(found: Findings, what: str, took: timedelta | None) -> None:
    if took is not None:
        found.durations.append(Duration(what, took, USUALLY[what]))


def case_of(
    there: There,
    context: CommandContext,
    found: Findings,
    *,
    cluster_id: str,
    refusal: Refusal,
    most: timedelta,
) -> Case:
    """The open case of the cluster: an event opens it, or the hourly sweep, which looks the same from here.

    Raises OperatorError if neither does.
    """
    look = partial(_open_case, there, cluster_id)
    waited = wait_for(context, "the event to open a case", look, most=CASE_MOST)
    if waited.seen:
        found.durations.append(
            Duration("an event, from the call to the case", waited.took, CASE_MOST)
        )
        return waited.seen
    _require_named(there, context, found, cluster_id=cluster_id, refusal=refusal)
    context.say("No event has opened a case; waiting for the hourly sweep, which finds lost ones")
    left = min(SWEEP_MOST, most - waited.took)
    waited = wait_for(context, "the sweep to open a case", look, most=left)
    if waited.seen:
        return waited.seen
    raise OperatorError(
        f"No case was opened for {cluster_id}.", f"unlatch doctor --live --stage {there.hub.stage}"
    )


def _open_case(there: There, cluster_id: str) -> Case | None:
    place = (there.account, there.region, cluster_id)
    pointers = there.hub.cases.pointers()
    ids = [p.case_id for p in pointers if (p.account, p.region, p.cluster_id) == place]
    return there.hub.case(ids[0]) if ids else None


def _require_named(
    there: There, context: CommandContext, found: Findings, *, cluster_id: str, refusal: Refusal
) -> None:
    """Raises OperatorError for a record from which neither rule nor sweep can open a case."""
    record = judge_record(there, context, found, cluster_id=cluster_id, refusal=refusal)
    if record is not None and named_in(record) != cluster_id:
        raise OperatorError("CloudTrail’s record names no cluster, so nothing can open a case.")


def follow(
    hub: Hub,
    context: CommandContext,
    case_id: str,
    *,
    until: Callable[[Case], bool],
    look: Callable[[datetime], bool],
    most: timedelta,
) -> Case | None:
    """The case once `until` holds of it; a line for each thing that it says. None if the time is over.

    `look` is called at each round, and ends it all by saying True.
    """
    said = ""

    def once() -> Case | None:
        nonlocal said
        if look(context.clock()):
            return hub.case(case_id)
        case = hub.case(case_id)
        if (words := words_of(case)) != said:
            said = words
            context.say(words)
        return case if until(case) else None

    return wait_for(context, f"case {case_id}", once, most=most).seen


def words_of(case: Case) -> str:
    what = case.waiting_for or case.reason
    if case.outcome:
        return f"The case is {case.outcome}" + (f": {what}" if what else "")
    if case.phase is Phase.WAITING:
        agreed = ", ".join(f"{c.act} by {c.by}" for c in case.clicks) or "nobody clicked yet"
        return f"The case waits for people ({agreed})" + (f": {what}" if what else "")
    return f"The plan is under way: {what or 'the next step'}"


def judge_record(
    there: There, context: CommandContext, found: Findings, *, cluster_id: str, refusal: Refusal
) -> Item | None:
    record = record_of(there, context, "DeleteCluster", refusal)
    if record:
        codes = there.hub.settings.error_codes
        judge_codes(found, record, cluster_id=cluster_id, full=refusal.code, error_codes=codes)
    return record


def record_of(there: There, context: CommandContext, name: str, refusal: Refusal) -> Item | None:
    """From CloudTrail’s own history, which may be a quarter of an hour behind."""

    def look() -> Item | None:
        history = seen.records(there.client, name, most=50)
        return next((r for _, r in history if r.get("requestID") == refusal.request_id), None)

    words = f"CloudTrail’s record of {name}"
    return wait_for(context, words, look, most=CASE_MOST, every=30).seen
