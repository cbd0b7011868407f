"""When the world moves: what voids approvals, what must not, and that asking again leads somewhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.simulation import store_in, with_hsm, without_hsm
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.hsm_states import BackupState, HsmState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Remedy
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Backup,
    Hsm,
    KeyState,
    OtherUse,
    Snapshot,
    StoreState,
)
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    Play,
    approved,
    busy,
    cluster,
    hsms,
    key,
    sibling,
    store,
    used,
    with_keys,
    world,
)

Change = Callable[[Snapshot], Snapshot]


def tagged(snapshot: Snapshot) -> Snapshot:
    assert snapshot.cluster
    return replace(snapshot, cluster=replace(snapshot.cluster, tags=(("env", "prod"),)))


def backed_up(snapshot: Snapshot) -> Snapshot:
    assert snapshot.cluster
    newer = Backup("backup-2", BackupState.READY, NOW)
    backups = (*snapshot.cluster.backups, newer)
    return replace(snapshot, cluster=replace(snapshot.cluster, backups=backups))


def connections(number: int) -> Change:
    return lambda snapshot: replace(snapshot, other_use=busy(number))


def renamed(snapshot: Snapshot) -> Snapshot:
    keys = tuple(replace(k, aliases=(*k.aliases, "alias/z"), grants=3) for k in snapshot.keys)
    return replace(snapshot, keys=keys)


IN_USE = key("a", last_use=used(3 * HOURS))
HARMLESS: list[tuple[str, Change]] = [
    ("nothing changed", lambda snapshot: snapshot),
    ("a key that is in use was used again", with_keys(key("a", last_use=used(MINUTE)))),
    ("a new backup was made", backed_up),
    ("KMS opened more sessions", connections(9)),
    ("an alias and grants were added", renamed),
    ("AWS replaced an HSM in its zone", lambda s: replace(s, cluster=cluster("1b", "1a"))),
]


@pytest.mark.parametrize(("what", "change"), HARMLESS, ids=[row[0] for row in HARMLESS])
def test_approvals_survive(what: str, change: Change) -> None:
    play = Play(world(IN_USE))
    play.turn()
    before = play.approve(Remedy.RETIRE, "alice", "bob")
    play.turn()
    play.now += 2 * HOURS
    play.change(change)
    play.turn()
    assert before in play.case.offers, what
    play.case = replace(play.case, clicks=play.case.clicks)
    play.approve(Remedy.RETIRE, "carol")
    assert isinstance(play.turn(), Call), what


MATTERS: list[tuple[str, Change, str]] = [
    ("a new key", with_keys(key("new", created_at=NOW - MINUTE)), "alias/new"),
    ("a key was disabled", with_keys(key("a", KeyState.DISABLED)), "alias/a"),
    ("a key was used", with_keys(key("a", last_use=used(MINUTE))), "alias/a"),
    ("a tag asks for more people", tagged, "People needed"),
    ("an HSM was added", lambda s: replace(s, cluster=cluster("1a", "1a", "1b")), "HSMs in 1a"),
    ("an HSM was removed", lambda s: replace(s, cluster=cluster("1a")), "HSMs in 1b"),
    ("the key vanished", lambda s: replace(s, keys=()), "alias/a"),
    ("the store vanished", lambda s: replace(s, key_stores=()), "Key store"),
    ("the store was disconnected", store_in(STORE, StoreState.DISCONNECTED), "Key store payments"),
    ("the store failed", store_in(STORE, StoreState.FAILED), "Key store payments"),
    ("all HSMs are gone", lambda s: replace(s, cluster=cluster()), "HSMs"),
    ("the store moved", lambda s: replace(s, key_stores=(store(cluster_id="c-2"),)), "Key store"),
    (
        "another store took its place",
        lambda s: replace(s, key_stores=(replace(store(), key_store_id="cks-2"),)),
        "Key store",
    ),
    ("other programs came", lambda s: replace(s, other_use=OtherUse()), "Override"),
]


@pytest.mark.parametrize(("what", "change", "word"), MATTERS, ids=[row[0] for row in MATTERS])
def test_approvals_are_void(what: str, change: Change, word: str) -> None:
    play = Play(world(key("a")), policy=replace(POLICY, quorum_by_tag=(("env=prod", 3),)))
    play.turn()
    old = play.approve(Remedy.RETIRE, "alice")
    play.turn()
    play.change(change)
    step = play.sure_turn()
    assert isinstance(step, Ask)
    assert any(word in difference.what for difference in step.differences), step.differences
    play.turn()
    play.case = replace(play.case, clicks=(*play.case.clicks,))
    assert old not in play.case.offers, what
    offers = [p for p in play.case.offers if p.remedy is Remedy.RETIRE]
    if offers:
        play.approve(Remedy.RETIRE, "bob")
        assert isinstance(play.turn(), Ask), "the first approval was for another plan"
        assert play.calls == []


@pytest.mark.parametrize(("what", "change", "word"), MATTERS[:5], ids=[r[0] for r in MATTERS[:5]])
def test_asking_again_leads_on(what: str, change: Change, word: str) -> None:
    """The new plan fits the new world: no endless asking."""
    play = Play(world(key("a")), policy=replace(POLICY, quorum_by_tag=(("env=prod", 3),)))
    play.turn()
    play.approve(Remedy.RETIRE, "alice")
    play.change(change)
    play.turn()
    play.approve(Remedy.RETIRE)
    step = play.turn()
    if what == "a new key":
        # It waits for a backup that holds the new key, then goes on by itself.
        assert isinstance(step, Ask)
        play.change(backed_up)
        step = play.turn()
    assert isinstance(step, Call), (what, step)


def test_a_key_brought_back_is_scheduled_again_after_a_fresh_yes() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += DAY
    play.change(with_keys(key("a", KeyState.DISABLED)))
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].now == "brought back by somebody"
    play.approve(Remedy.RETIRE)
    assert isinstance(play.turn(), Call)
    assert play.operations == [Operation.SCHEDULE_KEY_DELETION] * 2
    assert play.to_close().outcome is Outcome.RETIRED


def test_an_hsm_that_came_back_is_deleted_after_a_fresh_yes() -> None:
    play = approved(world(free=True), Remedy.RETIRE)
    play.to_call(Operation.DELETE_HSM)
    play.now += 10 * MINUTE
    play.change(with_hsm(Hsm("hsm-new", HsmState.ACTIVE, "1a")))
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].what == "HSMs in 1a"
    play.approve(Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED
    assert [target for _, target in play.calls if _ is Operation.DELETE_HSM] == ["1a", "1a", "1b"]


@pytest.mark.parametrize("remedy", [Remedy.PARK, Remedy.RETIRE])
def test_kms_sessions_of_the_last_minutes_are_nobodys(remedy: Remedy) -> None:
    """Right after the disconnect CloudWatch still counts KMS's own sessions."""
    play = approved(world(), remedy)
    play.change(connections(4))
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.until(lambda step: isinstance(step, Wait) and "other program" in step.why)
    play.change(connections(0))
    assert play.to_close().outcome in (Outcome.PARKED, Outcome.RETIRED)


