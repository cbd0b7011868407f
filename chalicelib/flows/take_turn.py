"""A turn as its run takes it: what the run remembers says whether the stored case may be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.decide import HOUR
from chalicelib.domain.rules.clicks import record_ends
from chalicelib.domain.rules.polling import MINUTE, poll
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state.audit_log import Kind, entry
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import (
    ConflictError,
    PermanentError,
    SupersededError,
    TemporaryError,
    UnbelievedError,
)
from chalicelib.flows.remembering import anchor_of, is_left_over
from chalicelib.flows.turn_once import turn_once
from chalicelib.flows.turn_ports import TurnPorts, turn_ports
from chalicelib.ports import Ports

TURNS_A_RUN = 1_500
"""A run has at most 25,000 history events, about 12 a turn; then a successor takes over."""
NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True)
class Turn:
    """What the state machine reads: whether to end, how long to sleep, and at which version.

    It remembers `body`, the digest of what was saved last.
    """

    finished: bool
    wait_seconds: int
    version: int
    body: str = ""


def take_turn(
    ports: Ports,
    case_id: str,
    generation: int,
    *,
    given: str | None = "",
    attempt: int = 0,
    turns_a_run: int = TURNS_A_RUN,
    trusted: Mapping[str, str] = NOBODY,
) -> Turn:
    """Safe to repeat and to kill at any line. A turn of an old generation does nothing and ends.

    `given` is the digest that the run remembers; None in a run of the version that remembered none.
    `trusted` says `by` whom and `why`, in the first turn of a run for whose body an operator vouches.
    """
    anchor = anchor_of(ports, case_id, generation, given=given, attempt=attempt)
    turning = turn_ports(ports, ports.for_turn(anchor, generation))
    try:
        if trusted:
            _note(turning, case_id, given, trusted)
        return _turns(turning, case_id, turns_a_run=turns_a_run)
    except UnbelievedError:
        return _refused(turning, case_id, generation, anchor)
    except SupersededError as left:
        return _left_over(ports, case_id, generation, anchor, left)


def _left_over(
    ports: Ports, case_id: str, generation: int, anchor: Anchor, left: SupersededError
) -> Turn:
    """Another run is to go on, and this one ends; a later try of this turn needs nobody to say so."""
    if left.generation == generation:
        raise left
    # Whoever moved the generation on may have died before it started that run.
    ports.runs.start(case_id, left.generation)
    return Turn(True, 1, 0, anchor.remembered)


def _turns(ports: TurnPorts, case_id: str, *, turns_a_run: int) -> Turn:
    version = 0
    for _ in range(5):
        case = ports.cases.load(case_id)
        version = case.version
        try:
            if ports.cases.is_old:
                return _take_in(ports, case)
            case, seconds = turn_once(ports, case)
            over = _is_over(case) and not case.message.is_awaited(case.closed_at, ports.clock())
            if over and (ends := record_ends(case, ports.policy)):
                ports.cases.expire(case, ends)
        except ConflictError:
            continue
        if case.turns % turns_a_run == 0:
            return _hand_over(ports, case)
        return _ended(ports, Turn(over, max(seconds, 1), case.version, ports.cases.digest))
    return _ended(ports, Turn(False, 1, version, ports.cases.digest))


def _ended(ports: TurnPorts, turn: Turn) -> Turn:
    """A save shuts out the tries before this one: without it they could still write what no run remembers.

    So a try that saved nothing fails, and the run tries again.
    """
    if not ports.cases.has_saved:
        raise ConflictError("no moment to save the case")
    return turn


def _note(ports: TurnPorts, case_id: str, given: str | None, trusted: Mapping[str, str]) -> None:
    """Who vouched for this body, and why: once, however often this turn is tried."""
    case = ports.cases.load(case_id)
    if ports.cases.digest == given:
        by, why = trusted["by"], trusted["why"]
        said = entry(Kind.TRUSTED, ports.clock(), by=by, reason=why, body=given)
        ports.cases.save(case, [said])
        ports.log("an operator vouches for the stored case", case_id=case_id, by=by)


def _take_in(ports: TurnPorts, case: Case) -> Turn:
    """A case of the version before bodies were sealed becomes one of today's, once."""
    case = ports.cases.save(case, [entry(Kind.TAKEN_IN, ports.clock())])
    ports.log("case of an earlier version accepted", case_id=case.case_id)
    return _hand_over(ports, case)


def _refused(ports: TurnPorts, case_id: str, generation: int, anchor: Anchor) -> Turn:
    """The stored case is not what its last turn left: nothing is done until it is, or an operator decides."""
    if is_left_over(ports, case_id, generation, anchor):
        raise SupersededError(case_id, generation)
    now = ports.clock()
    try:
        found = ports.cases.refuse(case_id, now=now)
    except SupersededError as left:
        return _left_over(ports, case_id, generation, anchor, left)
    ports.count("BodyRefused", 1)
    ports.log("the stored case is not believed", case_id=case_id, generation=generation)
    if found.begun is not None:
        world, known = _world(ports, found.begun, now), anchor.remembered
        ports.gateway.hold(found.begun, world, since=found.since, remembered=known)
    seconds = poll(found.since, now, least=5 * MINUTE, most=HOUR)
    return Turn(False, seconds, found.version, anchor.remembered)


def _world(ports: Ports, case: Case, now: datetime) -> Snapshot | None:
    """What AWS shows of the cluster that the case was opened for; nothing else can be believed."""
    try:
        return ports.inventory.snapshot(case, now=now)
    except (TemporaryError, PermanentError) as trouble:
        ports.log("AWS can’t now", reason=trouble.reason, case_id=case.case_id)
        return None


def _hand_over(ports: TurnPorts, case: Case) -> Turn:
    """A successor of the next generation goes on: this run nears the engine's limit, or can't remember."""
    digest = ports.cases.digest
    generation = ports.cases.next_generation(case)
    ports.runs.start(case.case_id, generation, body=digest)
    return Turn(True, 1, case.version, digest)


def _is_over(case: Case) -> bool:
    """Nothing more will happen: it is over, and no click (such as an undo) is unheard."""
    return case.is_over and not case.new_clicks
