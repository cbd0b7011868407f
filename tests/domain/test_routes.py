"""Which route a case takes, what it changes, and what a file of routes may not say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules.approval import terms
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.routes import (
    BadRoutesError,
    Route,
    everybody,
    route_of,
    routed,
    routes_from,
)
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.plan import Plan, Remedy, _plain
from tests.domain.worlds import NOW, POLICY, Play, case, world

PROD = Route(
    "prod", accounts=("1",), regions=("r",), tags=(("env", "prod"),), approvers=("S0PROD",)
)
REST = Route("rest", accounts=("1",), channel="C2", quorum_irreversible=3)


def offered() -> tuple[Play, Plan]:
    play = Play(world())
    play.sure_turn()
    plan = play.case.offer(Remedy.PARK)
    assert plan
    return play, plan


def test_the_first_rule_that_fits_counts() -> None:
    routes = (PROD, REST)
    assert route_of(routes, "1", "r", (("env", "prod"), ("a", "b"))) is PROD
    assert route_of(routes, "1", "r", ()) is REST
    assert route_of(routes, "1", "x", (("env", "prod"),)) is REST
    assert route_of(routes, "2", "r", (("env", "prod"),)) is None


def test_what_a_rule_leaves_out_stays_as_the_settings_have_it() -> None:
    before = Policy(approvers=("U1",), quorum_irreversible=2)
    assert routed(before, None) is before
    assert routed(before, REST) == replace(before, route="rest", quorum_irreversible=3)
    assert routed(before, PROD).approvers == ("S0PROD",)
    assert everybody((PROD, REST), before) == ("U1", "S0PROD")


def test_the_route_is_a_term_of_the_plan() -> None:
    known = terms(
        Remedy.PARK,
        last_seen(case(snapshot=world()), policy=replace(POLICY, route="prod"), now=NOW),
    )
    assert known.route == "prod"
    play, plan = offered()
    scene = last_seen(play.case, policy=replace(POLICY, route="prod"), now=NOW).on(plan)
    assert [(d.what, d.before, d.now) for d in changes(scene)] == [
        ("Route", "the settings", "prod")
    ]


def test_a_plan_without_a_route_has_the_hash_that_it_always_had() -> None:
    _, plan = offered()
    text = json.dumps(plan, sort_keys=True, default=_plain)
    assert "route" not in text
    assert replace(plan, terms=replace(plan.terms, route="prod")).plan_hash != plan.plan_hash


def test_a_file_is_read_as_it_is_written() -> None:
    told = {
        "routes": [
            {
                "name": "prod",
                "accounts": ["111122223333"],
                "regions": ["us-east-1"],
                "tags": {"env": "prod"},
                "channel": "C0PROD",
                "approvers": ["S0PROD"],
                "mention": ["nobody"],
                "quorum_irreversible": 3,
                "quorum_reversible": 2,
            },
            {"name": "rest"},
        ]
    }
    prod, rest = routes_from(told)
    assert prod == Route(
        "prod",
        ("111122223333",),
        ("us-east-1",),
        (("env", "prod"),),
        "C0PROD",
        ("S0PROD",),
        ("nobody",),
        3,
        2,
    )
    assert rest == Route("rest")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "must hold `routes:`"),
        ({"routes": [], "more": 1}, "nothing else"),
        ({"routes": [{"name": str(n)} for n in range(201)]}, "201 rules are more than 200"),
        ({"routes": ["prod"]}, "rule 1 is no mapping"),
        ({"routes": [{"accounts": ["1"]}]}, "rule 1 has no name"),
        ({"routes": [{"name": " "}]}, "has no name"),
        ({"routes": [{"name": "a"}, {"name": "a"}]}, "two rules are named a"),
        ({"routes": [{"name": "a", "chanel": "C1"}]}, "rule 1 (a): chanel is not known"),
        ({"routes": [{"name": "a", "channel": 3}]}, "channel must be"),
        ({"routes": [{"name": "a", "accounts": [111122223333]}]}, "accounts must be a list"),
        ({"routes": [{"name": "a", "approvers": []}]}, "approvers must be a list"),
        ({"routes": [{"name": "a", "approvers": "U1"}]}, "approvers must be a list"),
        ({"routes": [{"name": "a", "quorum_irreversible": 0}]}, "from 1 to 20"),
        ({"routes": [{"name": "a", "quorum_reversible": True}]}, "from 1 to 20"),
        ({"routes": [{"name": "a", "tags": ["env"]}]}, "tags must be like"),
        ({"routes": [{"name": "a", "tags": {"env": 1}}]}, "tags must be like"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused(told: Any, why: str) -> None:
    with pytest.raises(BadRoutesError, match=why.replace("(", r"\(").replace(")", r"\)")):
        routes_from(told)
