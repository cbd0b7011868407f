"""Many at once on one store: one winner each, all others answered, nothing counted twice."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.answers import Answer
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.failures import ConflictError, SupersededError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.sweep import sweep
from chalicelib.flows.take_turn import Turn, take_turn
from tests.flows.answers import private, refusal
from tests.flows.engine import Engine
from tests.flows.stand import CLUSTER, Stand, key, world
from tests.reliability.figures import TRIED

pytestmark = pytest.mark.any_words

THREADS = 32
Make = Callable[..., Stand]
PEOPLE = tuple(f"person-{number}" for number in range(THREADS))


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads change places all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def stand(store: DynamoCases) -> Make:
    """Each thread decodes for itself, as each function does."""
    return partial(Stand, store=store)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """All of them start at the same moment; what they give back, in order."""
    gate = threading.Barrier(min(len(calls), THREADS))

    def behind_the_gate(number: int) -> Any:
        if number < gate.parties:
            gate.wait()
        return calls[number]()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(behind_the_gate, range(len(calls))))


def tried(it: Stand, case_id: str, given: str, attempt: int) -> Turn | None:
    """A try that is left over, or finds no moment to save, ends by saying so."""
    with suppress(SupersededError, ConflictError):
        return take_turn(it.ports, case_id, 0, given=given, attempt=attempt)
    return None


def turns(it: Stand, case_id: str, number: int) -> list[Callable[[], Turn | None]]:
    """Tries of one turn, of which the run believes that all but the last have died."""
    given = it.runs.bodies[case_id, 0] or ""
    return [partial(tried, it, case_id, given, attempt) for attempt in range(number)]


def went_on(it: Stand, case_id: str, last: Turn | None, *, tries: int) -> None:
    """The run remembers what the last try gave back; if that failed, it tries once more."""
    if last is None:
        it.turn(case_id, attempt=tries)
    else:
        it.runs.bodies[case_id, 0] = last.body


def asked(stand: Make, **policy: object) -> tuple[Stand, str]:
    """A case that people may decide, offers and all."""
    it = stand(world(), **{"approvers": PEOPLE, **policy})
    opened = open_case(it.ports, it.failed())
    assert opened is not None
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    return it, opened.case_id


def is_counted(answer: Answer) -> bool:
    return refusal(answer) is None and not private(answer)


@pytest.mark.parametrize("attempt", range(3))
def test_thirty_two_people_reject_cancel_and_approve_one_case(stand: Make, attempt: int) -> None:
    it, case_id = asked(stand)

    def acting(number: int) -> Callable[[], Answer]:
        by = PEOPLE[number]
        match number % 4:
            case 0:
                return lambda: it.click(by, "reject", case_id)
            case 1:
                return lambda: it.click(by, "cancel", case_id)
        return lambda: it.submit(by, "retire", case_id)

    answers = at_once([acting(number) for number in range(THREADS)])
    endings = [a for n, a in enumerate(answers) if n % 4 < 2 and is_counted(a)]
    assert len(endings) == 1, "one reject or cancel wins"
    assert all(is_counted(a) or private(a) for a in answers), "everybody else is answered"
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome in (Outcome.REJECTED, Outcome.CANCELLED)
    assert it.aws.landed == []
    entries = it.stored.entries(case_id)
    assert audit_log.flaws(entries, head=case.log_head) == ()
    assert Counter(e.kind for e in entries)[Kind.ASKED_BACK] == 1
    TRIED["clicks at the same moment, each answered"] += len(answers)


def test_each_approval_counts_once_however_often_it_is_sent(stand: Make) -> None:
    it, case_id = asked(stand)
    people = PEOPLE[:8]
    answers = at_once(
        [partial(it.submit, by, "retire", case_id) for by in people for _ in range(4)]
    )
    assert sum(map(is_counted, answers)) == len(people)
    clicks = [c.by for c in it.case(case_id).clicks if c.act is Act.APPROVE]
    assert sorted(clicks) == sorted(people)


def approver(user_id: str, *teams: str, org: str = "E0ORG", mailbox: str = "") -> Person:
    email = f"{mailbox or user_id}@example.com"
    return Person(user_id, teams[0], org, teams, user_id, email, is_approver=True)


ALICE, BOB = approver("alice", "T1", "T2"), approver("bob", "T2")
OTHER_ALICE = approver("alice-2", "T2", mailbox="alice")
THIRD, FOREIGN = approver("dave", "T3"), approver("mallory", "T9", org="E0OTHER")


@pytest.mark.parametrize(
    ("teams", "strangers"),
    [(("E0ORG",), (FOREIGN,)), (("T1", "T2"), (FOREIGN, THIRD))],
    ids=["the organisation", "two workspaces of it"],
)
def test_people_of_two_workspaces_approve_at_the_same_moment(
    stand: Make, teams: tuple[str, ...], strangers: tuple[Person, ...]
) -> None:
    people = {one.user_id: one for one in (ALICE, BOB, OTHER_ALICE, *strangers)}
    it, case_id = asked(stand, approvers=tuple(people), team_ids=teams)
    it.slack.people = people

    def together(*sent: tuple[Person, str]) -> list[Answer]:
        send = partial(it.submit, remedy="retire", case_id=case_id)
        return at_once([partial(send, who.user_id, team=team) for who, team in sent * 4])

    mine = [(ALICE, "T1"), (ALICE, "T2"), (OTHER_ALICE, "T2")]
    answers = together(*mine, *((one, one.team_id) for one in strangers))
    own = [a for number, a in enumerate(answers) if number % (3 + len(strangers)) < 3]
    assert sum(map(is_counted, own)) == 1, "one person, one approval"
    assert all(is_counted(answer) or private(answer) for answer in own)
    refused = Counter(map(refusal, answers))
    assert refused == {None: len(own), Refusal.EXTERNAL: 4 * len(strangers)}
    it.turn(case_id)
    assert it.case(case_id).plan is None, "it still needs a second person"
    answers = together((BOB, "T2"), *mine)
    assert sum(map(is_counted, answers)) == 1
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED
    assert max(Counter(it.aws.landed).values()) == 1


def test_turns_at_the_same_moment_make_each_call_once(stand: Make) -> None:
    it, case_id = asked(stand)
    it.submit(PEOPLE[0], "retire", case_id)
    it.submit(PEOPLE[1], "retire", case_id)
    for _ in range(60):
        *_, last = at_once(turns(it, case_id, 4))
        went_on(it, case_id, last, tries=4)
        if it.case(case_id).is_closed:
            break
        it.clock.now += timedelta(minutes=1)
    case = it.case(case_id)
    assert case.outcome is Outcome.RETIRED
    assert max(Counter(it.aws.landed).values()) == 1
    assert audit_log.flaws(it.stored.entries(case_id), head=case.log_head) == ()


def test_two_hundred_deliveries_of_one_event_open_one_case(stand: Make) -> None:
    it = stand(world())
    failed = it.failed()
    opened = at_once([lambda: open_case(it.ports, failed)] * 200)
    assert len({one.case_id for one in opened}) == 1
    assert sum(one.is_new for one in opened) == 1
    assert it.runs.started == [(opened[0].case_id, 0)]
    assert len(it.case(opened[0].case_id).attempts) == 1
    TRIED["deliveries of one event at the same moment, one case"] += len(opened)


def test_two_hundred_attempts_on_one_cluster_fold_into_one_case(stand: Make) -> None:
    it = stand(world())
    events = [it.failed(f"event-{number}") for number in range(200)]
    opened = at_once([partial(open_case, it.ports, failed) for failed in events])
    assert len({one.case_id for one in opened}) == 1
    assert len(it.case(opened[0].case_id).attempts) == 200
    assert len(it.stored.pointers()) == 1


def test_clicks_sweeps_events_and_turns_all_at_once(stand: Make) -> None:
    it, case_id = asked(stand)
    calls: list[Callable[[], Any]] = []
    for number, one in enumerate(turns(it, case_id, 8)):
        calls += [
            partial(it.submit, PEOPLE[number], "retire", case_id),
            one,
            lambda: sweep(it.ports),
            partial(open_case, it.ports, it.failed(f"event-{number}")),
        ]
    went_on(it, case_id, at_once(calls)[-3], tries=8)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    assert max(Counter(it.aws.landed).values()) == 1
    assert audit_log.flaws(it.stored.entries(case_id), head=case.log_head) == ()


def test_two_clusters_of_one_account_go_their_own_ways(store: DynamoCases) -> None:
    other = world(key(7), cluster_id="cluster-7z7z7z7z7z7", store_id="cks-7")
    first, second = Stand(world(key(1)), store=store), Stand(other, store=store)
    opened = at_once(
        [
            lambda: open_case(first.ports, first.failed("event-1")),
            lambda: open_case(second.ports, second.failed("event-2")),
        ]
    )
    ids = [one.case_id for one in opened]
    assert len(set(ids)) == 2
    assert {p.cluster_id for p in store.pointers()} == {CLUSTER, "cluster-7z7z7z7z7z7"}

    def played(it: Stand, case_id: str, remedy: str) -> Outcome | None:
        it.run(case_id, until=lambda c: bool(c.message.ts))
        it.approve("alice", remedy, case_id)
        it.approve("bob", remedy, case_id)
        return it.run(case_id, until=lambda c: c.is_closed).outcome

    ends = at_once(
        [
            lambda: played(first, ids[0], "retire"),
            lambda: played(second, ids[1], "park"),
        ]
    )
    assert ends == [Outcome.RETIRED, Outcome.PARKED]
    assert {target for _, target in first.aws.landed}.isdisjoint(
        {target for _, target in second.aws.landed} - {"us-east-1a", "us-east-1b", "newest"}
    )


def test_a_reopened_case_finds_its_cluster_taken(stand: Make) -> None:
    it = stand(world(key(1)))
    engine = Engine(it)
    engine.deliver(it.failed("event-1"))
    (first, _), *_ = it.runs.started
    engine.go(until=lambda: bool(it.case(first).message.ts))
    it.approve("alice", "park", first)
    engine.go(until=lambda: it.case(first).is_closed and not engine.living)
    engine.deliver(it.failed("event-2"))
    second = next(p.case_id for p in it.stored.pointers())
    answer = it.click("bob", "undo", first)
    assert second in private(answer)
    assert it.case(first).is_closed, "nothing was changed"
    engine.go(until=lambda: bool(it.case(second).message.ts))
    it.click("bob", "reject", second)
    engine.go(until=lambda: it.case(second).is_closed and not engine.living)
    assert private(it.click("bob", "undo", first)) == ""
    engine.go(until=lambda: it.case(first).outcome is Outcome.CANCELLED)
    assert it.case(first).phase is Phase.CLOSED
