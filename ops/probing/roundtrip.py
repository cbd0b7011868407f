"""One DeleteCluster of a cluster that can't exist, and the wait until the bot has heard of it. Deletes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from chalicelib.aws.errors import DENIED
from chalicelib.aws.store.probes import Noted
from ops.checks.events import NEEDS_A_TRAIL, trails
from ops.checks.finding import Finding
from ops.command_context import CommandContext
from ops.hub import Hub
from ops.probing import seen
from ops.probing.refusal import Refusal, refusal_of
from ops.probing.report import Duration, Findings, span
from ops.probing.waiting import wait_for

NAME = "event"
EXPECTED = "CloudHsmResourceNotFoundException"
LONGEST = timedelta(minutes=15)
ROUND = "A-EVENT-IN-15-MINUTES"


@dataclass
class Arrival:
    """The record in CloudTrail’s history, and the bot’s note, as far as they are there."""

    record: Mapping[str, Any] | None = None
    note: Noted | None = None

    @property
    def is_done(self) -> bool:
        """Arrived, or of a shape that no rule takes, so that waiting helps nothing."""
        return self.note is not None or (self.record is not None and not _can_match(self.record))


def judge_codes(
    found: Findings,
    record: Mapping[str, Any],
    *,
    cluster_id: str,
    full: str,
    error_codes: tuple[str, ...],
) -> None:
    """A record of a failed DeleteCluster, against what is assumed of it. `full`: what AWS answered."""
    found.keep(record)
    named = named_in(record)
    code = str(record.get("errorCode"))
    says = f"the record names {'the cluster' if named == cluster_id else 'no cluster'}"
    known = code in (full, full.removesuffix("Exception"))
    found.judge(
        "A-FAILED-DELETE-RECORD",
        holds=named == cluster_id and known,
        says=f"{says} and the code {code}",
    )
    says = f"{full} is recorded as {code}"
    if code == full:
        found.held("A-CODE-IN-FULL", says)
    else:
        found.differs("A-CODE-IN-FULL", says, ERROR_CODES=_with_short(error_codes))


def named_in(record: Mapping[str, Any]) -> str:
    """The cluster that a record of DeleteCluster names."""
    return str((record.get("requestParameters") or {}).get("clusterId") or "")


def _with_short(codes: tuple[str, ...]) -> str:
    """The setting, with each code also as CloudTrail shortens it."""
    both = [form for code in codes for form in (code, code.removesuffix("Exception"))]
    return ",".join(dict.fromkeys(both))


def of_event(hub: Hub, desk: CommandContext, found: Findings) -> Iterator[Finding]:
    """What came of it, as findings of the doctor."""
    refusal = _refusal(hub)
    if refusal.code != EXPECTED:
        yield _not_tried(found, refusal)
        return
    desk.screen.line(f"AWS refused to delete {PROBE_CLUSTER}, as it should. Does the event arrive?")
    arrival, took = _awaited(hub, desk, refusal.request_id)
    if (record := arrival.note.record if arrival.note else arrival.record) is not None:
        codes = hub.settings.error_codes
        judge_codes(found, record, cluster_id=PROBE_CLUSTER, full=EXPECTED, error_codes=codes)
    if arrival.note is None:
        yield from _missing(hub, found, arrival, took)
        return
    found.durations.append(Duration("an event, from the call to the bot", took, LONGEST))
    found.held(ROUND, f"it came after {span(took)}")
    yield Finding(NAME, True, f"came through CloudTrail and EventBridge after {span(took)}")
    sealed = arrival.note.is_sealed
    yield Finding("seal", sealed, "made by the bot" if sealed else "the bot made none")


def _awaited(hub: Hub, desk: CommandContext, request_id: str) -> tuple[Arrival, timedelta]:
    """What has come, and how long it took."""
    arrival = Arrival()
    looked: list[datetime] = []

    def look() -> Arrival | None:
        _look(hub, arrival, request_id, looked=looked, now=desk.clock())
        return arrival if arrival.is_done else None

    waited = wait_for(desk, "the event to reach the bot", look, most=LONGEST)
    return arrival, waited.took


def _refusal(hub: Hub) -> Refusal:
    """An empty code if AWS accepted it."""
    try:
        hub.client("cloudhsmv2").delete_cluster(ClusterId=PROBE_CLUSTER)
    except ClientError as error:
        return refusal_of(error)
    return Refusal("", "", "AWS accepted it")


def _not_tried(found: Findings, refusal: Refusal) -> Finding:
    code = refusal.code
    why = f"because AWS answered {code or 'nothing wrong'} to a cluster that does not exist"
    for name in (ROUND, "A-FAILED-DELETE-RECORD", "A-CODE-IN-FULL"):
        found.not_tried(name, why)
    if code in DENIED:
        do = f"Allow your role cloudhsm:DeleteCluster on cluster/{PROBE_CLUSTER}, which does not exist"
        return Finding(NAME, None, "your role may not make the call that is to fail", do)
    return Finding(NAME, None, f"{why.removeprefix('because ')}: {refusal.text}")


def _look(
    hub: Hub, arrival: Arrival, request_id: str, *, looked: list[datetime], now: datetime
) -> None:
    """The note at each look; CloudTrail’s history twice a minute, as its quota is small."""
    note = hub.by_name.probes.last()
    if note is not None and note.record.get("requestID") == request_id:
        arrival.note = note
        return
    if arrival.record is None and (not looked or now - looked[-1] >= timedelta(seconds=30)):
        looked.append(now)
        arrival.record = find_record(hub, request_id)


def find_record(hub: Hub, request_id: str) -> Mapping[str, Any] | None:
    history = seen.records(hub.client, "DeleteCluster", most=50)
    return next((r for _, r in history if r.get("requestID") == request_id), None)


def _can_match(record: Mapping[str, Any]) -> bool:
    return named_in(record) == PROBE_CLUSTER and record.get("errorCode") in (
        EXPECTED,
        EXPECTED.removesuffix("Exception"),
    )


def _missing(hub: Hub, found: Findings, arrival: Arrival, took: timedelta) -> Iterator[Finding]:
    if arrival.is_done:
        found.not_tried(ROUND, "because no rule can take a record of this shape")
        yield Finding(NAME, False, "the record is not as assumed, so no rule takes it", SWEEP)
        return
    trail = next(iter(trails(hub)))
    if trail.ok is False:
        found.not_tried(ROUND, "because no trail logs what Unlatch needs")
        yield Finding(NAME, False, f"it did not come: {trail.says}", NEEDS_A_TRAIL)
        return
    where = "CloudTrail has the record" if arrival.record else "CloudTrail has no record yet either"
    found.differs(ROUND, f"nothing came in {span(took)}; {where}")
    yield Finding(NAME, False, f"it did not come in {span(took)}; {where}", SWEEP)


SWEEP = (
    "The hourly sweep finds failed deletes until then; see the rules above, and the functions’ logs"
)
