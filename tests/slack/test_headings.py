"""The heading of each state, as people read it, and the place under it: one row a state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.render import Message, render
from tests.domain.worlds import CLUSTER, DAY, Play, case, key, used, world
from tests.slack.every_moment import MOMENTS, retired
from tests.slack.moments import IN_USE, OFF, OLD, asked, one_of_two, shown
from tests.slack.reading import header, words
from tests.slack.test_step_up_shown import STRICT, approved

GLASS, LOOK, TICK = ":hourglass_flowing_sand: ", ":warning: ", ":white_check_mark: "
NAMES = Names(accounts={"111122223333": "payments-prod"})


def reading() -> Play:
    return Play(asked().case.snapshot or asked().model.world, case=case())


def settling(*, gone: bool) -> Play:
    play = asked(OLD)
    world = play.case.snapshot
    assert world
    bare = replace(world.cluster, hsms=()) if world.cluster and not gone else None
    world = replace(world, cluster=bare, key_stores=(), keys=())
    play.case = replace(play.case, snapshot=world, offers=())
    return play


def missing(*by: str) -> Play:
    play = asked(IN_USE, OLD, OFF)
    for person in by:
        play.approve(Remedy.RETIRE, person)
    play.turn()
    return play


def unconfirmed() -> Play:
    return approved("alice", "bob")[0]


def all_approved() -> Play:
    play = one_of_two()
    play.approve(Remedy.RETIRE, "bob")
    return play


def unread() -> Play:
    hidden = replace(world(), key_stores=(), keys=(), unread=("kms:ListKeys was refused",))
    play = Play(hidden)
    play.turn()
    return play


def nothing_to_do() -> Play:
    play = retired()
    ended = {
        "phase": Phase.CLOSED,
        "outcome": Outcome.EXPLAINED,
        "reason": "AWS deletes it already.",
    }
    play.case = replace(case(), closed_at=play.now, snapshot=asked().case.snapshot, **ended)  # type: ignore[arg-type]
    return play


UNKNOWN = key("x", last_use=used(None, tracked=12 * DAY))
GOING = key("a", KeyState.PENDING_DELETION)
STATES: dict[str, tuple[Callable[[], Play], str]] = {
    "reading": (reading, "{} can’t be deleted"),
    "new, a key in use": (MOMENTS["new"], "{} can’t be deleted"),
    "new, last use known and old": (lambda: asked(OLD, OFF), "{} can’t be deleted"),
    "new, last use not known": (lambda: asked(UNKNOWN), "{} can’t be deleted"),
    "new, keys waiting already": (lambda: asked(GOING), "{} can’t be deleted"),
    "new, empty store": (MOMENTS["empty"], "{} can’t be deleted"),
    "new, only HSMs": (lambda: asked(free=True), "{} can’t be deleted"),
    "new, not all could be read": (unread, "{} can’t be deleted"),
    "settling, gone": (lambda: settling(gone=True), "{} seems to be gone"),
    "settling, free": (lambda: settling(gone=False), "Nothing holds {} any more"),
    "approvals missing, two": (lambda: missing("alice"), "Two more approvals to retire {}"),
    "approvals missing, one": (lambda: missing("alice", "bob"), "One more approval to retire {}"),
    "confirmation in AWS missing": (unconfirmed, "One confirmation in AWS to retire {}"),
    "all approved": (all_approved, "All have approved to retire {}"),
    "one fresh yes": (MOMENTS["once_more"], f"{LOOK}One fresh yes is needed to retire {{}}"),
    "too risky": (MOMENTS["without_backup"], "Not done: too risky to retire {}"),
    "changed, nothing begun": (MOMENTS["changed"], f"{LOOK}{{}} has changed since the approvals"),
    "changed, keys waiting": (
        MOMENTS["changed_half_way"],
        f"{LOOK}Decide again: 2 keys of {{}} are still being deleted",
    ),
    "waiting for keys": (
        MOMENTS["waiting_for_keys"],
        f"{GLASS}2 keys of {{}} will be deleted on 1 Apr",
    ),
    "key used meanwhile": (
        MOMENTS["key_used"],
        f"{LOOK}{{}}: a key being deleted was just used",
    ),
    "switched-off key used": (
        MOMENTS["off_key_used"],
        f"{LOOK}{{}}: a key that was switched off was used",
    ),
    "retiring": (MOMENTS["disconnecting"], f"{GLASS}Retiring {{}}"),
    "releasing": (MOMENTS["releasing"], f"{GLASS}Releasing {{}} from its key store"),
    "parking": (MOMENTS["parking"], f"{GLASS}Parking {{}}"),
    "repointing": (MOMENTS["soaking"], f"{GLASS}Moving the keys of {{}}"),
    "going back": (MOMENTS["cancelling"], f"{GLASS}Putting {{}} back as it was"),
    "stopped": (MOMENTS["stopped"], f"{LOOK}Stopped: {{}} needs a person"),
    "retired": (MOMENTS["retired"], f"{TICK}Done: {{}} is deleted"),
    "parked": (MOMENTS["parked"], f"{TICK}Parked: {{}} costs no HSM hours now"),
    "repointed": (MOMENTS["repointed"], f"{TICK}Done: {{}} is deleted, its keys moved"),
    "kept": (MOMENTS["kept"], "Kept: {} stays until 1 Apr"),
    "expired": (MOMENTS["expired"], "Closed: nobody decided about {}"),
    "closed by a person": (MOMENTS["rejected"], "Closed: {} stays as it is"),
    "cancelled, all back": (MOMENTS["cancelled"], f"{TICK}Cancelled: {{}} is back as it was"),
    "cancelled, not all back": (
        MOMENTS["stopped_too_late"],
        "Cancelled: not all of {} came back",
    ),
    "undone": (MOMENTS["undone"], f"{TICK}Undone: {{}} is back as it was"),
    "solved by others, gone": (MOMENTS["resolved"], f"{TICK}Solved by somebody else: {{}} is gone"),
    "solved by others, free": (MOMENTS["freed"], f"{TICK}Solved by somebody else: {{}} is free"),
    "solved by others, up": (MOMENTS["up_again"], f"{TICK}Key store of {{}} is up again"),
    "nothing to do": (nothing_to_do, "Nothing to do for {}"),
    "dry run ended": (MOMENTS["dry_run"], "Dry run ended: {} stays"),
}
BEFORE = {
    "Stopped: a person is needed": "stopped",
    "Closed: nobody decided in": "expired",
    "Keys will be deleted on": "waiting for keys",
    "Something changed since you approved": "changed, nothing begun",
}
"""What headings said before, without the cluster."""


def made(state: str) -> tuple[Case, Message]:
    play = STATES[state][0]()
    policy = STRICT if state == "confirmation in AWS missing" else play.policy
    names = render(play.case, policy=policy, now=play.now, version=7, names=NAMES)
    assert header(shown(play, policy=policy)) == header(names)
    return play.case, names


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_heading_and_its_place(state: str) -> None:
    _, message = made(state)
    assert header(message) == STATES[state][1].format(CLUSTER)
    assert words(message.blocks[1]).startswith("payments-prod (111122223333) · us-east-1")
    there = f"{CLUSTER} in payments-prod, us-east-1"
    assert there in message.text, "a notification stands alone on a screen"


@pytest.mark.parametrize("old", BEFORE)
def test_no_heading_says_it_as_before(old: str) -> None:
    _, message = made(BEFORE[old])
    assert old not in header(message)
    assert CLUSTER in header(message)


def test_every_moment_names_its_cluster_and_place() -> None:
    for moment, play in ((name, make()) for name, make in MOMENTS.items()):
        message = render(play.case, policy=play.policy, now=play.now, version=1, names=NAMES)
        assert "cluster-" in header(message), moment
        assert "payments-prod (111122223333) · us-east-1" in words(message.blocks[1]), moment
