"""What the sweep finds that no event told: one case for each lost call and each silent outage, and only once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.hearing import KnownOutage
from chalicelib.domain.rules.outage import Outage
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.hear import hear
from chalicelib.flows.missed import FIRST_LOOK, MEMORY, OVERLAP, SWEEP, find_missed
from chalicelib.flows.open_case import open_case
from chalicelib.flows.outlines import Outlines
from tests.flows.stand import HUB, NOW, REGION
from tests.flows.town import ELSEWHERE, HOUR, Build, Town, cluster_id, store_id

SILENT: list[tuple[Callable[[Town], None], Trigger]] = [
    (Town.fails, Trigger.STORE_DOWN),
    (Town.loses_hsms, Trigger.CLUSTER_LOST),
    (Town.loses_cluster, Trigger.CLUSTER_LOST),
]
ON_STORES = ("CreateCustomKeyStore", "DeleteCustomKeyStore", "ConnectCustomKeyStore")


def swept(it: Town) -> int:
    """An hour later, as the sweep does it: with outlines of its own."""
    it.clock.now += HOUR
    return find_missed(it.ports, Outlines(it.ports), HUB, REGION)


def only(it: Town) -> Case:
    (case,) = it.cases()
    return case


@pytest.mark.parametrize(("happens", "trigger"), SILENT)
def test_a_silent_outage_opens_one_case_and_only_once(
    town: Build, happens: Callable[[Town], None], trigger: Trigger
) -> None:
    it = town(3)
    assert swept(it) == 0, "all serve"
    happens(it)
    assert swept(it) == 1
    case = only(it)
    assert (case.trigger, case.cluster_id) == (trigger, cluster_id(1))
    (attempt,) = case.attempts
    assert (attempt.caller.kind, attempt.operation) == (SWEEP, ""), "nobody is known to have"
    assert attempt.key_store_id == store_id(1)
    assert [swept(it) for _ in range(3)] == [0, 0, 0]
    assert only(it).attempts == case.attempts, "and nothing folds"
    assert it.runs.started == [(case.case_id, 0)]


@pytest.mark.parametrize(("happens", "trigger"), SILENT)
def test_it_counts_once_also_when_its_case_is_over(
    town: Build, happens: Callable[[Town], None], trigger: Trigger
) -> None:
    it = town()
    happens(it)
    assert swept(it) == 1
    it.ends(only(it).case_id, Outcome.CANCELLED)
    assert [swept(it) for _ in range(3)] == [0, 0, 0], trigger
    assert it.cases() == []


@pytest.mark.parametrize(("happens", "trigger"), SILENT)
@pytest.mark.parametrize("first", ["event", "event and sweep", "open case"])
def test_so_does_one_that_an_event_told_of(
    town: Build, happens: Callable[[Town], None], trigger: Trigger, first: str
) -> None:
    """Whoever told of it first, and whenever a person closed it."""
    it = town()
    if first == "open case":
        assert open_case(it.ports, it.deleted(event_id="event-0"))
    happens(it)
    hear(it.ports, it.heard(trigger))
    if first.endswith("sweep"):
        assert swept(it) == 0
    it.ends(only(it).case_id, Outcome.REJECTED)
    assert [swept(it) for _ in range(3)] == [0, 0, 0]


def test_a_store_that_is_down_for_another_reason_is_another_outage(town: Build) -> None:
    it = town()
    it.fails()
    hear(it.ports, it.heard(Trigger.STORE_DOWN))
    it.ends(only(it).case_id, Outcome.CANCELLED)
    it.loses_cluster()
    assert [swept(it), swept(it)] == [1, 0]
    assert only(it).trigger is Trigger.CLUSTER_LOST


@pytest.mark.parametrize("outcome", [Outcome.RESOLVED, Outcome.RESCUED])
def test_one_whose_end_its_case_saw_is_over_also_if_no_sweep_saw_it(
    town: Build, outcome: Outcome
) -> None:
    it = town()
    it.fails()
    hear(it.ports, it.heard(Trigger.STORE_DOWN))
    it.ends(only(it).case_id, outcome)
    assert swept(it) == 1, "it served in between, and is down again"
    assert swept(it) == 0


def test_a_further_event_opens_a_case_again_which_then_tells_of_it(town: Build) -> None:
    it = town()
    it.fails()
    hear(it.ports, it.heard(Trigger.STORE_DOWN))
    it.ends(only(it).case_id, Outcome.CANCELLED)
    hear(it.ports, it.heard(Trigger.STORE_DOWN, event_id="event-2"))
    (outage,) = it.stored.outages(HUB, REGION).values()
    assert outage.case_id == only(it).case_id
    it.ends(outage.case_id)
    hear(it.ports, it.heard(Trigger.STORE_DOWN, event_id="event-3"))
    (later,) = it.stored.outages(HUB, REGION).values()
    assert later.case_id == only(it).case_id != outage.case_id


def test_a_case_whose_record_is_removed_saw_no_end(town: Build) -> None:
    it = town()
    gone = KnownOutage(NOW, Outage.FAILED, "case-forgotten")
    it.stored.set_outages(HUB, REGION, {store_id(1): gone})
    it.fails()
    assert swept(it) == 0


def test_what_an_earlier_version_noted_is_the_same_outage(town: Build) -> None:
    it = town()
    it.fails()
    assert swept(it) == 1
    it.ends(only(it).case_id, Outcome.CANCELLED)
    (outage,) = it.stored.outages(HUB, REGION).values()
    it.stored._put(f"DOWN#{HUB}#{REGION}", since={store_id(1): outage.since.isoformat()})
    assert [swept(it), swept(it)] == [0, 0]


def test_an_outage_that_can_not_be_noted_opens_its_case_all_the_same(
    town: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = town()
    it.fails()

    def away(*_: object) -> None:
        raise TemporaryError("The table is away.")

    with monkeypatch.context() as patched:
        patched.setattr(type(it.stored), "set_outages", away)
        hear(it.ports, it.heard(Trigger.STORE_DOWN))
    assert swept(it) == 0
    it.ends(only(it).case_id, Outcome.CANCELLED)
    assert swept(it) == 0, "the sweep found the case open"


def test_each_store_that_is_down_has_its_own(town: Build) -> None:
    it = town(4)
    it.fails(1)
    it.loses_hsms(3)
    assert swept(it) == 2
    assert {case.cluster_id for case in it.cases()} == {cluster_id(1), cluster_id(3)}


def test_a_store_that_is_off_may_be_meant_so(town: Build) -> None:
    it = town()
    it.is_off()
    assert [swept(it), swept(it)] == [0, 0]
    assert it.stored.outages(HUB, REGION) == {}


def test_an_outage_that_is_over_is_forgotten_and_a_second_outage_opens_anew(town: Build) -> None:
    it = town()
    it.fails()
    swept(it)
    first = only(it)
    (outage,) = it.stored.outages(HUB, REGION).values()
    assert outage == KnownOutage(it.clock.now, Outage.FAILED, first.case_id)
    it.ends(first.case_id)
    it.serves()
    assert swept(it) == 0
    assert it.stored.outages(HUB, REGION) == {}
    it.fails()
    assert swept(it) == 1
    assert only(it).case_id != first.case_id
    assert swept(it) == 0


def test_a_store_with_an_open_case_needs_no_other(town: Build) -> None:
    """The turns of the case see the outage by themselves."""
    it = town()
    opened = open_case(it.ports, it.deleted())
    assert opened
    it.fails()
    assert swept(it) == 0
    assert [a.event_id for a in only(it).attempts] == ["event-1"]


@pytest.mark.parametrize("other", [{"region": "eu-west-1"}, {"account": ELSEWHERE}])
def test_a_case_of_another_place_is_none_of_this_store(town: Build, other: dict[str, str]) -> None:
    it = town()
    it.ports = replace(it.ports, places=((HUB, REGION), (ELSEWHERE, REGION)))
    call = it.deleted()
    assert open_case(it.ports, replace(call, **other))  # type: ignore[arg-type]  # its fields
    it.fails()
    assert swept(it) == 1


@pytest.mark.parametrize("unread", [True, False])
def test_a_place_that_cannot_be_read_opens_and_forgets_nothing(town: Build, unread: bool) -> None:
    it = town(2)
    it.fails(1)
    swept(it)
    known = it.stored.outages(HUB, REGION)
    it.serves(1)
    it.fails(2)
    if unread:
        it.lists.unread = ("AWS refuses kms:DescribeCustomKeyStores",)
    else:
        it.lists.trouble = TemporaryError("Busy.")
    assert swept(it) == 0
    assert it.stored.outages(HUB, REGION) == known
    assert len(it.cases()) == 1


LOST = [*(t for t in Trigger if t not in (Trigger.DELETE_BLOCKED, Trigger.SCAN))]


@pytest.mark.parametrize("trigger", LOST)
def test_a_call_that_was_never_delivered_opens_its_case(town: Build, trigger: Trigger) -> None:
    it = town(2)
    it.memory.found = [it.heard(trigger, 2)]
    if trigger.is_outage:
        it.loses_hsms(2)
    assert swept(it) == 1
    case = only(it)
    assert (case.trigger, case.cluster_id) == (trigger, cluster_id(2))
    assert [a.event_id for a in case.attempts] == ["event-1"], "who did it, not the sweep"
    assert it.lists.looks == 1, "one look serves all that is found"
    assert swept(it) == 0


def test_a_blocked_delete_that_was_never_delivered_opens_its_case(town: Build) -> None:
    it = town()
    it.memory.found = [it.deleted()]
    assert swept(it) == 1
    assert (only(it).trigger, only(it).cluster_id) == (Trigger.DELETE_BLOCKED, cluster_id(1))


def test_what_was_delivered_is_not_new(town: Build) -> None:
    it = town()
    call = it.heard(Trigger.CLUSTER_TAKEN)
    hear(it.ports, call)
    it.memory.found = [call, it.heard(Trigger.STORE_DELETE_BLOCKED, event_id="event-2")]
    assert swept(it) == 0
    assert [a.event_id for a in only(it).attempts] == ["event-1", "event-2"], "the other folds"


def test_an_external_store_and_a_loss_that_is_none_open_nothing(town: Build) -> None:
    it = town(2)
    it.loses_hsms(2)  # so that losses are asked for
    lost = it.heard(Trigger.CLUSTER_LOST, event_id="event-2")
    it.memory.found = [it.heard(Trigger.STORE_DOWN, store="cks-external"), lost]
    swept(it)
    assert only(it).cluster_id == cluster_id(2)


def test_cloudtrail_is_asked_only_for_what_can_be_there(town: Build) -> None:
    it = town()
    swept(it)
    it.loses_hsms()
    swept(it)
    it.lists.stores.clear()
    swept(it)
    asked = [names for _, names in it.memory.asked]
    assert asked == [
        ("DeleteCluster", *ON_STORES),
        ("DeleteCluster", *ON_STORES, "DeleteHsm"),
        ("DeleteCluster",),
    ]


def test_it_looks_from_where_the_last_look_ended(town: Build) -> None:
    it = town()
    swept(it)
    swept(it)
    since = [since for since, _ in it.memory.asked]
    assert since == [NOW + HOUR - FIRST_LOOK - OVERLAP, NOW + HOUR - OVERLAP]


def test_it_looks_no_further_back_than_cloudtrail_remembers(town: Build) -> None:
    it = town()
    swept(it)
    it.clock.now += timedelta(days=200)
    swept(it)
    assert it.memory.asked[-1][0] == it.clock.now - MEMORY


def troubled(it: Town, kind: str) -> None:
    match kind:
        case "unread":
            it.lists.unread = ("AWS refuses kms:DescribeCustomKeyStores",)
        case "busy":
            it.lists.trouble = TemporaryError("Busy.")
        case "refused":
            it.lists.trouble = PermanentError("No role.")


@pytest.mark.parametrize("kind", ["unread", "busy", "refused"])
def test_a_lost_call_that_could_not_be_placed_is_found_by_a_later_sweep(
    town: Build, kind: str
) -> None:
    """However long AWS can’t be read: the look goes back to where the last whole one ended."""
    it = town()
    swept(it)
    it.memory.found = [it.heard(Trigger.STORE_DELETE_BLOCKED)]
    troubled(it, kind)
    for _ in range(3):
        if kind == "refused":
            with pytest.raises(PermanentError):
                swept(it)
        else:
            assert swept(it) == 0
    assert it.cases() == []
    it.lists.unread, it.lists.trouble = (), None
    assert swept(it) == 1
    assert only(it).trigger is Trigger.STORE_DELETE_BLOCKED
    swept(it)
    assert it.memory.asked[-1][0] == it.clock.now - HOUR - OVERLAP, "and then it goes on"


CLUSTERS, SWEEPS = 20, 100


@pytest.mark.parametrize("seed", [1, 2])
def test_many_outages_open_one_case_each(town: Build, seed: int) -> None:
    """Stores fail and serve again at random between the sweeps, and so do their cases end."""
    it, chance = town(CLUSTERS), random.Random(seed)
    down: set[int] = set()
    expected = found = 0
    for _ in range(SWEEPS):
        for number in chance.sample(range(1, CLUSTERS + 1), 4):
            if number not in down:
                it.fails(number)
                expected += 1
                down.add(number)
            elif chance.random() < 0.5:
                it.serves(number)
                for case in it.cases():
                    if case.cluster_id == cluster_id(number):
                        it.ends(case.case_id)
                down.remove(number)
        found += swept(it)
        assert set(it.stored.outages(HUB, REGION)) == {store_id(n) for n in down}
        assert {case.cluster_id for case in it.cases()} == {cluster_id(n) for n in down}
    assert found == expected
    assert it.counted.count("CasesOpened") == found


def test_if_the_very_first_looks_fail_for_days_the_one_that_succeeds_looks_as_far_back(
    town: Build,
) -> None:
    it = town()
    it.memory.found = [it.heard(Trigger.STORE_DELETE_BLOCKED)]
    it.lists.trouble = TemporaryError("Busy.")
    for _ in range(3):
        assert swept(it) == 0
        it.clock.now += timedelta(days=1)
    it.lists.trouble = None
    assert swept(it) == 1