@pytest.mark.parametrize("remedy", [Remedy.PARK, Remedy.RETIRE])
def test_sessions_after_the_quiet_time_are_somebodys(remedy: Remedy) -> None:
    play = approved(world(), remedy)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.until(lambda step: isinstance(step, Wait) and "other program" in step.why)
    play.change(connections(4))
    step = play.to_question()
    assert isinstance(step, Ask)
    assert "never had fewer than 4 connections" in step.gates[0].found
    assert play.operations == [Operation.DISCONNECT_KEY_STORE]
    play.approve(remedy)
    assert play.to_close().outcome in (Outcome.PARKED, Outcome.RETIRED)


def test_keys_wait_for_deletion_only_in_a_connected_store() -> None:
    """KMS can't delete the material of a disconnected store's keys: somebody must know."""
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += DAY
    play.change(store_in(STORE, StoreState.DISCONNECTED))
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].now == "disconnected by somebody"


def test_a_store_that_fails_under_live_keys_is_not_disconnected() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.change(lambda s: replace(s, key_stores=(store(StoreState.FAILED, error="X"),)))
    assert isinstance(play.turn(), Ask)
    assert play.calls == []


def test_a_connected_store_that_somebody_disconnects_mid_repoint_is_not_fought_over() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    play.now += HOURS
    play.change(store_in(STORE, StoreState.DISCONNECTED))
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].now == "disconnected by somebody"


