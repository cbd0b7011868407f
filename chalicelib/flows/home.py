"""What App Home shows to one person: what waits for them, what is open, kept, and the last scan. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import refusal
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.routing import for_case
from chalicelib.ports import Ports

MOST_CASES = 100


@dataclass(frozen=True)
class Read:
    """The first of the open and kept cases, and how many more there are."""

    cases: tuple[Case, ...]
    more: int


def read_cases(ports: Ports) -> Read:
    """Each as its last turn left it."""
    pointers = ports.cases.pointers()
    cases = (_read(ports, one.case_id) for one in pointers[:MOST_CASES])
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
    asker = Asker(user_id, seen_in)
    mine = [case for case in others if asker.is_waited_for(ports, case)]
    return Home(
        waiting=tuple(mine),
        open=tuple(case for case in others if case not in mine),
        kept=tuple(sorted(kept, key=_until)),
        scan=scan,
        frozen=ports.brake.why(),
        channel=ports.channel,
        more=found.more,
        asked_by=frozenset(c.case_id for c in others if c.requester_id == user_id),
    )


@dataclass
class Asker:
    """Who looks. Slack says who they are once for each list of approvers, however many cases there are."""

    user_id: str
    seen_in: str = ""
    known: dict[tuple[str, ...], Person | None] = field(default_factory=dict)

    def is_waited_for(self, ports: Ports, case: Case) -> bool:
        """They may approve what is asked, and have not."""
        if case.phase is not Phase.WAITING or not case.offers:
            return False
        if any(c.by == self.user_id and c.act is Act.APPROVE for c in case.current_clicks):
            return False
        there = for_case(ports, case)
        situation = last_seen(case, policy=there.policy, now=there.clock())
        person = self._person(there)
        return refusal(person, Act.APPROVE, situation, seen_in=self.seen_in) is None

    def _person(self, there: Ports) -> Person | None:
        approvers = there.policy.approvers
        if approvers not in self.known:
            self.known[approvers] = there.people.fetch([self.user_id]).get(self.user_id)
        return self.known[approvers]


def _until(case: Case) -> str:
    return case.keep.until.isoformat() if case.keep else ""


def _read(ports: Ports, case_id: str) -> Case | None:
    try:
        return ports.cases.load(case_id)
    except (KeyError, TemporaryError, PermanentError) as trouble:
        ports.log("case not read", case_id=case_id, why=str(trouble))
        return None
