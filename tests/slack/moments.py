"""Cases at every moment that a message shows, brought there by real decisions on the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from chalicelib.domain.forecast import Forecast, forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.caller import Tool
from chalicelib.domain.state.case import Case, KeyUse, Phase
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.slack.messages.render import Message, render
from tests.domain.worlds import (
    CI,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    POLICY,
    Play,
    approved,
    case,
    cluster,
    key,
    situation,
    used,
    with_keys,
    world,
)

TERRAFORM = replace(CI, tool=Tool.TERRAFORM)
IN_USE = key("payments", last_use=used(3 * HOURS), grants=1)
OLD = key("payments-2024", last_use=used(94 * DAY))
OFF = key("spare", KeyState.DISABLED, aliases=())
NEW_KEY = key("export", created_at=NOW, last_use=used(None))
DRY = replace(POLICY, dry_run=True)


def shown(play: Play, *, policy: Policy = POLICY, version: int = 7) -> Message:
    """The message as the gateway would make it, with forecasts."""
    return of(play.case, play.now, policy=policy, version=version)


def of(it: Case, now: datetime, *, policy: Policy = POLICY, version: int = 7) -> Message:
    forecasts = {
        plan.plan_hash: foreseen(plan, it, policy=policy, now=now)
        for plan in it.offers
        if it.snapshot and plan.remedy is not Remedy.KEEP and it.phase is Phase.WAITING
    }
    return render(it, policy=policy, now=now, version=version, forecasts=forecasts)


@cache
def foreseen(plan: Plan, it: Case, *, policy: Policy, now: datetime) -> Forecast:
    """Asked for again and again at the same moments, it would take longer than all their messages."""
    assert it.snapshot is not None
    return forecast(plan, situation(it.snapshot, case=it, policy=policy, now=now))


def asked(*keys: object, **values: object) -> Play:
    """Just read, and put to people."""
    play = Play(world(*keys, **values), case=case(by=TERRAFORM))  # type: ignore[arg-type]
    play.turn()
    return play


def one_of_two() -> Play:
    play = asked(OLD, OFF)
    play.approve(Remedy.RETIRE, "alice")
    play.turn()
    return play


def changed() -> Play:
    """A key was made after one approval."""
    play = one_of_two()
    play.change(with_keys(NEW_KEY))
    play.turn()
    return play


def changed_half_way() -> Play:
    """A key was made while the others wait for their deletion."""
    play = waiting_for_keys()
    play.change(with_keys(NEW_KEY))
    play.turn()
    return play


def once_more() -> Play:
    """The keys are gone; before the store is deleted, somebody says yes again."""
    play = approved(world(OLD, OFF), Remedy.RETIRE, policy=replace(POLICY, go_again_after=48))
    play.to_question()
    return play


def without_backup() -> Play:
    return asked(OLD, cluster=cluster("1a", "1b", backups=()))


def waiting_for_keys() -> Play:
    """Day 3: both keys are scheduled."""
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.turn()
    play.now = NOW + timedelta(days=2, hours=20)
    play.turn()
    play.now = NOW + timedelta(days=2, hours=21)
    return play


def key_used() -> Play:
    play = waiting_for_keys()
    use = KeyUse("event-9", play.now - HOURS, OLD.key_id, "role nightly-report", "Decrypt")
    again = replace(use, event_id="event-10", at=play.now - MINUTE)
    play.case = replace(play.case, key_uses=(use, again))
    return play


def disconnecting() -> Play:
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.turn()
    return play


def quiet_period() -> Play:
    """Disconnected; Unlatch watches whether others use the HSMs."""
    play = disconnecting()
    while "no other program" not in play.case.waiting_for:
        play.turn()
    return play


def deleting_hsms() -> Play:
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.to_call(Operation.DELETE_HSM)
    return play


def deleting_cluster() -> Play:
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.to_call(Operation.DELETE_CLUSTER)
    play.turn()
    return play