def test_a_target_that_became_unfit_is_seen_before_the_keys_go_dark() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.change(lambda s: replace(s, siblings=(replace(sibling(), hsms=hsms("1a")),)))
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.calls == []
    play.case = replace(play.case, plan=None)
    assert [p for p in play.case.offers if p.remedy is Remedy.REPOINT] == []


def test_each_sibling_has_an_offer_of_its_own() -> None:
    siblings = (sibling(), sibling("cluster-9"))
    play = Play(world(key("a"), siblings=siblings))
    play.turn()
    targets = [p.target_cluster_id for p in play.case.offers if p.remedy is Remedy.REPOINT]
    assert sorted(targets) == sorted([OTHER_CLUSTER, "cluster-9"])
    play.approve(Remedy.REPOINT, "alice", target=OTHER_CLUSTER)
    play.approve(Remedy.REPOINT, "bob", target="cluster-9")
    assert isinstance(play.turn(), Ask), "one yes each is not two for one plan"
    play.approve(Remedy.REPOINT, "bob", target=OTHER_CLUSTER)
    play.turn()
    assert play.case.plan
    assert play.case.plan.target_cluster_id == OTHER_CLUSTER


def test_a_new_key_on_the_other_cluster_asks_and_repoint_goes_on() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.until(lambda step: isinstance(step, Wait) and "run on the other" in step.why)
    play.change(with_keys(key("new", created_at=play.now)))
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.case.phase is Phase.WAITING
    assert [p.remedy for p in play.case.offers] == [Remedy.KEEP, Remedy.PARK, Remedy.REPOINT]
    calls = len(play.calls)
    play.approve(Remedy.REPOINT)
    assert play.to_close().outcome is Outcome.REPOINTED
    assert play.calls[calls:] == [
        (Operation.PROVE_KEY, "key-a"),
        (Operation.PROVE_KEY, "key-new"),
        (Operation.KEEP_BACKUP, NEWEST_BACKUP),
        (Operation.DELETE_HSM, "1a"),
        (Operation.DELETE_HSM, "1b"),
        (Operation.DELETE_CLUSTER, CLUSTER),
    ]


def test_a_repoint_goes_on_where_the_store_is_disconnected_on_the_other_cluster() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.UPDATE_KEY_STORE)
    play.change(with_keys(key("new")))
    assert isinstance(play.turn(), Ask)
    assert Remedy.RETIRE not in [p.remedy for p in play.case.offers], "the keys were not proved"
    play.approve(Remedy.REPOINT)
    assert play.to_close().outcome is Outcome.REPOINTED
    assert play.operations.count(Operation.UPDATE_KEY_STORE) == 1


def test_a_failed_store_on_the_other_cluster_is_disconnected_first() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.model.due.clear()
    play.change(store_in(STORE, StoreState.FAILED))
    play.change(with_keys(key("new")))
    assert isinstance(play.turn(), Ask)
    play.approve(Remedy.REPOINT)
    assert play.to_close().outcome is Outcome.REPOINTED


def test_a_key_enabled_during_the_soak_must_prove_itself_too() -> None:
    snapshot = world(key("a"), key("b", KeyState.DISABLED), siblings=(sibling(),))
    play = approved(snapshot, Remedy.REPOINT)
    play.until(lambda step: isinstance(step, Wait) and "run on the other" in step.why)
    play.change(with_keys(key("b")))
    step = play.turn()
    assert isinstance(step, Ask)
    assert "key-b" in step.differences[0].what


