"""What is foretold before approval is what then happens, for each remedy and each start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.decide import decide
from chalicelib.domain.forecast import Forecast, Foreseen, forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Ask, Call, Decision
from chalicelib.domain.simulation import Durations
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from tests.domain.worlds import (  # fmt: skip
    DAY,
    HOURS,
    MINUTE,
    NOW,
    POLICY,
    Play,
    approved,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    used,
    world,
)

KEYS = (key("a"), key("b", KeyState.DISABLED))
PENDING = key("p", KeyState.PENDING_DELETION, deletion_date=NOW + 5 * HOURS)
GOING = cluster(hsms=(*hsms("1b"), *hsms("1a", state=HsmState.DELETE_IN_PROGRESS)))
GROWING = cluster(hsms=(*hsms("1b"), *hsms("1a", state=HsmState.CREATE_IN_PROGRESS)))
R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
MOVE: dict[str, Any] = {"siblings": (sibling(),)}
ROWS: list[tuple[str, Remedy, Snapshot, Outcome, timedelta]] = [
    ("keys", R, world(*KEYS), Outcome.RETIRED, 30 * DAY),
    ("keys in use", R, world(key("a", last_use=used(HOURS))), Outcome.RETIRED, 30 * DAY),
    ("disconnected", R, world(*KEYS, held=store(StoreState.DISCONNECTED)), Outcome.RETIRED, 30 * DAY),
    ("disconnecting", R, world(*KEYS, held=store(StoreState.DISCONNECTING)), Outcome.RETIRED, 30 * DAY),
    ("connecting", R, world(*KEYS, held=store(StoreState.CONNECTING)), Outcome.RETIRED, 30 * DAY),
    ("failed", R, world(*KEYS, held=store(StoreState.FAILED)), Outcome.RETIRED, 30 * DAY),
    ("pending keys", R, world(PENDING), Outcome.RETIRED, 5 * HOURS),
    ("keys that take days to go", R, world(replace(PENDING, deletion_date=NOW + 5 * DAY)), Outcome.RETIRED, 5 * DAY),
    ("pending and live keys", R, world(PENDING, *KEYS), Outcome.RETIRED, 30 * DAY),
    ("an empty store", R, world(), Outcome.RETIRED, 20 * MINUTE),
    ("an empty failed store", R, world(held=store(StoreState.FAILED)), Outcome.RETIRED, 20 * MINUTE),
    ("no store", R, world(free=True), Outcome.RETIRED, 9 * MINUTE),
    ("an HSM that is going", R, world(free=True, cluster=GOING), Outcome.RETIRED, 9 * MINUTE),
    ("park", P, world(*KEYS), Outcome.PARKED, 15 * MINUTE),
    ("park, an HSM that comes", P, world(cluster=GROWING), Outcome.PARKED, 15 * MINUTE),
    ("park, disconnected", P, world(*KEYS, held=store(StoreState.DISCONNECTED)), Outcome.PARKED, 10 * MINUTE),
    ("park, disconnecting", P, world(held=store(StoreState.DISCONNECTING)), Outcome.PARKED, 10 * MINUTE),
    ("park, connecting", P, world(held=store(StoreState.CONNECTING)), Outcome.PARKED, 15 * MINUTE),
    ("park, failed", P, world(held=store(StoreState.FAILED)), Outcome.PARKED, 15 * MINUTE),
    ("park without a store", P, world(free=True), Outcome.PARKED, 6 * MINUTE),
    ("repoint", M, world(*KEYS, **MOVE), Outcome.REPOINTED, 7 * DAY),
    ("repoint, disconnected", M, world(*KEYS, held=store(StoreState.DISCONNECTED), **MOVE), Outcome.REPOINTED, 7 * DAY),
    ("repoint, disconnecting", M, world(*KEYS, held=store(StoreState.DISCONNECTING), **MOVE), Outcome.REPOINTED, 7 * DAY),
    ("repoint, connecting", M, world(*KEYS, held=store(StoreState.CONNECTING), **MOVE), Outcome.REPOINTED, 7 * DAY),
    ("repoint, failed", M, world(*KEYS, held=store(StoreState.FAILED), **MOVE), Outcome.REPOINTED, 7 * DAY),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "outcome", "least"), ROWS, ids=[r[0] for r in ROWS])  # fmt: skip
def test_it_comes_as_foretold(
    why: str, remedy: Remedy, snapshot: Snapshot, outcome: Outcome, least: timedelta
) -> None:
    play = Play(snapshot)
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is remedy)
    told = forecast(plan, situation(snapshot, case=play.case))
    play.approve(remedy)
    end = play.to_close()
    assert end.outcome is outcome, why
    assert told.why == end.reason
    assert [(call.operation, call.target) for call in told.calls] == play.calls
    assert told.end is not None
    assert told.end - NOW >= least
    assert abs(told.end - play.now) < 5 * MINUTE


def test_approvals_that_lapse_before_the_first_call_are_foretold() -> None:
    """Nothing begins while AWS changes the HSMs, and a yes counts for a day."""
    seen = world(*KEYS)
    play = Play(seen)
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is R)
    assert seen.cluster is not None
    changing = replace(seen.cluster, state=ClusterState.MODIFY_IN_PROGRESS)
    late = forecast(plan, situation(replace(seen, cluster=changing), case=play.case))
    assert late.lapses
    assert late.end is None
    watched = told_of(world(*KEYS), R, replace(POLICY, quarantine_days=7))
    assert not watched.lapses
    assert watched.end is None
    assert not told_of(world(*KEYS), R, POLICY).lapses


def foretold(snapshot: Snapshot, remedy: Remedy, policy: Policy = POLICY, **more: object) -> str:
    play = Play(snapshot, policy=policy)
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is remedy)
    told = forecast(plan, situation(snapshot, case=play.case, policy=policy), **more)  # type: ignore[arg-type]
    assert told.end is None
    return told.why


ASKS = "Unlatch asks again:"


def test_a_question_on_the_way_is_foretold() -> None:
    again = replace(POLICY, go_again_after=48)
    assert foretold(world(*KEYS), R, again) == f"{ASKS} Last approval"
    watch = replace(POLICY, quarantine_days=7)
    over = f"{ASKS} the watch over the disabled keys is over"
    assert foretold(world(*KEYS), R, watch) == over
    refused = world(*KEYS, unread=("kms:ListKeys was refused",))
    assert foretold(refused, R) == f"{ASKS} Everything could be read"
    none = replace(refused, cluster=cluster("1a", "1b", backups=()))
    assert foretold(none, R) == f"{ASKS} Everything could be read; A backup that is ready"


def test_what_takes_too_long_is_said() -> None:
    endless = Durations(*[timedelta(days=6)] * 5)
    why = "The plan takes longer than can be foreseen."
    assert foretold(world(), R, durations=endless) == why


def test_what_cant_be_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it has begun, the plan waits until AWS can be read again, and nobody knows when that is."""
    told: list[str] = []

    def decided(it: Situation) -> Decision:
        decision = decide(it)
        told.append(type(decision.step).__name__)
        return decision

    monkeypatch.setattr("chalicelib.domain.forecast.decide", decided)
    hidden = world(*KEYS, unread=("kms:ListKeys was refused",))
    seen = told_of(hidden, P, POLICY)
    assert [call.operation for call in seen.calls] == [Operation.DISCONNECT_KEY_STORE]
    assert (seen.end, seen.why) == (None, "The plan takes longer than can be foreseen.")
    assert told == ["Call"]


