"""Read this first: one retirement, told turn by turn, from the blocked deletion to the end."""

from datetime import timedelta

from chalicelib.domain.diagnosis import Cause, cause_of
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState
from tests.domain.worlds import CLUSTER, DAY, HOURS, MINUTE, NOW, STORE, Play, key, world


def test_a_cluster_is_retired() -> None:
    play = Play(world(key("a"), key("b", KeyState.DISABLED)))

    # A pipeline tried to delete the cluster and failed. Unlatch looks, and asks.
    assert cause_of(play.snapshot) is Cause.LIVE_KEYS
    assert isinstance(play.turn(), Ask)
    assert play.case.phase is Phase.WAITING
    assert [plan.remedy for plan in play.case.offers] == [
        Remedy.KEEP,
        Remedy.PARK,
        Remedy.RELEASE,
        Remedy.RETIRE,
    ], "no sibling cluster holds a copy of the keys, so repoint is not offered"

    # One approver is not enough for something final.
    plan = play.approve(Remedy.RETIRE, "alice")
    assert plan.terms.people == 2
    play.now += HOURS
    assert isinstance(play.turn(), Ask)
    assert play.calls == []

    # The second approval begins it, with the keys: KMS deletes them only while it is connected.
    play.approve(Remedy.RETIRE, "bob")
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation is Operation.SCHEDULE_KEY_DELETION
    assert step.targets == ("key-a", "key-b")
    assert step.window_days == 30
    assert play.case.phase is Phase.RUNNING
    scheduled = play.now

    # For 30 days nothing happens, and Unlatch looks every three. Approvals don't expire meanwhile.
    step = play.turn()
    assert isinstance(step, Wait)
    assert step.seconds == 3 * 86_400
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    assert play.now - scheduled >= 30 * DAY - MINUTE
    assert play.model.world.keys == ()

    # Disconnected, Unlatch makes sure that nobody else uses the HSMs; then the store goes.
    disconnected = play.now
    play.to_call(Operation.DELETE_KEY_STORE)
    assert play.now - disconnected >= timedelta(minutes=4 + 5)

    # The HSMs one after the other, the newest backup is kept for good, and the cluster goes.
    play.to_call(Operation.DELETE_CLUSTER)
    assert play.calls == [
        (Operation.SCHEDULE_KEY_DELETION, "key-a"),
        (Operation.SCHEDULE_KEY_DELETION, "key-b"),
        (Operation.DISCONNECT_KEY_STORE, STORE),
        (Operation.DELETE_KEY_STORE, STORE),
        (Operation.DELETE_HSM, "1a"),
        (Operation.DELETE_HSM, "1b"),
        (Operation.KEEP_BACKUP, "newest"),
        (Operation.DELETE_CLUSTER, CLUSTER),
    ]
    assert play.model.world.cluster
    assert play.model.world.cluster.newest_backup
    assert play.model.world.cluster.newest_backup.never_expires

    # Done is what two reads of AWS show, a minute apart.
    step = play.until(lambda step: isinstance(step, Wait) and "once more" in step.why)
    assert play.model.world.cluster is None
    assert play.case.phase is Phase.RUNNING
    end = play.turn()
    assert isinstance(end, Close)
    assert end.outcome is Outcome.RETIRED
    assert play.case.closed_at is not None
    assert play.case.closed_at - NOW > 30 * DAY

    # Whatever comes now, a closed case makes no call.
    assert play.turn() == end