def test_keys_that_kms_is_still_bringing_back_are_waited_for() -> None:
    policy = replace(POLICY, repoint_soak_days=0, quiet_minutes=0)
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT, policy=policy)
    play.change(with_keys(key("a", KeyState.UNAVAILABLE)))
    play.until(lambda step: isinstance(step, Wait) and "bringing the keys back" in step.why)
    assert Operation.DELETE_HSM not in play.operations
    play.change(with_keys(key("a")))
    assert play.to_close().outcome is Outcome.REPOINTED
    assert Operation.PROVE_KEY in play.operations


def test_one_changed_plan_voids_the_approvals_of_all_at_once() -> None:
    """No remedy begins on approvals that the same turn has declared void."""
    snapshot = world(key("a"), other_use=NO_OTHERS)
    play = Play(snapshot)
    play.turn()
    play.approve(Remedy.RETIRE, "alice")
    play.turn()
    play.approve(Remedy.PARK, "bob")
    play.change(with_keys(key("a", KeyState.DISABLED)))
    assert isinstance(play.turn(), Ask)
    assert isinstance(play.turn(), Ask)
    assert play.calls == []


def test_an_approver_who_left_no_longer_counts() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.people["alice"] = replace(play.people["alice"], is_gone=True)
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].what == "Approval of alice"


def test_the_one_who_tries_the_delete_after_approving_no_longer_counts() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    attempt = play.case.attempts[0]
    mine = replace(attempt, event_id="event-2", caller=replace(attempt.caller, name="bob"))
    play.case = replace(play.case, attempts=(attempt, mine))
    assert isinstance(play.turn(), Ask)


def test_slack_that_says_nothing_leaves_sealed_approvals_standing() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.people.clear()
    assert isinstance(play.turn(), Call)


def test_a_lost_permission_stops_what_is_final() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.change(lambda s: replace(s, unread=("kms:ListKeys was refused",)))
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.calls == []


def test_keys_that_could_not_be_listed_keep_retire_from_disconnecting() -> None:
    """An empty list that AWS refused to fill is not an empty store."""
    play = approved(world(), Remedy.RETIRE)
    play.change(lambda s: replace(s, unread=("kms:ListKeys was refused",)))
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.case.phase is Phase.WAITING
    assert play.calls == []


def test_a_cluster_that_could_not_be_read_is_not_gone() -> None:
    play = Play(world(key("a"), cluster=None, unread=("cloudhsm:DescribeClusters was refused",)))
    for _ in range(5):
        assert isinstance(play.turn(), Ask)
        play.now += HOURS
    assert play.case.phase is Phase.WAITING


def test_a_dry_run_changes_nothing_and_ends_at_once() -> None:
    waits = world(key("a", KeyState.PENDING_DELETION))
    for snapshot in (world(key("a")), waits):
        play = approved(snapshot, Remedy.RETIRE, policy=replace(POLICY, dry_run=True))
        step = play.turn()
        assert isinstance(step, Close)
        assert step.outcome is Outcome.EXPLAINED
        assert play.calls == []
        assert not play.case.has_begun


def test_dry_run_switched_on_midway_asks_again() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.policy = replace(play.policy, dry_run=True)
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].what == "Mode"


def test_people_who_remove_what_holds_the_cluster_resolve_the_case() -> None:
    play = Play(world())
    play.turn()
    play.change(lambda s: replace(s, key_stores=(), cluster=replace(cluster(), hsms=())))
    step = play.to_close()
    assert step.outcome is Outcome.RESOLVED
    assert "no key store and no HSM" in step.reason


def test_a_case_is_resolved_only_by_two_looks() -> None:
    play = Play(world())
    play.turn()
    play.change(lambda s: replace(s, cluster=None, key_stores=()))
    assert isinstance(play.turn(), Wait)
    play.change(lambda s: replace(s, cluster=cluster("1a", "1b"), key_stores=(store(),)))
    assert isinstance(play.turn(), Ask), "one strange look is no end"
    assert play.case.missing_since is None


def test_where_nothing_holds_the_cluster_at_the_first_look_the_case_is_resolved() -> None:
    play = Play(world(free=True, zones=()))
    step = play.to_close()
    assert step.outcome is Outcome.RESOLVED
    assert "no key store and no HSM" in step.reason


