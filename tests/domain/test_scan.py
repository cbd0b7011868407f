"""What a look at all accounts found, and what differs from the last one."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fleet import Concern, Held, Survey, monthly_cost
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.scan import MOST_FINDINGS, Changes, Scan, changes, scan_of
from chalicelib.domain.state.snapshot import StoreState
from tests.domain.test_fleet import NOW, STORE, key, survey

BROKEN = survey(Held(replace(STORE, state=StoreState.FAILED, error="NETWORK_ERRORS"), (key(),)))
IDLE = replace(survey(Held(STORE, (key(),))), region="us")
BLIND = Survey("2", "eu", NOW, unread=("kms:ListKeys was refused",))


def scanned(*surveys: Survey) -> Scan:
    return scan_of(surveys, policy=Policy(), now=NOW)


def test_the_worst_stands_first_with_its_place_and_price() -> None:
    scan = scanned(IDLE, BROKEN, BLIND)
    assert [f.concern for f in scan.findings] == [
        Concern.BROKEN_STORE,
        *([Concern.IDLE] * (len(scan.findings) - 2)),
        Concern.UNREAD,
    ]
    assert (scan.accounts, scan.regions, scan.hsms) == (2, 2, 4)
    worst = scan.findings[0]
    assert (worst.account, worst.region, worst.keys, worst.hsms) == ("1", "eu", 1, 2)
    assert worst.dollars > 0
    assert not worst.is_worth_a_case
    assert worst.place == ("1", "eu", "cluster-a")
    assert scan.of(Concern.IDLE)[0].is_worth_a_case


def test_very_many_are_counted() -> None:
    surveys = [replace(BLIND, unread=tuple(f"call {n}" for n in range(MOST_FINDINGS + 7)))]
    scan = scanned(*surveys)
    assert (len(scan.findings), scan.unseen) == (MOST_FINDINGS, 7)


def test_only_what_differs_is_told() -> None:
    before = scanned(IDLE)
    assert changes(before, before) == Changes()
    assert changes(None, before).new == before.findings
    both = changes(before, scanned(IDLE, BROKEN))
    assert {f.concern for f in both.new} >= {Concern.BROKEN_STORE}
    assert both.number == len(both.new)
    gone = changes(before, scanned())
    assert gone.gone == ("1/us/cluster-a",)
    assert len(gone.over) == len(before.findings)


def test_what_can_not_be_read_is_not_over() -> None:
    before = scanned(BROKEN)
    dark = scanned(Survey("1", "eu", NOW, unread=("refused",)))
    told = changes(before, dark)
    assert not told.over
    assert not told.gone
    assert [f.concern for f in told.new] == [Concern.UNREAD]


def test_an_hsm_costs_what_its_region_and_type_cost() -> None:
    there = replace(IDLE, region="eu-central-1")
    own = Policy().hour_price("eu-central-1", there.clusters[0].hsm_type)
    assert own != Policy().hour_price("eu")
    dollars = monthly_cost(there.clusters[0], hour_price=own)
    scan = scanned(there)
    assert scan.dollars == dollars
    assert {f.dollars for f in scan.findings if f.concern is Concern.IDLE} == {dollars}
