"""What App Home shows to one person: what waits for them, what is open, kept, and the last scan. Changes nothing."""

from __future__ import annotations

from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import refusal
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.routing import for_case
from chalicelib.ports import Ports

MOST_CASES = 100


def home(ports: Ports, user_id: str, *, seen_in: str = "", scan: Scan | None = None) -> Home:
    """Of many cases the first ones; each as its last turn left it."""
    pointers = ports.cases.pointers()
    cases = [case for one in pointers[:MOST_CASES] if (case := _read(ports, one.case_id))]
    kept = [case for case in cases if case.outcome is Outcome.KEPT]
    others = [case for case in cases if case.outcome is not Outcome.KEPT]
    mine = [case for case in others if waits_for(ports, case, user_id, seen_in=seen_in)]
    return Home(
        waiting=tuple(mine),
        open=tuple(case for case in others if case not in mine),
        kept=tuple(sorted(kept, key=_until)),
        scan=scan,
        frozen=ports.brake.why(),
        channel=ports.channel,
        more=max(len(pointers) - MOST_CASES, 0),
        asked_by=frozenset(c.case_id for c in others if c.requester_id == user_id),
    )


def waits_for(ports: Ports, case: Case, user_id: str, *, seen_in: str) -> bool:
    """They may approve what is asked, and have not."""
    if case.phase is not Phase.WAITING or not case.offers:
        return False
    if any(c.by == user_id and c.act is Act.APPROVE for c in case.current_clicks):
        return False
    there = for_case(ports, case)
    person = there.people.fetch([user_id]).get(user_id)
    situation = last_seen(case, policy=there.policy, now=there.clock())
    return refusal(person, Act.APPROVE, situation, seen_in=seen_in) is None


def _until(case: Case) -> str:
    return case.keep.until.isoformat() if case.keep else ""


def _read(ports: Ports, case_id: str) -> Case | None:
    try:
        return ports.cases.load(case_id)
    except (KeyError, TemporaryError, PermanentError) as trouble:
        ports.log("case not read", case_id=case_id, why=str(trouble))
        return None