def test_a_cluster_that_others_delete_midway_is_not_our_success() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += DAY
    play.change(lambda s: replace(s, cluster=None))
    assert isinstance(play.until(lambda step: isinstance(step, Close | Ask)), Ask)
    assert (play.case.trigger, play.case.watches) == (Trigger.CLUSTER_LOST, True)


def test_a_cluster_that_goes_after_our_last_call_is_retired_even_if_asked_again() -> None:
    play = approved(world(), Remedy.RETIRE)
    play.to_call(Operation.DELETE_CLUSTER)
    play.people["alice"] = replace(play.people["alice"], is_approver=False)
    assert isinstance(play.turn(), Ask)
    play.now += HOURS
    assert play.to_close().outcome is Outcome.RETIRED


def test_a_deletion_under_way_is_waited_for() -> None:
    """Keys, store and HSMs that are already going are not touched again."""
    going = cluster("1b", hsms=(*hsms("1b"), *hsms("1a", state=HsmState.DELETE_IN_PROGRESS)))
    snapshot = world(key("a", KeyState.PENDING_DELETION, deletion_date=NOW + 5 * HOURS))
    play = approved(replace(snapshot, cluster=going), Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED
    assert Operation.SCHEDULE_KEY_DELETION not in play.operations
    assert play.operations.count(Operation.DELETE_HSM) == 1


def test_a_disconnection_under_way_is_waited_for() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTING)), Remedy.PARK)
    assert play.to_close().outcome is Outcome.PARKED
    assert play.operations == [Operation.DELETE_HSM] * 2


def test_hsms_in_one_zone_are_all_deleted() -> None:
    play = approved(world(free=True, zones=("1a", "1a", "1b")), Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED
    deleted = [target for operation, target in play.calls if operation is Operation.DELETE_HSM]
    assert deleted == ["1a", "1a#2", "1b"]


def test_a_backup_in_the_making_is_waited_for() -> None:
    play = approved(world(free=True, zones=("1a",)), Remedy.RETIRE)
    play.to_call(Operation.DELETE_HSM)
    making = Backup("backup-9", BackupState.CREATE_IN_PROGRESS, play.now)
    play.change(without_hsm("hsm-1a-0"))
    play.change(
        lambda s: replace(s, cluster=replace(s.cluster, backups=(*s.cluster.backups, making)))  # type: ignore[union-attr,type-var]
    )
    step = play.sure_turn()
    assert isinstance(step, Wait)
    assert "backup" in step.why


def test_a_backup_that_is_not_seen_to_be_kept_is_waited_for() -> None:
    """Success is a re-read that shows it: the cluster does not go before."""
    play = approved(world(free=True, zones=("1a",)), Remedy.RETIRE)
    play.to_call(Operation.KEEP_BACKUP)
    play.change(
        lambda s: replace(
            s,
            cluster=replace(
                s.cluster,  # type: ignore[type-var]
                backups=tuple(replace(b, never_expires=False) for b in s.cluster.backups),  # type: ignore[union-attr]
            ),
        )
    )
    step = play.turn()
    assert isinstance(step, Wait)
    play.now += timedelta(minutes=3)
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation is Operation.KEEP_BACKUP


def test_busy_and_going_clusters_are_waited_for() -> None:
    for state, word in (("UPDATE_IN_PROGRESS", "busy"), ("DELETE_IN_PROGRESS", "being deleted")):
        play = approved(world(free=True, zones=("1a",)), Remedy.RETIRE)
        play.to_call(Operation.KEEP_BACKUP)
        play.change(lambda s, state=state: replace(s, cluster=replace(s.cluster, state=state)))  # type: ignore[misc]
        step = play.turn()
        assert isinstance(step, Wait)
        assert word in step.why


def test_the_safer_of_two_approved_remedies_begins() -> None:
    play = Play(world())
    play.turn()
    play.approve(Remedy.RETIRE)
    play.approve(Remedy.PARK)
    play.turn()
    assert play.case.plan
    assert play.case.plan.remedy is Remedy.PARK
