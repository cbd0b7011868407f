"""A call on a key store that AWS refused, or a loss: one case a cluster, whatever was heard and however often."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.failing_use import hear_use
from chalicelib.flows.hear import NOT_SERVED, hear
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Opened
from tests.flows.town import COPY, ELSEWHERE, Build, Town, cluster_id, store_id

FLAVOURS: dict[Trigger, Callable[[Town], None]] = {
    Trigger.STORE_DELETE_BLOCKED: lambda _: None,
    Trigger.CLUSTER_TAKEN: lambda _: None,
    Trigger.STORE_DOWN: Town.fails,
    Trigger.CLUSTER_LOST: Town.loses_hsms,
}
"""What opens a case, and the world in which it does."""


def only(it: Town) -> Case:
    (case,) = it.cases()
    return case


@pytest.mark.parametrize("trigger", FLAVOURS)
def test_each_opens_the_case_of_its_cluster_and_starts_its_run(
    town: Build, trigger: Trigger
) -> None:
    it = town(2)
    FLAVOURS[trigger](it)
    opened = hear(it.ports, it.heard(trigger))
    assert isinstance(opened, Opened)
    assert opened.is_new
    case = only(it)
    assert (case.case_id, case.trigger, case.cluster_id) == (
        opened.case_id,
        trigger,
        cluster_id(1),
    )
    assert [a.key_store_id for a in case.attempts] == [store_id(1)], "the look told it"
    assert it.runs.started == [(opened.case_id, 0)]
    assert it.counted == ["CasesOpened"]


@pytest.mark.parametrize("first", FLAVOURS)
def test_further_ones_fold_into_it_and_wake_it(town: Build, first: Trigger) -> None:
    it = town(2)
    it.loses_hsms()  # in this world each of them is about cluster 1
    opened = hear(it.ports, it.heard(first))
    assert isinstance(opened, Opened)
    assert it.stored.sleep(opened.case_id, version=only(it).version, token="asleep")
    for number, trigger in enumerate(FLAVOURS, 2):
        folded = hear(it.ports, it.heard(trigger, event_id=f"event-{number}"))
        assert isinstance(folded, Opened)
        assert (folded.case_id, folded.is_new) == (opened.case_id, False)
    case = only(it)
    assert case.trigger is first, "what opened it"
    assert [a.trigger for a in case.attempts] == [first, *FLAVOURS]
    assert it.runs.woken == ["asleep"] * len(FLAVOURS)
    assert it.runs.started == [(opened.case_id, 0)]


def test_the_same_event_again_changes_nothing(town: Build) -> None:
    it = town()
    call = it.heard(Trigger.CLUSTER_TAKEN)
    opened, again = (hear(it.ports, call) for _ in range(2))
    assert isinstance(opened, Opened)
    assert isinstance(again, Opened)
    assert (again.case_id, again.is_new) == (opened.case_id, False)
    assert len(only(it).attempts) == 1
    assert it.counted == ["CasesOpened"]


def test_a_copy_that_was_asked_for_is_about_the_cluster_of_the_store(town: Build) -> None:
    it = town(2)
    hear(it.ports, it.heard(Trigger.CLUSTER_TAKEN, cluster=f"{COPY}-2"))
    case = only(it)
    assert case.cluster_id == cluster_id(2)
    assert [a.asked for a in case.attempts] == [f"{COPY}-2"]


@pytest.mark.parametrize("trigger", FLAVOURS)
def test_an_account_that_is_not_served_opens_nothing_and_is_not_looked_at(
    town: Build, trigger: Trigger
) -> None:
    it = town()
    FLAVOURS[trigger](it)
    assert hear(it.ports, it.heard(trigger, account=ELSEWHERE)) == NOT_SERVED
    assert (it.cases(), it.runs.started, it.lists.looks) == ([], [], 0)
    assert it.reasons() == [NOT_SERVED]


@pytest.mark.parametrize("trigger", [Trigger.STORE_DELETE_BLOCKED, Trigger.STORE_DOWN])
def test_an_external_key_store_is_left_alone(town: Build, trigger: Trigger) -> None:
    """No list of stores on clusters has it."""
    it = town()
    it.fails()
    why = hear(it.ports, it.heard(trigger, store="cks-external"))
    assert isinstance(why, str)
    assert "XKS" in why
    assert (it.cases(), it.runs.started) == ([], [])
    assert it.reasons() == [why]


@pytest.mark.parametrize(
    ("trigger", "why"),
    [(Trigger.STORE_DOWN, "connected"), (Trigger.CLUSTER_LOST, "an HSM is left")],
)
def test_what_turned_out_to_be_no_outage_opens_nothing(
    town: Build, trigger: Trigger, why: str
) -> None:
    it = town()
    said = hear(it.ports, it.heard(trigger))
    assert isinstance(said, str)
    assert why in said
    assert it.cases() == []


@pytest.mark.parametrize("trigger", FLAVOURS)
def test_what_aws_does_not_tell_is_asked_again_later(town: Build, trigger: Trigger) -> None:
    """The event must not be taken as done: EventBridge and Lambda bring it again."""
    it = town()
    FLAVOURS[trigger](it)
    it.lists.unread = ("AWS refuses kms:DescribeCustomKeyStores",)
    with pytest.raises(TemporaryError, match="DescribeCustomKeyStores"):
        hear(it.ports, it.heard(trigger))
    assert (it.cases(), it.runs.started) == ([], [])
    it.lists.unread = ()
    opened = hear(it.ports, it.heard(trigger))
    assert isinstance(opened, Opened)
    assert opened.is_new, "the first try left nothing behind"


@pytest.mark.parametrize("trouble", [TemporaryError("Busy."), PermanentError("No role.")])
def test_a_look_that_fails_opens_nothing(
    town: Build, trouble: TemporaryError | PermanentError
) -> None:
    it = town()
    it.lists.trouble = trouble
    with pytest.raises(type(trouble)):
        hear(it.ports, it.heard(Trigger.CLUSTER_TAKEN))
    assert it.cases() == []


def test_a_look_that_is_given_is_not_made_again(town: Build) -> None:
    it = town()
    call = it.heard(Trigger.CLUSTER_TAKEN)
    seen = it.lists.outline(call.account, call.region, now=it.clock.now)
    assert isinstance(hear(it.ports, call, seen=seen), Opened)
    assert it.lists.looks == 1


CLUSTERS, EVENTS = 20, 1_000
ALL_CLUSTERS, ALL_EVENTS = 100, 10_000
"""Few enough for each that none waits in vain for a place in its inbox, as no turn runs here."""
OPENS = ("delete", "store", "taken", "copy", "connect", "lost", "use")
NOISE = ("external", "elsewhere")


def play(it: Town, what: str, number: int, event_id: str) -> None:
    """One event comes in."""
    match what:
        case "delete":
            open_case(it.ports, it.deleted(number, event_id=event_id))
        case "store":
            hear(it.ports, it.heard(Trigger.STORE_DELETE_BLOCKED, number, event_id=event_id))
        case "taken":
            hear(it.ports, it.heard(Trigger.CLUSTER_TAKEN, number, event_id=event_id))
        case "copy":
            asked = f"{COPY}-{number}"
            hear(it.ports, it.heard(Trigger.CLUSTER_TAKEN, event_id=event_id, cluster=asked))
        case "connect":
            hear(it.ports, it.heard(Trigger.STORE_DOWN, number, event_id=event_id))
        case "lost":
            hear(it.ports, it.heard(Trigger.CLUSTER_LOST, number, event_id=event_id))
        case "use":
            heard = it.heard(Trigger.STORE_DOWN, number, event_id=event_id)
            hear_use(it.ports, heard, [it.use(number, event_id=event_id)])
        case "external":
            call = it.heard(Trigger.STORE_DOWN, event_id=event_id, store=f"cks-external-{number}")
            hear(it.ports, call)
        case "elsewhere":
            call = it.heard(Trigger.CLUSTER_TAKEN, number, event_id=event_id, account=ELSEWHERE)
            hear(it.ports, call)


def mixed(it: Town, clusters: int, events: int, *, seed: int) -> None:
    """Half of the clusters have lost their HSMs. A tenth of the events comes twice."""
    chance = random.Random(seed)
    for number in range(1, clusters // 2 + 1):
        it.loses_hsms(number)
    told: dict[str, set[str]] = {cluster_id(n): set() for n in range(1, clusters + 1)}
    sent: list[tuple[str, int, str]] = []
    for count in range(events):
        number = chance.randint(1, clusters)
        event = (chance.choice((*OPENS, *NOISE)), number, f"event-{count}")
        if sent and chance.random() < 0.1:
            event = chance.choice(sent)
        sent.append(event)
        play(it, *event)
        what, number, event_id = event
        is_down = number <= clusters // 2
        if what in OPENS and (is_down or what not in ("connect", "lost", "use")):
            told[cluster_id(number)].add(event_id)
    cases = it.cases()
    assert sorted(case.cluster_id for case in cases) == sorted(told)
    assert {c.cluster_id: {a.event_id for a in c.attempts} for c in cases} == told
    assert all(len(c.attempts) == len(told[c.cluster_id]) for c in cases), "each event once"
    assert sorted(it.runs.started) == sorted((case.case_id, 0) for case in cases)
    assert it.counted.count("CasesOpened") == clusters


def test_the_last_hsm_under_a_store_that_is_off_is_no_loss_until_somebody_needs_a_key(
    town: Build,
) -> None:
    """Disconnect first, then delete the HSMs, is how a cluster is parked by hand."""
    it = town()
    it.is_off()
    it.loses_hsms()
    assert isinstance(hear(it.ports, it.heard(Trigger.CLUSTER_LOST)), str)
    assert it.cases() == []
    assert hear_use(it.ports, it.heard(Trigger.STORE_DOWN, event_id="use-1"), [it.use()])
    assert only(it).trigger is Trigger.STORE_DOWN


def test_the_end_of_a_cluster_is_a_loss_whatever_its_store_is(town: Build) -> None:
    it = town()
    it.is_off()
    it.loses_cluster()
    assert isinstance(hear(it.ports, it.heard(Trigger.CLUSTER_LOST)), Opened)
    assert only(it).trigger is Trigger.CLUSTER_LOST


def test_mixed_events_open_one_case_a_cluster(town: Build) -> None:
    mixed(town(CLUSTERS), CLUSTERS, EVENTS, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_mixed_events_open_one_case_a_cluster(town: Build) -> None:
    mixed(town(ALL_CLUSTERS), ALL_CLUSTERS, ALL_EVENTS, seed=2)
