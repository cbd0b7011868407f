"""A rescue under way: keys are said to fail as long as they do, no time is promised that is over, and a stop says what goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.remedies.rescue_back import made
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import DAY, Play, store, world
from tests.slack.every_moment import (
    LOST_FROM,
    cluster_lost,
    no_hsm_left,
    outage_of,
    rescuing,
    store_down,
)
from tests.slack.moments import IN_USE, shown
from tests.slack.reading import button, question, words


def failed_without_hsms() -> Play:
    """Its HSMs serve nobody until the store is connected afresh."""
    failed = store(StoreState.FAILED, error="INSUFFICIENT_CLOUDHSM_HSMS")
    bare = replace(LOST_FROM, hsms=())
    return outage_of(world(IN_USE, zones=(), held=failed, cluster=bare), Trigger.STORE_DOWN)


def until(play: Play, operation: Operation) -> Play:
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(operation)
    return play


def said(play: Play) -> str:
    return words(shown(play).blocks)


def test_keys_fail_until_the_store_is_connected() -> None:
    play = until(cluster_lost(), Operation.CONNECT_KEY_STORE)
    play.turn()
    assert "All 3 keys still fail." in said(play)
    assert "All 3 keys still fail." in shown(play).text
    play.to_call(Operation.PROVE_KEY)
    assert "still fail" not in said(play)


def test_a_time_that_is_over_is_not_promised() -> None:
    play = rescuing()
    assert "work again at about" in said(play)
    play.now += DAY
    assert "work again at about" not in said(play)
    assert "All 3 keys still fail." in said(play)


def test_one_key_is_one_key() -> None:
    play = until(store_down(), Operation.DISCONNECT_KEY_STORE)
    told = said(play)
    assert "The only key still fails. By the usual times it works again at about" in " ".join(
        told.replace(" .", ".").split()
    )


@pytest.mark.parametrize(
    ("play", "operation", "yes", "text"),
    [
        (cluster_lost, Operation.KEEP_BACKUP, "Stop here", "No cluster has been made so far."),
        (cluster_lost, Operation.CREATE_CLUSTER, "Stop and remove", "Unlatch removes what it made"),
        (
            cluster_lost,
            Operation.CONNECT_KEY_STORE,
            "Stop and reconnect",
            "The new cluster and its HSMs stay",
        ),
        (failed_without_hsms, Operation.CREATE_HSM, "Stop and remove", "Unlatch removes the HSMs"),
        (no_hsm_left, Operation.CREATE_HSM, "Stop here", "HSMs that Unlatch made stay"),
        (store_down, Operation.DISCONNECT_KEY_STORE, "Stop here", "No HSM has been made so far."),
    ],
)
def test_only_what_goes_is_said_to_go(
    play: object, operation: Operation, yes: str, text: str
) -> None:
    """The button and its question promise what the way back does."""
    it = until(play(), operation)  # type: ignore[operator]  # a parameter of the table
    message = shown(it)
    assert button(message, "cancel")["confirm"]["confirm"]["text"] == yes
    assert text in question(message, "cancel")
    plan = it.case.plan
    assert plan is not None
    context = last_seen(it.case, policy=it.policy, now=it.now).on(plan)
    assert (made(context) is not None) is (yes == "Stop and remove")
