"""Single cases: odd worlds, odd callers, odd names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.state.case import Case, Difference, KeyUse, Outcome, Phase
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Backup, KeyState, StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages import goback, going, lead
from chalicelib.slack.messages.changed import APPROVAL_OF
from chalicelib.slack.messages.render import render
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    NOW,
    POLICY,
    approved,
    case,
    cluster,
    key,
    sibling,
    sso,
    store,
    used,
    world,
)
from tests.slack.every_moment import MOMENTS, by_trigger, never_activated, retired, stopped
from tests.slack.moments import (
    DRY,
    IN_USE,
    OFF,
    OLD,
    asked,
    changed_half_way,
    of,
    one_of_two,
    shown,
)
from tests.slack.reading import buttons, header, marked, nodes, problems, words

FOOT = {"refresh": "Check again", "reject": "Close the case"}


def test_the_first_message_has_no_snapshot_yet() -> None:
    message = of(case(), NOW)
    assert header(message) == f"{CLUSTER} can’t be deleted"
    assert "Unlatch is reading AWS" in words(message.blocks)
    assert buttons(message) == FOOT
    assert problems(message) == []


def test_a_case_started_by_command_needs_no_attempt() -> None:
    message = shown(asked(OLD))
    by_hand = replace(asked(OLD).case, attempts=())
    assert "Started by" in words(of(by_hand, NOW).blocks)
    assert "Started by" not in words(message.blocks)


def test_the_requester_is_told_that_they_cannot_approve() -> None:
    play = asked()
    play.case = replace(play.case, attempts=case(by=sso("priya")).attempts)
    said = words(shown(play).blocks)
    assert "Tried by priya@example.com" in said
    assert "They can’t approve their own request." in said


@pytest.mark.parametrize("moment", ["new", "one_of_two", "waiting_for_keys", "parked", "stopped"])
def test_a_dry_run_says_so_under_the_header(moment: str) -> None:
    play = MOMENTS[moment]()
    plan = (
        replace(play.case.plan, terms=replace(play.case.plan.terms, dry_run=True))
        if play.case.plan
        else None
    )
    it = replace(play.case, plan=plan, last_plan=plan)
    message = render(it, policy=DRY, now=play.now, version=1)
    assert "*Dry run*" in str(message.blocks[2])


def test_what_was_done_for_real_is_not_called_a_dry_run() -> None:
    play = MOMENTS["retired"]()
    assert "*Dry run*" not in str(shown(play, policy=DRY).blocks)


def test_repoint_is_offered_where_a_sibling_can_take_the_keys() -> None:
    message = shown(asked(OLD, siblings=(sibling(),)))
    assert list(buttons(message)) == ["keep", "park", "repoint", "refresh", "reject"]
    menu = next(b["accessory"] for b in message.blocks if "*More ways*" in str(b.get("text")))
    values = [option["value"] for option in menu["options"]]
    assert values == ["case-1:7:release", "case-1:7:retire"], "four at most stand open"
    assert "for 7 days, by a crypto officer; then the keys stay on the other cluster" in words(
        message.blocks
    )


def test_keys_are_listed_most_recently_used_first_and_counted() -> None:
    many = [key(f"k{n:03}", last_use=used(timedelta(days=n + 1))) for n in range(300)]
    message = shown(asked(*reversed(many)))
    table = next(block for block in message.blocks if block["type"] == "table")
    assert len(table["rows"]) == 21
    assert "alias/k000" in words(table["rows"][1])
    assert "280 more keys, last used 21 days ago or longer." in words(message.blocks)
    assert "29 of its 300 keys were used in the last 30 days." in words(message.blocks)


def test_unknown_use_counts_as_use_and_says_so() -> None:
    unknown = key("x", last_use=used(None, tracked=12 * DAY))
    said = words(shown(asked(unknown, OLD)).blocks)
    assert "AWS can’t tell when 1 of its 2 keys were last used." in said
    assert "not known before 18 Feb" in said


def test_a_disconnected_store_breaks_nothing_more() -> None:
    said = words(shown(asked(OLD, held=store(StoreState.DISCONNECTED))).blocks)
    assert "nothing more: the store is disconnected, so the key fails already" in said


def test_keys_that_others_are_deleting() -> None:
    message = shown(asked(key("a", KeyState.PENDING_DELETION)))
    said = words(message.blocks)
    assert "Its only key is waiting for deletion already , until 7 Mar" in said
    assert "Will be deleted on 7 Mar" in said
    assert "park" not in buttons(message)
    assert "Park is not possible" in said


def test_a_cluster_that_only_hsms_hold() -> None:
    said = words(shown(asked(free=True)).blocks)
    assert "No key store uses it, but it still has 2 HSMs." in said
    assert "No KMS key is at risk." in said


def test_enough_approvals_behind_a_closed_check() -> None:
    play = one_of_two()
    play.approve(Remedy.RETIRE, "bob")
    assert play.case.snapshot is not None
    bare = replace(play.case.snapshot, cluster=cluster("1a", "1b", backups=()))
    message = of(replace(play.case, snapshot=bare), play.now)
    assert header(message) == f"Not done: too risky to retire {CLUSTER}"
    assert "2 of 2 approved, but" in words(message.blocks)


def test_all_have_approved_and_it_begins_at_once() -> None:
    play = one_of_two()
    play.approve(Remedy.RETIRE, "bob")
    message = shown(play)
    assert header(message) == f"All have approved to retire {CLUSTER}"
    assert "retire" not in buttons(message)


def test_names_of_others_never_stand_in_mark_up() -> None:
    evil = "<!channel> *bold* `code`"
    play = asked(
        key("x", aliases=(f"alias/{evil}",), last_use=used(3 * HOURS)),
        held=store(name=evil),
        cluster=cluster("1a", "1b", tags=((evil, evil),)),
    )
    play.case = replace(
        play.case,
        attempts=tuple(replace(a, caller=replace(a.caller, name=evil)) for a in play.case.attempts),
        reason=evil,
    )
    play.approve(Remedy.RETIRE, "alice")
    play.case = replace(
        play.case, clicks=tuple(replace(click, reason=evil) for click in play.case.clicks)
    )
    for it in (play.case, replace(play.case, clicks=()), _closed(play.case)):
        message = of(it, NOW)
        assert "<!channel>" not in marked(message.blocks)
        assert "<!channel>" not in message.text
        assert problems(message) == []


def _closed(it: Case) -> Case:
    return replace(it, phase=Phase.CLOSED, outcome=Outcome.STOPPED)


def test_a_plan_from_disconnected_connects_first() -> None:
    play = asked(OLD, OFF, held=store(StoreState.DISCONNECTED))
    play.approve(Remedy.RETIRE)
    play.turn()
    said = words(shown(play).blocks)
    assert "Step 1 of 8: connecting the key store." in said


def test_a_failed_store_is_disconnected_twice_and_each_time_shown_in_its_place() -> None:
    play = asked(OLD, held=store(StoreState.FAILED))
    play.approve(Remedy.RETIRE)
    play.turn()
    assert "Step 1 of 9: disconnecting the key store." in words(shown(play).blocks)


def test_terms_give_their_reason() -> None:
    play = asked(IN_USE)
    play.approve(Remedy.RETIRE, "alice")
    assert "Needs 3 people because a key was used" in words(shown(play).blocks)
    assert POLICY.recent_use_days == 30


def test_a_cluster_that_seems_gone_offers_no_choice() -> None:
    play = asked(OLD)
    assert play.case.snapshot is not None
    gone = replace(play.case.snapshot, cluster=None, key_stores=(), keys=())
    message = of(replace(play.case, snapshot=gone, offers=()), play.now)
    assert header(message) == f"{CLUSTER} seems to be gone"
    assert buttons(message) == FOOT


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((5,), "and 1 that will be deleted on 7 Mar"),
        ((5, 9), "and 2 that will be deleted , the last on 11 Mar"),
    ],
)
def test_keys_that_hold_a_store_are_told_with_the_last_day(
    days: tuple[int, ...], said: str
) -> None:
    waiting = (key(f"k{n}", KeyState.PENDING_DELETION, deletion_date=NOW + n * DAY) for n in days)
    play = by_trigger(Trigger.STORE_DELETE_BLOCKED, OLD, *waiting)
    assert f"payments still holds 1 live key, {said}" in words(shown(play).blocks)


def test_a_park_of_a_store_that_was_off_brings_back_hsms_alone() -> None:
    play = approved(world(OLD, held=store(StoreState.DISCONNECTED)), Remedy.PARK)
    play.to_call(Operation.DELETE_HSM)
    begun = play.case
    untouched = goback.what_returns(replace(begun, calls=()), POLICY, again=False)
    assert untouched == "Nothing is deleted. The 2 HSMs stay, at about $77 a day."
    gone = goback.what_returns(begun, POLICY, again=False)
    assert gone == ("Unlatch creates 1 HSM, in about 10 minutes. Cost returns to about $77 a day.")


@pytest.mark.parametrize(("who", "is_person"), [("alice", True), ("mallory", False)])
def test_an_approval_that_differs_mentions_who_gave_it(who: str, *, is_person: bool) -> None:
    """Of people who clicked; a name that anybody made up notifies nobody."""
    play = MOMENTS["changed"]()
    differs = Difference(f"{APPROVAL_OF}{who}", "counted", "left the group")
    said = of(replace(play.case, differences=(differs,)), play.now)
    mentioned = [n["user_id"] for n in nodes(said.blocks) if n.get("type") == "user"]
    assert (who in mentioned) is is_person
    assert "Approval of" in words(said.blocks)


def test_a_use_while_people_decide_half_way_is_named() -> None:
    play = changed_half_way()
    use = KeyUse("event-9", play.now, OLD.key_id, "role nightly-report", "Decrypt")
    said = words(of(replace(play.case, key_uses=(use,)), play.now).blocks)
    assert "before something changed. Role nightly-report tried to use one" in said


def test_the_backup_and_its_commands_are_given_where_the_cluster_is_known() -> None:
    play = retired()
    old = cluster("1a", hsm_type="hsm1.medium", subnets=(("1a", "subnet-a"), ("1b", "subnet-b")))
    it = replace(play.case, last_cluster=old)
    said = words(of(it, play.now).blocks)
    assert "The backup backup-1 is the newest." in said
    assert "--source-backup-id backup-1" in said
    assert "--hsm-type hsm2m.medium --mode FIPS" in said, "hsm1.medium can’t be made any more"
    assert [zone in said for zone in ("--availability-zone 1a", "--availability-zone 1b")] == [
        True
    ] * 2
    assert "aws kms" not in said, "the key store is gone"


def test_the_backup_that_is_named_is_the_one_that_aws_keeps() -> None:
    """A repoint keeps one before the HSMs go; those that their deletion makes expire."""
    play = MOMENTS["repointed"]()
    last = play.case.last_cluster
    assert last
    kept = next(backup for backup in last.backups if backup.never_expires)
    assert last.newest_backup != kept
    said = words(shown(play).blocks)
    assert f"The backup {kept.backup_id} is kept for good." in said
    assert f"--source-backup-id {kept.backup_id}" in said


@pytest.mark.parametrize(
    ("backup", "own", "said"),
    [("NON_FIPS", "FIPS", "NON_FIPS"), ("", "NON_FIPS", "NON_FIPS"), ("", "", "FIPS")],
)
def test_the_mode_is_the_backups(backup: str, own: str, said: str) -> None:
    kept = Backup("backup-1", BackupState.READY, NOW, never_expires=True, mode=backup)
    play = retired()
    it = replace(play.case, last_cluster=cluster("1a", mode=own, backups=(kept,)))
    assert f"--hsm-type hsm2m.medium --mode {said}" in words(of(it, play.now).blocks)


def test_two_hsms_even_if_no_zone_is_known_and_what_kms_needs_while_its_store_is_there() -> None:
    play = retired()
    plan = play.case.last_plan
    assert plan is not None
    it = replace(
        play.case,
        snapshot=world(),
        last_cluster=None,
        plan=None,
        last_plan=replace(plan, basis=replace(plan.basis, zones=())),
    )
    said = words(of(it, play.now).blocks)
    assert "--availability-zone ZONE" in said
    assert "--availability-zone ANOTHER-ZONE" in said
    steps = ("disconnect", "update", "connect")
    places = [said.index(f"aws kms {step}-custom-key-store") for step in steps]
    assert places == sorted(places)
    assert "--cloud-hsm-cluster-id NEW-CLUSTER-ID" in said


def test_a_cluster_that_was_never_activated_has_nothing_to_restore() -> None:
    play = never_activated()
    message = of(play.case, play.now)
    assert "It held no keys." in message.text
    assert "--source-backup-id" not in words(message.blocks)


def test_commands_of_a_step_can_be_copied() -> None:
    play = stopped()
    steps = (
        "Disconnect it: aws kms disconnect-custom-key-store --region r",
        "Do this: not a command.",
    )
    said = of(replace(play.case, advice=steps), play.now).blocks
    (listed,) = (
        part
        for block in said
        for part in block.get("elements", ())
        if part.get("style") == "ordered"
    )
    first, second, last = (line["elements"] for line in listed["elements"])
    assert [piece["text"] for piece in first] == ["Disconnect it: ", steps[0].partition(": ")[2]]
    assert first[1]["style"] == {"code": True}
    assert len(second) == 1
    assert last[0]["text"].startswith("Press Try again.")


@pytest.mark.parametrize("connected", [True, False])
def test_the_way_back_from_another_cluster_needs_a_crypto_officer_once_it_connected(
    connected: bool,
) -> None:
    play = approved(world(OLD, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.turn()
    calls = [
        c for c in play.case.calls if connected or c.operation is not Operation.CONNECT_KEY_STORE
    ]
    said = goback.what_returns(replace(play.case, calls=tuple(calls)), POLICY)
    assert "The store goes back to this cluster" in said
    assert ("crypto officer" in said) is connected


def test_whoever_made_the_call_is_told_by_a_mention() -> None:
    case = replace(asked().case, requester_id="U0PRIYA")
    assert "Tried by <@U0PRIYA> with Terraform, once" in str(of(case, NOW).blocks)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("CreateCustomKeyStore", "create the key store payments"),
        ("DeleteCustomKeyStore", "delete the key store"),
        ("ConnectCustomKeyStore", "connect the key store"),
        ("DeleteCluster", ""),
    ],
)
def test_what_was_tried_is_said_of_key_stores(operation: str, said: str) -> None:
    (attempt,) = case().attempts
    named = "payments" if operation.startswith("Create") else ""
    assert lead.what_was_tried(replace(attempt, operation=operation, name=named)) == said


def test_up_to_three_keys_are_named() -> None:
    keys = [key(f"k{n}", aliases=(f"alias/k{n}",)) for n in range(4)]
    case = asked(*keys).case
    ids = [one.key_id for one in keys]
    assert going.named(case, ids[:3]) == "alias/k0, alias/k1 and alias/k2"
    assert going.named(case, ids) == "the 4 keys"
