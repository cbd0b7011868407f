"""What was never there, asked for by hand: one whole look says so, and nobody else is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.decide import decide
from chalicelib.domain.rules.endings import NO_SUCH
from chalicelib.domain.rules.gone import asked_by_hand, is_about_nothing, never_was
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.domain.state.case import Attempt, Case, Outcome
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Backup, Snapshot
from tests.domain.worlds import NOW, POLICY, case, cluster, store, world

BY_HAND = Attempt("e-1", NOW, "", Caller("", "alice", SLACK_USER, "alice"), channel="C9")
COPY = Backup("backup-1", BackupState.READY, NOW)
NOTHING = replace(world(), cluster=None, key_stores=(), keys=())


def asked(**more: Any) -> Case:
    return replace(case(), **({"attempts": (BY_HAND,)} | more))


@pytest.mark.parametrize(
    ("it", "seen", "is_nothing"),
    [
        (asked(), NOTHING, True),
        (asked(attempts=(BY_HAND, replace(BY_HAND, event_id="e-2"))), NOTHING, True),
        (asked(attempts=(*case().attempts, BY_HAND)), NOTHING, False),
        (asked(attempts=()), NOTHING, False),
        (asked(message=SlackMessage("C1", "1.0")), NOTHING, False),
        (asked(last_cluster=cluster("1a")), NOTHING, False),
        (asked(), replace(NOTHING, cluster=cluster("1a")), False),
        (asked(), replace(NOTHING, key_stores=(store(),)), False),
        (asked(), replace(NOTHING, backups=(COPY,)), False),
        (asked(), replace(NOTHING, unread=("kms:DescribeCustomKeyStores was refused",)), False),
    ],
)
def test_only_a_whole_look_at_what_was_asked_by_hand_says_never(
    it: Case, seen: Snapshot, is_nothing: bool
) -> None:
    assert never_was(it, seen) is is_nothing


def test_it_ends_at_once_and_only_who_asked_hears_of_it() -> None:
    decision = decide(Situation(asked(), NOTHING, {}, POLICY, NOW))
    assert decision.step == NO_SUCH
    assert decision.case.outcome is Outcome.EXPLAINED
    assert is_about_nothing(decision.case)
    assert not is_about_nothing(replace(decision.case, outcome=Outcome.RESOLVED))
    assert asked_by_hand(decision.case)
