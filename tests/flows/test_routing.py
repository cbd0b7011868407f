"""A case goes where its route says: other people, another channel, and no new route by a new tag."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.answers import MayNot, Private, Recorded
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.routes import Route
from chalicelib.domain.state.case import Phase
from chalicelib.failures import PermanentError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.routing import for_anybody, gateway_of, tagged
from tests.domain.worlds import cluster, world
from tests.flows.stand import Stand

PROD = Route("prod", tags=(("env", "prod"),), channel="C2", approvers=("frank", "grace"))


def stand(store: DynamoCases, *routes: Route, env: str = "prod") -> tuple[Stand, str]:
    made = Stand(world(cluster=cluster("1a", "1b", tags=(("env", env),))), store=store)
    made.ports = replace(made.ports, routes=routes)
    opened = open_case(made.ports, made.failed())
    assert opened
    made.run(opened.case_id, until=lambda case: bool(case.offers))
    return made, opened.case_id


def test_the_channel_and_the_people_are_those_of_the_route(store: DynamoCases) -> None:
    made, case_id = stand(store, PROD)
    case = made.case(case_id)
    assert case.message.channel == "C2"
    assert {plan.terms.route for plan in case.offers} == {"prod"}
    assert made.click("alice", "park", case_id) == MayNot(Refusal.NOT_AN_APPROVER)
    made.approve("frank", "park", case_id)
    assert made.run(case_id, until=lambda case: case.has_begun).phase is Phase.RUNNING


def test_where_no_rule_fits_the_settings_decide(store: DynamoCases) -> None:
    made, case_id = stand(store, PROD, env="dev")
    assert made.case(case_id).message.channel == "C1"
    assert made.click("frank", "park", case_id) == MayNot(Refusal.NOT_AN_APPROVER)


def test_a_new_tag_does_not_choose_other_people(store: DynamoCases) -> None:
    made, case_id = stand(store, PROD)
    changed = cluster("1a", "1b", tags=(("env", "dev"),))
    made.aws.model.world = replace(made.aws.model.world, cluster=changed)
    made.turn(case_id)
    assert made.case(case_id).message.channel == "C2"
    assert made.click("alice", "park", case_id) == MayNot(Refusal.NOT_AN_APPROVER)


def test_a_deployment_that_changes_the_route_voids_approvals(store: DynamoCases) -> None:
    made, case_id = stand(store, Route("all"))
    made.approve("alice", "retire", case_id)
    made.ports = replace(made.ports, routes=(replace(PROD, tags=(), approvers=()),))
    made.run(case_id, until=lambda case: case.message.channel == "C2")
    case = made.case(case_id)
    assert {plan.terms.route for plan in case.offers} == {"prod"}
    assert not case.approved


def test_who_may_decide_somewhere_may_start_a_case(store: DynamoCases) -> None:
    made, _ = stand(store, PROD)
    anybody = for_anybody(made.ports)
    assert set(anybody.policy.approvers) == {"alice", "bob", "erin", "frank", "grace"}
    assert for_anybody(replace(made.ports, routes=())).policy == made.ports.policy


def test_without_a_look_the_settings_decide_for_now(store: DynamoCases) -> None:
    made, case_id = stand(store, Route("all"))
    ports = replace(made.ports, routes=(PROD,))
    blank = replace(made.case(case_id), snapshot=None, route_tags=None)
    seen = tagged(ports, blank)
    assert dict(seen.route_tags or ()) in ({"env": "prod"}, {})

    def refuse(*_: object, **__: object) -> None:
        raise PermanentError("the reader role can’t be assumed")

    made.aws.outline = refuse  # type: ignore[method-assign,assignment]
    assert tagged(ports, blank).route_tags is None
    assert tagged(ports, replace(blank, route_tags=())).route_tags == ()


@pytest.mark.parametrize("routes", [(), (Route("all"),)])
def test_tags_are_only_remembered_where_a_rule_asks_for_them(
    store: DynamoCases, routes: tuple[Route, ...]
) -> None:
    made, case_id = stand(store, *routes)
    assert made.case(case_id).route_tags is None


def test_who_has_approved_is_told_so_before_the_dialog(store: DynamoCases) -> None:
    made, case_id = stand(store, Route("all"))
    made.approve("alice", "retire", case_id)
    said = "You approved this already. It counts once. One more person is needed."
    assert made.click("alice", "retire", case_id) == Private(said)
    assert made.click("alice", "park", case_id) == Recorded(), "another way is another plan"
    assert made.click("bob", "retire", case_id) == Recorded()


def test_answers_are_worded_for_the_people_of_the_route(store: DynamoCases) -> None:
    made, case_id = stand(store, PROD)
    assert gateway_of(made.ports, case_id).channel == "C2"  # type: ignore[attr-defined]
    assert gateway_of(made.ports, "case-nobody-knows") is made.ports.gateway
    assert tagged(made.ports, replace(made.case(case_id), route_tags=None)).route_tags
