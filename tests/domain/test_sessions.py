"""Who uses the HSMs, told from the least and the most connections of each minute to each HSM."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from chalicelib.domain.remedies.steps import quiet
from chalicelib.domain.rules.sessions import Verdict, counted, other_use_known, verdict, why_quiet
from chalicelib.domain.rules.step import Ask, Wait
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import NO_OTHERS, OtherUse, Sessions, StoreState
from tests.domain.scenes import scene
from tests.domain.worlds import MINUTE, NOW, busy, cluster, store, world

Q, U, C, N = Verdict.QUIET, Verdict.USE, Verdict.UNCLEAR, Verdict.UNKNOWN
Minutes = list[tuple[int, int] | None]
STEADY: Minutes = [(2, 2)] * 5
NOTHING: Minutes = [None] * 5
WORLDS: list[tuple[str, list[Minutes], Verdict]] = [
    ("nobody, and no health check", [[(0, 0)] * 5] * 2, Q),
    ("nobody, health checks at rest", [STEADY] * 2, Q),
    ("nobody, health checks come and go", [[(0, 2), (1, 2), (0, 1), (2, 2), (0, 2)]] * 2, Q),
    ("a client beside health checks at rest", [[(4, 4)] * 5] * 2, U),
    ("a client, checks come and go", [[(2, 4), (3, 4), (2, 3), (4, 4), (2, 4)]] * 2, C),
    ("a client on one HSM, checks at rest", [[(3, 3)] * 5, STEADY], U),
    ("a client on one HSM, checks come and go", [[(1, 3), (2, 3), (1, 2), (3, 3), (1, 3)], [(0, 2)] * 5], C),
    ("a client while AWS has none can’t be told", [STEADY] * 2, Q),
    ("a client in one minute of five", [[(2, 2), (2, 2), (4, 4), (2, 2), (2, 2)]] * 2, C),
    ("a batch of half a minute each minute", [[(2, 6)] * 5] * 2, C),
    ("KMS’s own end late", [[(4, 4), (2, 4), (2, 2), (2, 2), (2, 2)]] * 2, C),
    ("a health check connects anew", [[(2, 2), (2, 3), (2, 2), (2, 2), (2, 2)]] * 2, C),
    ("no data at all", [NOTHING] * 2, N),
    ("one of two HSMs without data", [STEADY, NOTHING], N),
    ("a minute in between without data", [[(2, 2), (2, 2), None, (2, 2), (2, 2)]] * 2, N),
    ("a minute without data beside a busy HSM", [[(4, 4)] * 5, [*STEADY[:4], None]], N),
    ("a busy HSM beside one without data", [[(9, 9)] * 5, NOTHING], U),
]  # fmt: skip


def use(hsms: list[Minutes], *, shifted: int = 0, minutes: int = 5) -> OtherUse:
    """What a look makes of these minutes, the newest one `shifted` minutes before now."""
    samples = {
        f"hsm-{place}": {
            NOW - (shifted + len(series) - number) * MINUTE: numbers
            for number, numbers in enumerate(series)
            if numbers
        }
        for place, series in enumerate(hsms)
    }
    seen, late = counted(samples, now=NOW, minutes=minutes)
    return OtherUse(seen, minutes=minutes, late=late)


@pytest.mark.parametrize(("why", "hsms", "truth"), WORLDS, ids=[row[0] for row in WORLDS])
def test_what_the_numbers_tell(why: str, hsms: list[Minutes], truth: Verdict) -> None:
    assert verdict(use(hsms)) is truth, why


@pytest.mark.parametrize(("shifted", "late"), [(0, 0), (1, 1), (5, 5), (6, 0)])
def test_cloudwatch_may_be_five_minutes_late_and_no_more(shifted: int, late: int) -> None:
    seen = use([STEADY, STEADY], shifted=shifted)
    assert (seen.late, verdict(seen)) == (late, Q if shifted < 6 else N)


def test_the_window_ends_with_the_last_minute_that_every_hsm_has() -> None:
    seen = use([[(9, 9), *STEADY], [(2, 2)] * 5 + [None]])
    assert (seen.late, [hsm.most for hsm in seen.hsms]) == (1, [9, 2])


def test_only_the_newest_minutes_count() -> None:
    assert use([[(9, 9), (1, 2), (0, 1)]], minutes=2).hsms == (Sessions("hsm-0", 0, 2),)


def test_a_minute_under_way_does_not_count() -> None:
    moment = NOW + MINUTE / 2
    seen, late = counted({"hsm": {NOW: (9, 9), NOW - MINUTE: (1, 2)}}, now=moment, minutes=1)
    assert (seen, late) == ((Sessions("hsm", 1, 2),), 0)


def test_an_hsm_without_a_minute_has_no_numbers() -> None:
    seen, _ = counted({"hsm": {}, "other": {NOW: (1, 2)}}, now=NOW + MINUTE, minutes=1)
    assert seen[0] == Sessions("hsm", 0, 0, missing=1)


@pytest.mark.parametrize(
    ("interfaces", "truth"), [(("eni-1",), U), (None, N), ((), Q)], ids=["others", "unread", "none"]
)
def test_an_interface_of_others_is_use_whatever_the_numbers(
    interfaces: tuple[str, ...] | None, truth: Verdict
) -> None:
    assert verdict(replace(busy(2), interfaces=interfaces)) is truth


OFF = store(StoreState.DISCONNECTED)
LEAST_DIFFERS = OtherUse(
    (Sessions("hsm-1", 5, 5), Sessions("hsm-2", 7, 7), Sessions("hsm-3", 6, 6))
)
MOST_DIFFERS = OtherUse((Sessions("hsm-1", 1, 5), Sessions("hsm-2", 1, 9), Sessions("hsm-3", 1, 6)))
HALF = OtherUse((Sessions("hsm-1", 2, 2), Sessions("hsm-2", 2, 2, missing=3)))
BLIND = OtherUse((Sessions("hsm-1", 2, 2), Sessions("hsm-2", missing=5)))


@pytest.mark.parametrize(
    ("seen", "connected", "off"),
    [
        (busy(9), "", "hsm-1 never had fewer than 9 connections, and at most 2 can be AWS’s own"),
        (busy(1, 9), "", "hsm-1 had 1 to 9 connections, and at most 2 can be AWS’s own"),
        (LEAST_DIFFERS, "", "hsm-2 never had fewer than 7 connections, and at most 2 can be AWS’s own"),
        (MOST_DIFFERS, "", "hsm-2 had 1 to 9 connections, and at most 2 can be AWS’s own"),
        (busy(2), "", ""),
        (HALF, "", "CloudWatch has no session count for hsm-2 in 3 of 5 minutes"),
        (BLIND, "CloudWatch has no session count for hsm-2", "CloudWatch has no session count for hsm-2"),
    ],
)  # fmt: skip
def test_while_connected_numbers_say_nothing_and_their_lack_does(
    seen: OtherUse, connected: str, off: str
) -> None:
    assert other_use_known(world(other_use=seen)) == connected
    assert other_use_known(world(held=OFF, other_use=seen)) == off


@pytest.mark.parametrize("state", [ClusterState.UNINITIALIZED, ClusterState.INITIALIZED])
def test_a_cluster_that_was_never_activated_has_no_sessions(state: ClusterState) -> None:
    never = replace(cluster("1a"), state=state)
    assert not other_use_known(world(free=True, cluster=never, other_use=OtherUse()))
    basis = world(free=True, cluster=never)
    assert quiet(scene(Remedy.PARK, replace(basis, other_use=OtherUse()), basis=basis)) is None


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (NO_OTHERS, "No HSM had a connection in 5 minutes, and no network interface of others is there."),
        (
            OtherUse((Sessions("a", 0, 1), Sessions("b", 2, 2)), minutes=7),
            ("No HSM had more than 2 connections in 7 minutes. AWS itself may hold 2 for its health "
            "checks; a program with no more can’t be told from them. "
            "No network interface of others is there."),
        ),
        (busy(3), ""),
    ],
)  # fmt: skip
def test_what_was_counted_is_said(seen: OtherUse, words: str) -> None:
    assert why_quiet(world(held=OFF, other_use=seen)) == words
    assert not why_quiet(world(zones=(), other_use=seen))
    bare = replace(cluster("1a", backups=()), state=ClusterState.UNINITIALIZED)
    assert not why_quiet(world(free=True, cluster=bare, other_use=seen)), "nothing was waited for"


# ---- how long is waited for a clear answer ------------------------------------------------------

CHECKING = "checking that no other program uses the HSMs"
LATER = 60


def step_at(minutes: int, seen: OtherUse) -> object:
    """What comes so many minutes after the store was seen to be disconnected."""
    basis = world(held=OFF)
    since: datetime = NOW - minutes * MINUTE
    return quiet(scene(Remedy.PARK, replace(basis, other_use=seen), basis=basis, quiet_since=since))


@pytest.mark.parametrize(
    ("minutes", "seen", "seconds"),
    [
        (5, busy(2), LATER),
        (6, busy(2, late=2), 2 * LATER),
        (6, HALF, LATER),
        (10, HALF, LATER),
        (6, busy(2, 4), 5 * LATER),
        (8, busy(2, 4), 3 * LATER),
        (11, busy(2, 4, late=1), LATER),
        (8, busy(3, late=3), LATER),
    ],
)
def test_it_waits_for_data_and_once_more_for_clarity(
    minutes: int, seen: OtherUse, seconds: int
) -> None:
    assert step_at(minutes, seen) == Wait(seconds + 1, CHECKING)


@pytest.mark.parametrize(
    ("minutes", "seen"),
    [(6, busy(3)), (11, HALF), (11, busy(2, 4)), (6, busy(2, interfaces=None)), (12, BLIND)],
)
def test_then_it_asks(minutes: int, seen: OtherUse) -> None:
    assert isinstance(step_at(minutes, seen), Ask)


@pytest.mark.parametrize("minutes", [6, 11, 400])
def test_and_goes_on_once_it_is_quiet(minutes: int) -> None:
    assert step_at(minutes, busy(1, 2)) is None