def told_of(snapshot: Snapshot, remedy: Remedy, policy: Policy, **values: object) -> Forecast:
    """Foretold for a case that has these values."""
    play = Play(snapshot, policy=policy)
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is remedy)
    it = replace(play.case, **values)  # type: ignore[arg-type]
    return forecast(plan, situation(snapshot, case=it, policy=policy))


def test_each_call_is_foretold_with_its_time() -> None:
    """Each turn makes one call, or one batch, and takes a second."""
    first = told_of(world(*KEYS), R, POLICY).calls[:2]
    schedule = Operation.SCHEDULE_KEY_DELETION
    assert first == (Foreseen(NOW, schedule, "key-a"), Foreseen(NOW, schedule, "key-b"))
    told = told_of(world(free=True, zones=("1a", "1b")), P, POLICY)
    second = NOW + timedelta(seconds=1)
    delete = Operation.DELETE_HSM
    assert told.calls == (Foreseen(NOW, delete, "1a"), Foreseen(second, delete, "1b"))


def test_up_to_a_question_the_calls_are_foretold() -> None:
    watch = told_of(world(*KEYS), R, replace(POLICY, quarantine_days=7))
    assert watch.calls == (Foreseen(NOW, Operation.DISABLE_KEY, "key-a"),)
    play = Play(world(*KEYS))
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is P)
    slow = Durations(disconnect=timedelta(days=900))
    told = forecast(plan, situation(play.snapshot, case=play.case), durations=slow)
    assert [call.operation for call in told.calls] == [Operation.DISCONNECT_KEY_STORE]


