"""What App Home shows to one person: what waits for them, what is open, kept, and the last scan. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import Refusal, refusal
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.routing import for_anybody, for_case
from chalicelib.ports import Ports

MOST_CASES = 100


@dataclass(frozen=True)
class Read:
    """The first of the open and kept cases, and how many more there are."""

    cases: tuple[Case, ...]
    more: int


def read_cases(ports: Ports) -> Read:
    """Each as its last turn left it. They are asked for side by side, as Slack waits three seconds."""
    pointers = ports.cases.pointers()
    reading = [ports.aside(partial(_read, ports, one.case_id)) for one in pointers[:MOST_CASES]]
    cases = (read() for read in reading)
    return Read(tuple(filter(None, cases)), max(len(pointers) - MOST_CASES, 0))


def home(
    ports: Ports,
    user_id: str,
    *,
    seen_in: str = "",
    scan: Scan | None = None,
    read: Read | None = None,
) -> Home:
    """Of many cases the first ones; `read`, if somebody has read them just now."""
    found = read or read_cases(ports)
    cases = found.cases
    kept = [case for case in cases if case.outcome is Outcome.KEPT]
    others = [case for case in cases if case.outcome is not Outcome.KEPT]
    mine = _waiting(ports, user_id, others, seen_in=seen_in)
    return Home(
        waiting=mine,
        open=tuple(case for case in others if case not in mine),
        kept=tuple(sorted(kept, key=_until)),
        scan=scan,
        frozen=ports.brake.why(),
        channel=ports.channel,
        more=found.more,
        asked_by=frozenset(c.case_id for c in others if c.requester_id == user_id),
    )


def _waiting(
    ports: Ports, user_id: str, cases: Iterable[Case], *, seen_in: str
) -> tuple[Case, ...]:
    """Those that this person may approve, and has not.

    Slack says who they are once for each list of approvers, however many cases there are.
    """
    asked = [(case, for_case(ports, case)) for case in cases if _is_asked(case, user_id)]
    by_approvers = {there.policy.approvers: there for _, there in asked}
    asking = {
        approvers: ports.aside(partial(there.people.fetch, [user_id]))
        for approvers, there in by_approvers.items()
    }
    known = {approvers: told().get(user_id) for approvers, told in asking.items()}

    def may_approve(case: Case, there: Ports) -> bool:
        situation = last_seen(case, policy=there.policy, now=there.clock())
        person = known[there.policy.approvers]
        return refusal(person, Act.APPROVE, situation, seen_in=seen_in) is None

    return tuple(case for case, there in asked if may_approve(case, there))


def _is_asked(case: Case, user_id: str) -> bool:
    """The case waits for people, and this one has not said yes."""
    if case.phase is not Phase.WAITING or not case.offers:
        return False
    return not any(c.by == user_id and c.act is Act.APPROVE for c in case.current_clicks)


def judged(
    ports: Ports, user_id: str, *, seen_in: str = ""
) -> tuple[Person | None, Refusal | None]:
    """Before any case is meant: whoever may decide somewhere may ask."""
    anywhere, now = for_anybody(ports), ports.clock()
    person = anywhere.people.fetch([user_id]).get(user_id)
    nobody = last_seen(Case("", "", "", "", now), policy=anywhere.policy, now=now)
    return person, refusal(person, Act.REFRESH, nobody, seen_in=seen_in)


def _until(case: Case) -> str:
    return case.keep.until.isoformat() if case.keep else ""


def _read(ports: Ports, case_id: str) -> Case | None:
    try:
        return ports.cases.load(case_id)
    except (KeyError, TemporaryError, PermanentError) as trouble:
        ports.log("case not read", case_id=case_id, why=str(trouble))
        return None
