"""Dialogs say the worst first, show numbers read again, and count nothing by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.diagnosis import ways_out
from chalicelib.domain.forecast import Forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import CallStatus, Phase
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Connects,
    Copy,
    KeyState,
    OtherUse,
    StoreState,
)
from chalicelib.slack import modals
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    Play,
    approved,
    key,
    sibling,
    situation,
    store,
    used,
    world,
)
from tests.slack.moments import (
    DRY,
    IN_USE,
    OFF,
    OLD,
    asked,
    changed,
    changed_half_way,
    foreseen,
    once_more,
    shown,
    without_backup,
)
from tests.slack.reading import nodes, view_problems, words

Json = dict[str, Any]


def decide(play: Play, remedy: Remedy, *, count: int = 0, policy: Policy = POLICY) -> Json:
    it = play.case
    plan = it.offer(remedy)
    assert plan is not None
    known = None
    if remedy is not Remedy.KEEP:
        known = foreseen(plan, it, policy=policy, now=play.now)
    view = modals.decide(
        it, plan, policy=policy, now=play.now, forecast=known, count=count, user="alice"
    )
    assert view_problems(view) == []
    return view


def inputs(view: Json) -> list[str]:
    """Block ids of the inputs; each is its action id too."""
    blocks = [block for block in view["blocks"] if block["type"] == "input"]
    assert all(block["block_id"] == block["element"]["action_id"] for block in blocks)
    return [block["block_id"] for block in blocks]


def alert(view: Json) -> tuple[str, str]:
    first = next(block for block in view["blocks"] if block["type"] == "alert")
    return first["level"], first["text"]["text"]


def test_loading_opens_at_once() -> None:
    view = modals.loading(asked(OLD).case, Remedy.RETIRE)
    assert view["callback_id"] == "loading"
    assert view["private_metadata"] == "case-1:0:retire:"
    assert "submit" not in view
    assert view_problems(view) == []


def test_retire_with_a_key_in_use() -> None:
    play = asked(IN_USE, OLD, OFF)
    view = decide(play, Remedy.RETIRE, count=1)
    plan = play.case.offer(Remedy.RETIRE)
    assert plan is not None
    assert view["private_metadata"] == f"case-1:0:retire:{plan.plan_hash}"
    level, worst = alert(view)
    assert level == "error"
    assert worst.startswith(
        "This deletes 3 keys. 30 days after the third approval nobody can bring"
    )
    said = words(view["blocks"])
    for phrase in (
        "Read again just now, 09:00:00 UTC",
        "alias/payments was used 3 hours ago",
        "2 more keys: last used 90 days ago, and 94 days ago",
        "2 HSMs, key store connected",
        "newer than every key",
        "Once 3 people have approved: the 3 keys stop working",
        "For 30 days after that: any approver can cancel, and the keys come back as they were",
        "Approved so far: nobody · Needs 3",
        "I know that what uses alias/payments will fail",
        "Needs 3 people because a key was used in the last 30 days",
    ):
        assert phrase in said, said
    assert inputs(view) == ["cluster_id", "reason", "override"]
    assert view["submit"]["text"] == "Approve as 2 of 3"


def test_numbers_that_are_some_minutes_old_say_so() -> None:
    """Of a store with many keys, whose look takes minutes, the last one fills the dialog."""
    play = asked(IN_USE, OLD)
    play.now += timedelta(minutes=4)
    said = words(decide(play, Remedy.RETIRE)["blocks"])
    assert "Read 4 minutes ago, 09:00:00 UTC · read again before anything is done" in said


def test_retire_of_an_empty_store_is_no_alarm() -> None:
    view = decide(asked(), Remedy.RETIRE)
    level, said = alert(view)
    assert level == "warning"
    assert "No keys are lost." in said
    assert inputs(view) == ["cluster_id", "reason"]
    assert view["submit"]["text"] == "Approve as 1 of 2"


def test_retire_from_a_disconnected_store_says_that_it_is_connected_first() -> None:
    view = decide(asked(OLD, held=store(StoreState.DISCONNECTED)), Remedy.RETIRE)
    assert "First: the store is connected" in words(view["blocks"])


def test_quarantine_promises_to_ask_again() -> None:
    play = Play(asked(OLD).snapshot, policy=replace(POLICY, quarantine_days=7))
    play.turn()
    view = decide(play, Remedy.RETIRE, policy=play.policy)
    assert alert(view)[0] == "warning"
    assert "Then: Unlatch asks again, before anything is deleted" in words(view["blocks"])


def test_park_says_that_keys_fail() -> None:
    view = decide(asked(IN_USE, OLD), Remedy.PARK)
    assert alert(view)[1].startswith(
        "Both keys fail as soon as this starts. One was used 3 hours ago."
    )
    assert "To undo:" in words(view["blocks"])
    assert inputs(view) == ["cluster_id", "reason"]


def test_repoint_offers_each_cluster_that_can_take_the_keys() -> None:
    others = (sibling(), sibling("cluster-5n3q6t4v2xy"))
    view = decide(asked(OLD, siblings=others), Remedy.REPOINT)
    radio = next(node for node in nodes(view) if node.get("type") == "radio_buttons")
    assert [option["value"] for option in radio["options"]] == [
        "cluster-5n3q6t4v2xy",
        "cluster-7e6d5c4b3a2",
    ]
    assert radio["initial_option"] == radio["options"][0]
    assert inputs(view) == ["target", "cluster_id", "reason"]


def test_keep_asks_who_and_how_long() -> None:
    view = decide(asked(OLD), Remedy.KEEP)
    assert inputs(view) == ["owner", "for", "reason"]
    assert view["submit"]["text"] == "Keep it"
    select = next(node for node in nodes(view) if node.get("type") == "static_select")
    assert [option["value"] for option in select["options"]] == ["7d", "30d", "90d"]
    assert (
        next(n for n in nodes(view) if n.get("type") == "users_select")["initial_user"] == "alice"
    )


@pytest.mark.parametrize(
    ("keys", "seen", "label"),
    [
        ((IN_USE,), NO_OTHERS, "I know that what uses alias/payments will fail"),
        (
            (IN_USE, key("b", last_use=used(DAY))),
            NO_OTHERS,
            "I know that what uses these 2 keys will fail",
        ),
        (
            (key("c", last_use=used(None, tracked=DAY)),),
            NO_OTHERS,
            "I know that what may use alias/c will fail",
        ),
        ((OLD,), OtherUse(), "I know that programs that use the HSMs will fail"),
        ((IN_USE,), OtherUse(), "I know that what uses the keys or the HSMs will fail"),
    ],
)
def test_the_box_names_what_fails(keys: tuple[Any, ...], seen: OtherUse, label: str) -> None:
    play = asked(*keys, other_use=seen)
    view = decide(play, Remedy.RETIRE)
    assert label in words(view["blocks"])


def test_the_submit_never_counts_beyond_its_number() -> None:
    assert decide(asked(), Remedy.RETIRE, count=9)["submit"]["text"] == "Approve as 2 of 2"


def test_a_dry_run_says_so_first() -> None:
    play = asked(OLD)
    view = decide(play, Remedy.RETIRE, policy=DRY)
    assert "Dry run" in words(view["blocks"][0])


@pytest.mark.parametrize(
    ("lapses", "said"),
    [
        (True, "Unlatch will ask again: approvals last 24 hours"),
        (False, "Foreseen: Unlatch asks again: A backup that"),
    ],
)
def test_a_plan_that_will_ask_again_says_why(lapses: bool, said: str) -> None:
    it = asked(key("a", KeyState.PENDING_DELETION)).case
    plan = it.offer(Remedy.RETIRE)
    assert plan is not None
    doubt = Forecast((), None, "Unlatch asks again: A backup that is ready", lapses)
    view = modals.decide(it, plan, policy=POLICY, now=NOW, forecast=doubt, count=0, user="alice")
    assert said in words(view["blocks"])


def test_impossible_names_each_failed_check_and_has_nothing_to_send() -> None:
    play = without_backup()
    assert play.case.snapshot is not None
    ways = ways_out(situation(play.case.snapshot, case=play.case))
    gates = next(way.gates for way in ways if way.remedy is Remedy.RETIRE)
    view = modals.impossible(play.case, Remedy.RETIRE, "", gates)
    assert "submit" not in view
    assert "What would help: AWS makes one within 24 h" in words(view["blocks"])
    assert "1 check failed. Nobody can approve this until it passes." in words(view["blocks"])
    two = words(modals.impossible(play.case, Remedy.RETIRE, "", (*gates, *gates))["blocks"])
    assert "2 checks failed. Nobody can approve this until all of them pass." in two
    assert view_problems(view) == []
    reason = "Park is not needed: no HSM is left that costs anything."
    view = modals.impossible(play.case, Remedy.PARK, reason, ())
    assert reason in words(view["blocks"])
    assert view_problems(view) == []


def test_changed_counts_nothing_and_leads_to_another_look() -> None:
    play = changed()
    view = modals.changed(play.case, Remedy.RETIRE, play.case.differences)
    assert view["callback_id"] == "look_again"
    assert view["submit"]["text"] == "Look again"
    said = words(view["blocks"])
    assert "Your approval was not counted." in said
    assert "alias/export : new key" in said
    assert "Nothing has been changed by Unlatch." in said
    half_way = changed_half_way().case
    said = words(modals.changed(half_way, Remedy.RETIRE, half_way.differences)["blocks"])
    assert "Nothing has been changed" not in said
    assert view_problems(view) == []


def test_a_wrong_id_shows_both() -> None:
    answer = modals.wrong_id("cluster-2a3b\n4c5d6e", asked().case)
    assert answer == {
        "response_action": "errors",
        "errors": {"cluster_id": f"You typed cluster-2a3b 4c5d6e. This case is about {CLUSTER}."},
    }


def test_an_error_stands_beside_its_field() -> None:
    answer = modals.field_error("reason", "Please give a reason.")
    assert answer["errors"] == {"reason": "Please give a reason."}


def test_no_alert_where_this_slack_lacks_it() -> None:
    play = asked(IN_USE)
    play.case = replace(play.case, message=SlackMessage(plain_blocks=True))
    view = decide(play, Remedy.RETIRE)
    assert not [block for block in view["blocks"] if block["type"] == "alert"]
    assert "This deletes 1 key." in words(view["blocks"])


def test_one_fresh_yes_lets_a_plan_go_on() -> None:
    play = once_more()
    view = decide(play, Remedy.RETIRE, policy=play.policy)
    assert view["submit"]["text"] == "Let it go on"
    assert "Needs one fresh yes: the plan stands as it was approved" in words(view["blocks"])
    assert play.case.plan
    assert f"Plan `{play.case.plan.plan_hash[:8]}`" in words(view["blocks"])


def repointing(*keys: Any, age: timedelta = DAY, last: timedelta = 2 * DAY) -> Json:
    """The dialog of a repoint to a cluster made from a backup of that age."""
    copied = replace(sibling(), source_backup="backup-1", copy=Copy(CLUSTER, NOW - age))
    play = asked(*keys, siblings=(copied,), connects=Connects(are_read=True, last=NOW - last))
    return decide(play, Remedy.REPOINT)


def test_a_repoint_says_what_is_known_of_the_password() -> None:
    sure, old = words(repointing(OLD)["blocks"]), words(repointing(OLD, age=9 * DAY)["blocks"])
    assert "AWS can log in there" in sure
    assert "Have a crypto officer at hand" not in sure
    assert "AWS will probably not be able to log in there" in old
    assert "and longer if AWS can’t log in. Have a crypto officer at hand." in old
    for said in (sure, old):
        assert "from a backup of" in said
        assert "A crypto officer must then set the password of kmsuser" in said
        assert "the newest backup is kept for good" in said
        assert "All 1 key" not in said


def test_a_store_that_is_there_already_makes_no_key_fail() -> None:
    """Asked again, as a key’s policy keeps Unlatch from checking it on the other cluster."""
    play = approved(world(OLD, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    proof = play.case.call(Operation.PROVE_KEY, OLD.key_id)
    assert proof
    error = "AccessDeniedException: no"
    no = replace(proof, status=CallStatus.REFUSED, error=error, denied=True)
    play.case = play.case.with_call(no)
    play.turn()
    assert play.case.phase is Phase.WAITING
    said = words(decide(play, Remedy.REPOINT)["blocks"])
    assert "No key fails: the store is on the other cluster already." in said
    assert f"The store is on {OTHER_CLUSTER} already" in " ".join(said.split())
    assert "log in" not in said
    assert "20 min, then" not in words(shown(play).blocks)


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_keys_that_cant_be_checked_are_named_and_have_one_box(number: int) -> None:
    off = [key(f"off{n}", KeyState.DISABLED, last_use=used(None)) for n in range(number)]
    view = repointing(OLD, *off)
    said = words(view["blocks"])
    boxes = [block for block in view["blocks"] if block.get("block_id") == "unproven"]
    assert len(boxes) == min(number, 1)
    assert said.count("can’t be checked there: it is disabled.") == min(number, 3)
    assert ("more keys can’t be checked there" in said) is (number == 5)
    if number:
        one = "I know that alias/off0 can’t be checked"
        assert (one if number == 1 else f"I know that {number} keys can’t be checked") in said


def test_where_no_key_can_be_checked_that_is_said() -> None:
    off = key("off", KeyState.DISABLED, last_use=used(None))
    assert "No key can be checked there" in words(repointing(off)["blocks"])
