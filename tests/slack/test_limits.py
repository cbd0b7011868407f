"""Whatever AWS holds and people type, messages and dialogs stay inside Slack's limits and never fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.diagnosis import ways_out
from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.audit_log import Kind, entry
from chalicelib.domain.state.case import Case, Phase
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.slack import modals
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.render import render
from chalicelib.slack.messages.thread import line
from tests.domain.worlds import DAY, NOW, POLICY, situation
from tests.slack.every_moment import MOMENTS
from tests.slack.hostile import BIG, EVIL, World, hostile
from tests.slack.reading import marked, problems, view_problems

pytestmark = pytest.mark.any_words


def check(world: World, policy: Policy) -> None:
    case = world.case(policy)
    message = render(case, policy=policy, now=NOW, version=10**9)
    assert problems(message) == []
    assert "<!channel>" not in marked(message.blocks)
    assert "<!channel>" not in message.text
    for plan in case.offers:
        view = modals.decide(
            case, plan, policy=policy, now=NOW, forecast=None, count=world.any.randint(0, 9),
            user=world.who(),
        )  # fmt: skip
        assert view_problems(view) == []
    _check_other_views(world, case, policy)


def _check_other_views(world: World, case: Case, policy: Policy) -> None:
    gates = [Gate(world.long(), world.long(), world.long()) for _ in range(4)]
    if case.snapshot:
        for way in ways_out(situation(case.snapshot, case=case, policy=policy)):
            gates += way.gates
    remedy = world.any.choice(list(Remedy))
    for view in (
        modals.loading(case, remedy),
        modals.impossible(case, remedy, world.long(), gates),
        modals.impossible(case, remedy, world.long(), ()),
        modals.changed(case, remedy, case.differences),
    ):
        assert view_problems(view) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 2, 3, 25]),
    st.sampled_from([0, 1, 2, 28]),
    st.sampled_from([POLICY, BIG, replace(POLICY, approvers=(), dry_run=True)]),
)
def test_hostile_worlds_stay_inside_the_limits(
    number: int, keys: int, hsms: int, policy: Policy
) -> None:
    check(World(number, keys, hsms), policy)


@pytest.mark.parametrize("keys", [300, 2_000])
@pytest.mark.parametrize("phase", list(Phase))
def test_many_keys_stay_inside_the_limits(keys: int, phase: Phase) -> None:
    world = World(keys, keys, 28)
    case = replace(world.case(POLICY), phase=phase)
    message = render(case, policy=POLICY, now=NOW, version=3)
    assert problems(message) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("evil", EVIL)
def test_hostile_names_at_every_moment(moment: str, evil: str) -> None:
    play = MOMENTS[moment]()
    case = hostile(play.case, evil)
    people = dict.fromkeys([*play.policy.approvers, *(click.by for click in case.clicks)], evil)
    names = Names(people=people, owners=("U0OWNER",), owner_tag=evil)
    message = render(case, policy=play.policy, now=play.now, version=3, names=names)
    assert problems(message) == []
    assert "<!channel>" not in marked(message.blocks) + message.text


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(list(Kind)))
def test_hostile_log_entries_stay_inside_the_limits(number: int, kind: Kind) -> None:
    world = World(number, 3, 2)
    names = [
        "event_id",
        "by",
        "tool",
        "error_code",
        "request_id",
        "keys",
        "seen",
        "cause",
        "remedy",
        "plan_hash",
        "reason",
        "override",
        "why",
        "operation",
        "target",
        "status",
        "error",
        "name",
        "due",
        "owner",
        "until",
        "act",
        "count",
        "who",
        "key",
        "outcome",
    ]
    data: dict[str, object] = {name: world.long() for name in names}
    data["operation"] = world.any.choice([*Operation, world.word()])
    data["status"] = world.any.choice(["done", "refused", "unknown", world.word()])
    data["until"] = world.any.choice([(NOW + DAY).isoformat(), "never"])
    message = line(entry(kind, NOW, **data), case=world.case(POLICY))
    if message:
        assert problems(message) == []
        assert "<!channel>" not in message.text + marked(message.blocks)