ROLE = "arn:aws:iam::111122223333:role/security"


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        replace(POLICY, dry_run=True),
        replace(POLICY, step_up_roles=(ROLE,)),
    ],
    ids=["nobody is listed", "dry run", "confirmation"],
)
def test_what_would_happen_is_told_whoever_may_approve_it(policy: Policy) -> None:
    assert told_of(world(*KEYS), R, policy) == told_of(world(*KEYS), R, POLICY)


@pytest.mark.parametrize(
    "values",
    [
        {"phase": Phase.CLOSED, "outcome": Outcome.EXPLAINED},
        {"ending": Click(Act.CANCEL, "bob", NOW)},
        {"reset_at_click": 9},
        {"expires_at": NOW},
    ],
    ids=["over", "cancelled", "asked again", "late"],
)
def test_and_wherever_the_case_stands(values: dict[str, object]) -> None:
    waits = world(held=store(StoreState.DISCONNECTING))
    assert told_of(waits, P, POLICY, **values) == told_of(waits, P, POLICY)
    assert told_of(waits, P, POLICY).end


def test_a_dry_run_foretells_what_would_happen() -> None:
    play = Play(world(*KEYS), policy=replace(POLICY, dry_run=True))
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is R)
    told = forecast(plan, situation(play.snapshot, case=play.case, policy=play.policy))
    assert told.end
    assert len(told.calls) == 8


def test_quarantine_disables_watches_and_asks_afresh() -> None:
    play = approved(world(*KEYS), R, policy=replace(POLICY, quarantine_days=7))
    step = play.turn()
    assert isinstance(step, Call)
    assert step.targets == ("key-a",), "the other one is disabled already"
    asked = play.to_question()
    assert asked == Ask()
    assert 7 * DAY <= play.now - NOW <= 8 * DAY
    assert [c.operation for c in play.case.calls] == ["kms:DisableKey"]
    play.approve(R)
    assert play.to_close().outcome is Outcome.RETIRED


def test_keys_that_are_disabled_already_need_no_quarantine() -> None:
    """Nothing would ever begin: no key to disable, so no watch that could end."""
    play = approved(world(KEYS[1]), R, policy=replace(POLICY, quarantine_days=7))
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation == "kms:ScheduleKeyDeletion"


def test_a_key_that_is_enabled_during_the_watch_is_watched_anew() -> None:
    play = approved(world(*KEYS), R, policy=replace(POLICY, quarantine_days=7))
    play.turn()
    play.now += 3 * DAY
    play.change(lambda s: replace(s, keys=KEYS))
    assert isinstance(play.turn(), Ask)
    play.approve(R)
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation == "kms:DisableKey"
    asked_at = play.now
    play.to_question()
    assert play.now - asked_at >= 7 * DAY - MINUTE
    play.approve(R)
    assert play.to_close().outcome is Outcome.RETIRED
