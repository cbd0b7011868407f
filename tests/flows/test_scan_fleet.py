"""The weekly look: kept always, told if something changed, and no trouble with one place hides the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.fleet import Concern, Survey
from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import TemporaryError
from chalicelib.flows.command import open_from_scan
from chalicelib.flows.home import Read, home
from chalicelib.flows.homes import HomePorts, opened_home
from chalicelib.flows.record_click import record_click
from chalicelib.flows.scan_fleet import ScanPorts, scan_fleet
from chalicelib.ports import Interaction
from tests.domain.worlds import ACCOUNT, CLUSTER, DAY, REGION, cluster, world
from tests.flows.answers import private, refusal
from tests.flows.stand import Stand


@dataclass
class Room:
    """The stand with what a scan needs."""

    stand: Stand
    store: DynamoCases
    clusters: tuple[Any, ...] = ()
    told: list[Any] = field(default_factory=list)
    takes: bool = True

    def survey(self, account: str, region: str) -> Survey:
        if region == "dark":
            raise TemporaryError("it is busy")
        return Survey(account, region, self.stand.clock.now, self.clusters)

    def tell(self, *what: Any) -> bool:
        self.told.append(what)
        return self.takes

    def scan(self, *, is_told: bool = True) -> int:
        given = (self.stand.ports, self.store, self.survey, self.tell)
        return scan_fleet(ScanPorts(*given, is_told=is_told)).number


@pytest.fixture
def room(store: DynamoCases) -> Room:
    made = Stand(world(), store=store)
    return Room(made, store, (cluster("1a", "1b"),))


def test_it_is_told_once_and_again_when_something_changes(room: Room) -> None:
    assert room.scan() == 1
    assert room.scan() == 0
    room.clusters = ()
    assert room.scan() == 2
    assert len(room.told) == 2
    assert room.store.scan() == room.store.told_scan()


def test_what_slack_did_not_take_is_told_next_time(room: Room) -> None:
    room.takes = False
    room.scan()
    room.takes = True
    assert room.scan() == 1
    assert len(room.told) == 2


def test_nothing_is_told_unless_the_setting_says_so(room: Room) -> None:
    assert room.scan(is_told=False) == 0
    assert not room.told
    assert room.store.scan() is not None


def test_an_empty_fleet_is_not_told_of(room: Room) -> None:
    room.clusters = ()
    assert room.scan() == 0
    assert not room.told


def test_trouble_with_one_place_leaves_the_others(room: Room) -> None:
    places = ((ACCOUNT, "dark"), (ACCOUNT, REGION))
    room.stand.ports = replace(room.stand.ports, places=places)
    room.scan()
    found = {f.concern for f in (room.store.scan() or Scan(room.stand.clock.now)).findings}
    assert found == {Concern.UNREAD, Concern.HOLDS_NOTHING}


def test_the_message_knows_the_open_case(room: Room) -> None:
    opened = open_from_scan(room.stand.ports, pressed())
    assert "Started" in private(opened)
    room.scan()
    [(_, _, _, cases)] = room.told
    assert [case.cluster_id for case in cases] == [CLUSTER]
    assert cases[0].trigger is Trigger.SCAN


def pressed(value: str = f"{ACCOUNT}/{REGION}/{CLUSTER}", by: str = "alice") -> Interaction:
    return Interaction("button", by, "T1", action=f"open:{CLUSTER}", case_id=value, trigger_id="t1")


def test_whoever_presses_counts_as_the_one_who_asked(room: Room) -> None:
    open_from_scan(room.stand.ports, pressed())
    [pointer] = room.store.pointers()
    room.stand.run(pointer.case_id, until=lambda case: bool(case.offers))
    refused = refusal(room.stand.click("alice", "park", pointer.case_id))
    assert refused is not None
    assert not refusal(room.stand.click("bob", "park", pointer.case_id))
    again = open_from_scan(room.stand.ports, replace(pressed(), trigger_id="t2"))
    assert "has an open case already" in private(again)


@pytest.mark.parametrize(
    "value", ["", "x", f"{ACCOUNT}/{REGION}/x", f"/{REGION}/{CLUSTER}", "a/b/c/d"]
)
def test_a_forged_value_starts_nothing(room: Room, value: str) -> None:
    assert "Nothing was started" in private(open_from_scan(room.stand.ports, pressed(value)))
    assert not room.store.pointers()


def test_an_outsider_starts_nothing(room: Room) -> None:
    assert refusal(open_from_scan(room.stand.ports, pressed(by="mallory")))
    assert not room.store.pointers()


def test_home_shows_what_waits_for_whom(room: Room) -> None:
    open_from_scan(room.stand.ports, pressed())
    [pointer] = room.store.pointers()
    room.stand.run(pointer.case_id, until=lambda case: bool(case.offers))
    assert len(home(room.stand.ports, "bob").waiting) == 1
    mine = home(room.stand.ports, "alice")
    assert not mine.waiting
    assert len(mine.open) == 1
    room.stand.approve("bob", "retire", pointer.case_id)
    assert not home(room.stand.ports, "bob").waiting, "has approved"
    room.stand.turn(pointer.case_id)
    clicked = Interaction(
        "submission",
        "erin",
        "T1",
        action="decide",
        case_id=pointer.case_id,
        remedy="keep",
        values={"for": "30d", "reason": "later"},
    )
    record_click(room.stand.ports, clicked)
    room.stand.turn(pointer.case_id)
    assert len(home(room.stand.ports, "bob").kept) == 1


def test_tabs_that_were_opened_are_written_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, views = list[str](), list[Home]()

    def publish(user_id: str, seen: Home, _: Any) -> bool:
        shown.append(user_id)
        views.append(seen)
        return True

    homes = HomePorts(room.stand.ports, room.store, publish)
    opened_home(homes, "bob", seen_in="T1")
    room.stand.clock.now += 20 * DAY
    opened_home(homes, "alice", seen_in="T1")
    homes.refresh()
    assert shown == ["bob", "alice", "bob", "alice"]
    room.stand.slack.people["bob"] = Person("bob", "T1", is_approver=None)
    homes.refresh()
    assert shown[4:] == ["alice"], "of bob Slack can't say now who he is"
    room.stand.clock.now += 20 * DAY
    opened_home(homes, "alice", seen_in="T1")
    assert set(room.store.homes()) == {"alice"}

    def busy(*_: Any) -> Any:
        raise TemporaryError("DynamoDB is busy")

    homes.memory.homes = busy  # type: ignore[method-assign]
    homes.refresh()
    before = len(shown)
    opened_home(homes, "alice", seen_in="T1")
    assert shown[before:] == ["alice"], "that she opened it is not remembered"
    monkeypatch.setattr(room.store, "pointers", busy)
    opened_home(homes, "alice", seen_in="T1")
    assert views[-1] == Home(is_unread=True)


def test_a_tab_shows_the_last_scan_and_what_waits_for_who_opened_it_there(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_from_scan(room.stand.ports, pressed())
    [pointer] = room.store.pointers()
    room.stand.run(pointer.case_id, until=lambda case: bool(case.offers))
    room.scan()
    room.stand.slack.people["bob"] = Person("bob", "T1", teams=("T1", "T2"), is_approver=True)
    shown: list[Home] = []
    read: list[object] = []
    pointers = room.store.pointers

    def publish(_: str, seen: Home, now: Any) -> bool:
        assert now == room.stand.clock.now
        shown.append(seen)
        return True

    homes = HomePorts(room.stand.ports, room.store, publish)

    def counted() -> Any:
        read.append("the cases")
        return pointers()

    monkeypatch.setattr(room.store, "pointers", counted)
    homes.refresh()
    assert (shown, read) == ([], []), "nobody has opened it"
    for user_id in ("alice", "bob"):
        opened_home(homes, user_id, seen_in="T1")
    assert [len(seen.waiting) for seen in shown] == [0, 1], "alice asked for it"
    assert [seen.scan for seen in shown] == [room.store.scan()] * 2
    read.clear()
    homes.refresh()
    assert len(read) == 1, "the cases are read once for all"
    assert [len(seen.waiting) for seen in shown[2:]] == [0, 1]


def test_slack_says_once_who_looks_however_many_cases_there_are(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_from_scan(room.stand.ports, pressed())
    [pointer] = room.store.pointers()
    case = room.stand.run(pointer.case_id, until=lambda case: bool(case.offers))
    asked, fetch = list[str](), room.stand.slack.fetch

    def counted(user_ids: list[str]) -> Any:
        asked.extend(user_ids)
        return fetch(user_ids)

    monkeypatch.setattr(room.stand.slack, "fetch", counted)
    seen = home(room.stand.ports, "bob", read=Read((case,) * 3, more=0))
    assert (len(seen.waiting), asked) == (3, ["bob"])


@pytest.mark.parametrize(
    ("person", "team", "closed"),
    [
        (Person("gus", "T1", is_guest=True), "T1", Refusal.GUEST),
        (Person("gus", "T9"), "T9", Refusal.EXTERNAL),
        (Person("gus", "T1", teams=("T1",)), "T9", Refusal.EXTERNAL),
        (Person("gus", "T1", is_gone=True), "T1", Refusal.GONE),
        (Person("gus", is_refused=True), "T1", Refusal.REFUSED),
        (Person("gus", "T1", is_approver=None), "T1", Refusal.UNKNOWN),
        (Person("gus", "T1"), "T1", None),
    ],
)
def test_the_tab_shows_cases_to_members_alone(
    room: Room, person: Person, team: str, closed: Refusal | None
) -> None:
    open_from_scan(room.stand.ports, pressed())
    room.stand.slack.people["gus"] = person
    shown: list[Home] = []

    def publish(_: str, seen: Home, __: Any) -> bool:
        shown.append(seen)
        return True

    homes = HomePorts(room.stand.ports, room.store, publish)
    opened_home(homes, "gus", seen_in=team)
    assert shown[0].closed is closed
    assert shown == [Home(closed=closed)] if closed else len(shown[0].open) == 1
    assert ("gus" in room.store.homes()) is (closed is None), "who left needs no more of it"
