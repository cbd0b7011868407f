"""One DeleteCluster of a cluster that can't exist, in each account and Region that is served, and the wait
until the bot has heard of all. Deletes nothing.

In the hub's account the operator makes the call if they may, else and in other accounts the role unlatch-prober,
which may do nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from chalicelib.aws.errors import DENIED
from chalicelib.aws.store.probes import Noted
from chalicelib.config import PROBER_ROLE, READER_ROLE
from chalicelib.failures import PermanentError
from ops.checks.events import NEEDS_A_TRAIL, trails
from ops.checks.finding import Finding
from ops.checks.rights import AT_A_TIME
from ops.command_context import CommandContext
from ops.console import count
from ops.deployment.infra import account_stack
from ops.expected import EXPECTED as TROUBLE
from ops.hub import Hub
from ops.probing import seen
from ops.probing.records import judge_codes, named_in
from ops.probing.refusal import Refusal, refusal_of
from ops.probing.report import Duration, Findings, span
from ops.probing.waiting import wait_for
from ops.target_access import accounts

NAME = "event"
EXPECTED = "CloudHsmResourceNotFoundException"
LONGEST = timedelta(minutes=15)
ROUND = "A-EVENT-IN-15-MINUTES"
NOT_LET_IN = "NotLetIn"
LET_IN = "Deploy infra/account.yaml there with OperatorArn, which makes the role unlatch-prober"
SWEEP = (
    "The hourly sweep finds failed deletes until then; see the rules above, and the functions’ logs"
)


@dataclass
class Sent:
    """One call, with what has come of it so far. `record` is the one in CloudTrail’s own history."""

    account: str
    region: str
    refusal: Refusal
    at: datetime
    record: Mapping[str, Any] | None = None
    note: Noted | None = None
    took: timedelta = field(default_factory=timedelta)

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region

    @property
    def is_under_way(self) -> bool:
        return self.refusal.code == EXPECTED

    @property
    def is_odd(self) -> bool:
        """No rule takes a record of this shape, so waiting helps nothing."""
        return self.record is not None and not _can_match(self.record)


def of_events(hub: Hub, context: CommandContext, found: Findings) -> Iterator[Finding]:
    """What came of each call, as findings of the doctor; the hub’s own place is the first."""
    sent = _sent_everywhere(hub, context)
    home, under_way = sent[0], [one for one in sent if one.is_under_way]
    yield from (_not_tried(hub, found, one) for one in sent if not one.is_under_way)
    if not under_way:
        return
    context.screen.line(
        f"AWS refused to delete {PROBE_CLUSTER} in {count(len(under_way), 'place')}, as it should. "
        "Does the bot hear of it?"
    )
    passed = _wait(hub, context, under_way, home=home)
    if (record := home.note.record if home.note else home.record) is not None:
        codes = hub.settings.error_codes
        judge_codes(found, record, cluster_id=PROBE_CLUSTER, full=EXPECTED, error_codes=codes)
    _show_places(context, sent)
    for one in under_way:
        yield from _arrived(hub, found, one) if one.note else _missing(hub, found, one, passed)
    yield from _seal(under_way)


def _sent_everywhere(hub: Hub, context: CommandContext) -> list[Sent]:
    places = hub.places
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        made = []
        for one in pool.map(partial(_send, hub), places):
            made.append(one)
            context.screen.passing(
                f"calling DeleteCluster: {len(made)} of {count(len(places), 'place')}"
            )
    return made


def _send(hub: Hub, place: tuple[str, str]) -> Sent:
    account, region = place
    refusal = Refusal(NOT_LET_IN, "", "")
    if account == hub.account:
        refusal = _refusal(hub.client("cloudhsmv2", region=region))
    if refusal.code in {NOT_LET_IN, *DENIED}:
        try:
            refusal = _refusal(_as_prober(hub, account, region))
        except TROUBLE as error:
            if not isinstance(error, PermanentError):
                raise
    return Sent(account, region, refusal, hub.clock())


def _as_prober(hub: Hub, account: str, region: str) -> Any:
    clients = accounts(hub, assume=True).clients(
        PROBER_ROLE, account=account, region=region, session_name="unlatch-doctor"
    )
    return clients("cloudhsmv2")


def _refusal(hsms: Any) -> Refusal:
    """An empty code if AWS accepted it."""
    try:
        hsms.delete_cluster(ClusterId=PROBE_CLUSTER)
    except ClientError as error:
        return refusal_of(error)
    return Refusal("", "", "AWS accepted it")


def _not_tried(hub: Hub, found: Findings, one: Sent) -> Finding:
    name, code = _name(hub, one), one.refusal.code
    if one.place == (hub.account, hub.region):
        why = f"because AWS answered {code or 'nothing wrong'} to a cluster that does not exist"
        for assumed in (ROUND, "A-FAILED-DELETE-RECORD", "A-CODE-IN-FULL"):
            found.not_tried(assumed, why)
    known = _known(hub, one)
    if code == NOT_LET_IN:
        return Finding(name, None, "your role may not try there", LET_IN, account=known)
    if code in DENIED:
        do = f"Allow cloudhsm:DeleteCluster on cluster/{PROBE_CLUSTER}, which does not exist"
        says = "the call that is to fail is denied"
        return Finding(name, None, says, do, account=known)
    says = f"AWS answered {code or 'nothing wrong'} to a cluster that does not exist: {one.refusal.text}"
    return Finding(name, None, says, account=known)


def _wait(hub: Hub, context: CommandContext, sent: Sequence[Sent], *, home: Sent) -> timedelta:
    """Until the bot has noted each, or can’t. How long that took."""
    looked: list[datetime] = []

    def look() -> bool | None:
        now = context.clock()
        for one in sent:
            if one.note is None:
                _look(hub, one, now=now)
        if home.is_under_way and home.note is None:
            _look_at_history(hub, home, looked=looked, now=now)
        return True if home.is_odd or all(one.note for one in sent) else None

    def what() -> str:
        missing = sum(one.note is None for one in sent)
        return f"{missing} of {count(len(sent), 'event')} to reach the bot"

    return wait_for(context, what, look, most=LONGEST).took


def _show_places(context: CommandContext, sent: Sequence[Sent]) -> None:
    """Side by side, if there are several."""
    if len(sent) > 1:
        rows = [(*one.place, _words(one)) for one in sent]
        context.screen.table(["account", "Region", "event"], rows)


def _words(one: Sent) -> str:
    if not one.is_under_way:
        return "not tried"
    return f"after {span(one.took)}" if one.note else "did not come"


def _look(hub: Hub, one: Sent, *, now: datetime) -> None:
    note = hub.by_name.probes.last(one.place)
    if note is not None and note.record.get("requestID") == one.refusal.request_id:
        one.note, one.took = note, now - one.at


def _look_at_history(hub: Hub, home: Sent, *, looked: list[datetime], now: datetime) -> None:
    """CloudTrail’s history twice a minute, as its quota is small."""
    if home.record is None and (not looked or now - looked[-1] >= timedelta(seconds=30)):
        looked.append(now)
        home.record = _recorded(hub, home)


def _recorded(hub: Hub, one: Sent) -> Mapping[str, Any] | None:
    client: Any = partial(hub.client, region=one.region)
    if one.account != hub.account:
        client = accounts(hub, assume=True).clients(
            READER_ROLE, account=one.account, region=one.region, session_name="unlatch-doctor"
        )
    history = seen.records(client, "DeleteCluster", most=50)
    return next((r for _, r in history if r.get("requestID") == one.refusal.request_id), None)


def _can_match(record: Mapping[str, Any]) -> bool:
    return named_in(record) == PROBE_CLUSTER and record.get("errorCode") in (
        EXPECTED,
        EXPECTED.removesuffix("Exception"),
    )


def _arrived(hub: Hub, found: Findings, one: Sent) -> Iterator[Finding]:
    is_home = one.place == (hub.account, hub.region)
    whence = "" if is_home else f" from {one.account} {one.region}"
    found.durations.append(
        Duration(f"an event{whence}, from the call to the bot", one.took, LONGEST)
    )
    if is_home:
        found.held(ROUND, f"it came after {span(one.took)}")
    says = f"came through CloudTrail and EventBridge after {span(one.took)}"
    yield Finding(_name(hub, one), True, says, account=_known(hub, one))


def _missing(hub: Hub, found: Findings, one: Sent, passed: timedelta) -> Iterator[Finding]:
    if one.place == (hub.account, hub.region):
        yield from _missing_at_home(hub, found, one, passed)
        return
    try:
        record = _recorded(hub, one)
    except TROUBLE as error:
        if not isinstance(error, PermanentError):
            raise
        record = None
    where, do = "CloudTrail there has no record", NEEDS_A_TRAIL
    if record is not None:
        where = "CloudTrail there has the record"
        do = f"Deploy infra/account.yaml there again (stack {account_stack(hub)}): its rule, or the role that forwards, is not as it should be; or no trail logs there"
    says = f"it did not come in {span(passed)}; {where}"
    yield Finding(_name(hub, one), False, says, do, account=_known(hub, one))


def _missing_at_home(hub: Hub, found: Findings, home: Sent, passed: timedelta) -> Iterator[Finding]:
    if home.is_odd:
        found.not_tried(ROUND, "because no rule can take a record of this shape")
        yield Finding(NAME, False, "the record is not as assumed, so no rule takes it", SWEEP)
        return
    trail = next(iter(trails(hub)))
    if trail.ok is False:
        found.not_tried(ROUND, "because no trail logs what Unlatch needs")
        yield Finding(NAME, False, f"it did not come: {trail.says}", NEEDS_A_TRAIL)
        return
    where = "CloudTrail has the record" if home.record else "CloudTrail has no record yet either"
    found.differs(ROUND, f"nothing came in {span(passed)}; {where}")
    yield Finding(NAME, False, f"it did not come in {span(passed)}; {where}", SWEEP)


def _seal(sent: Sequence[Sent]) -> Iterator[Finding]:
    notes = [one.note for one in sent if one.note]
    if notes:
        sealed = all(note.is_sealed for note in notes)
        yield Finding("seal", sealed, "made by the bot" if sealed else "the bot made none")


def _name(hub: Hub, one: Sent) -> str:
    if one.account != hub.account:
        return f"{NAME} {one.account} {one.region}"
    return NAME if one.region == hub.region else f"{NAME} {one.region}"


def _known(hub: Hub, one: Sent) -> str:
    return one.account if one.account != hub.account else ""
