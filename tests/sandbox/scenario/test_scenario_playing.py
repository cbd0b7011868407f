"""The player does each item once, in order, and lets time pass only where the scenario says so."""

from datetime import timedelta

import pytest

from tests.sandbox.scenario.fake_stage import HOUR, NOW, FakeCall

DELETE = "  - delete_cluster: {cluster: cluster-2a3b4c5d6e7, by: ci}\n"


def test_a_refused_delete_opens_a_case_and_its_message_is_awaited(stage, play):
    told = play(f"play:\n{DELETE}  - until: waiting\nexpect: {{outcome: null, cases: 1}}\n")
    assert stage.asked == [("ci", "delete_cluster", {"ClusterId": "cluster-2a3b4c5d6e7"})]
    assert told["expect"] == {"passed": True, "failures": []}
    assert "AWS refuses: CloudHsmClusterInUseException." in told["story"]


def test_waiting_is_met_only_once_the_message_is_posted(stage, play):
    stage.refused = lambda: None
    case = stage.open_case(posted=False)
    stage.clock.after(HOUR, lambda: stage.post_message(case))
    stage.clock.after(5 * HOUR, lambda: None)
    play("play:\n  - until: waiting\n")
    assert stage.clock.now() == NOW + HOUR


def test_time_advances_until_a_case_exists(stage, play):
    stage.clock.after(HOUR, stage.open_case)
    assert play("play:\n  - until: waiting\n")["expect"]["passed"]


def test_until_gives_up_after_60_days_and_the_play_ends_there(stage, play):
    def again() -> None:
        stage.clock.after(timedelta(days=7), again)

    again()
    told = play(f"play:\n  - until: running\n{DELETE}")
    assert told["expect"]["failures"] == [
        "line 15, until running: gave up after 60 days; there is no case."
    ]
    assert stage.asked == []
    assert stage.clock.now() <= NOW + timedelta(days=60)


def test_until_stops_at_once_where_the_case_closes_in_another_phase(stage, play):
    stage.clock.after(HOUR, lambda: stage.close("expired", "Nobody decided in 24 hours."))
    stage.clock.after(9 * HOUR, lambda: None)
    told = play(f"play:\n{DELETE}  - until: running\n")
    assert told["expect"]["failures"] == [
        (
            "line 16, until running: it can't come any more; the newest case is closed as expired: "
            "Nobody decided in 24 hours."
        )
    ]
    assert stage.clock.now() == NOW + HOUR


def test_until_closed_is_met_by_any_outcome(stage, play):
    stage.clock.after(HOUR, lambda: stage.close("kept"))
    assert play(f"play:\n{DELETE}  - until: closed\nexpect: {{outcome: kept}}\n")["expect"][
        "passed"
    ]


def test_advance_runs_what_is_due_on_the_way_and_stands_at_its_end(stage, play):
    ran = []
    for hours in (1, 3, 4):
        stage.clock.after(hours * HOUR, lambda hours=hours: ran.append(hours))
    told = play("play:\n  - advance: 3h\n")
    assert ran == [1, 3]
    assert told["ended_at"] == "2026-03-02T12:00:00Z"


def test_clicks_go_to_the_newest_case_that_has_a_message(stage, play):
    told = play(
        f"play:\n{DELETE}{DELETE}  - click: {{by: alice, button: retire}}\n"
        "  - submit: {by: alice, cluster_id: c, reason: old, override: true, for: 30d}\n"
    )
    assert "alice sees a dialog: “Retire” “For good.” [Approve as 1 of 2]" in told["story"]
    newest = stage.stored[-1]["message_ts"]
    assert stage.slack.done == [
        ("click", "alice", "retire", newest),
        (
            "submit",
            "alice",
            {"cluster_id": "c", "reason": "old", "override": True, "for": "30d"},
        ),
    ]


def test_interactions_that_can_not_be_sent_are_recorded_as_skipped(play):
    told = play(
        "play:\n  - click: {by: alice, button: undo}\n  - submit: {by: bob}\n"
        "  - request: {body: payload=1, signature: bad}\n"
    )
    assert told["slack"]["responses"] == [
        {"step": 0, "status": "skipped", "body": "", "ms": 0},
        {"step": 1, "status": "skipped", "body": "", "ms": 0},
        {"step": 2, "status": 401, "body": "", "ms": 12.5},
    ]
    assert told["expect"]["passed"]


def test_events_reach_the_stage_as_they_are(stage, play, write):
    write('{"source": "somewhere"}', name="event.json")
    play(
        "play:\n  - event: {file: event.json}\n  - redeliver: 2\n  - sweep: {}\n"
        f"  - lose_next_event: {{}}\n{DELETE}"
    )
    assert stage.events == [{"source": "somewhere"}, "again", "again", "sweep"]
    assert stage.stored == []


def test_redelivering_before_any_event_is_told_and_no_error(play):
    told = play("play:\n  - redeliver: 1\n")
    assert told["expect"]["passed"]
    assert "Nothing to deliver: no event has matched a rule yet." in told["story"]


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        ("create_key: {store: cks-1}", ("create_key", {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"})),
        ("connect: {store: cks-1}", ("connect_custom_key_store", {"CustomKeyStoreId": "cks-1"})),
        ("disconnect: {store: cks-1}", ("disconnect_custom_key_store", {"CustomKeyStoreId": "cks-1"})),
        ("delete_key_store: {store: cks-1}", ("delete_custom_key_store", {"CustomKeyStoreId": "cks-1"})),
        ("cancel_key_deletion: {alias: alias/payments}", ("cancel_key_deletion", {"KeyId": "key-0"})),
        ("cancel_key_deletion: {index: 1}", ("cancel_key_deletion", {"KeyId": "key-1"})),
        ("use_key: {index: 1}", ("encrypt", {"KeyId": "key-1", "Plaintext": b"something of theirs"})),
        ("delete_hsm: {cluster: cluster-2a3b4c5d6e7}", ("delete_hsm", {"ClusterId": "cluster-2a3b4c5d6e7", "HsmId": "hsm-b"})),
        ("delete_cluster: {cluster: cluster-2a3b4c5d6e7}", ("delete_cluster", {"ClusterId": "cluster-2a3b4c5d6e7"})),
        (
            "tag: {cluster: cluster-2a3b4c5d6e7, key: env, value: prod}",
            ("tag_resource", {"ResourceId": "cluster-2a3b4c5d6e7", "TagList": [{"Key": "env", "Value": "prod"}]}),
        ),
    ],
)  # fmt: skip
def test_somebody_else_acts_in_aws(stage, play, act, asked):
    hsms = [
        {"HsmId": "hsm-a", "State": "DELETE_IN_PROGRESS"},
        {"HsmId": "hsm-b", "State": "ACTIVE"},
    ]
    stage.answers = {
        "create_key": {"KeyMetadata": {"KeyId": "key-9"}},
        "describe_clusters": {"Clusters": [{"Hsms": hsms}]},
    }
    told = play(f"play:\n  - outside: {{{act}}}\n")
    who, operation, params = stage.asked[-1]
    assert who == "arn:aws:sts::111122223333:assumed-role/operations/somebody-else"
    assert (operation, params) == asked
    assert "Somebody else" in told["story"]


def test_a_refusal_of_somebody_elses_call_is_told_and_no_error(stage, play):
    stage.refusals = {"encrypt": "KMSInvalidStateException"}
    stage.opens = False
    told = play("play:\n  - outside: {use_key: {alias: alias/payments}}\n")
    assert (
        "tries to use key (alias/payments). AWS refuses: KMSInvalidStateException." in told["story"]
    )
    assert told["expect"]["passed"]


def test_the_story_tells_calls_messages_and_ends_in_order(stage, play):
    def work(service: str, operation: str, **facts: object) -> None:
        call = FakeCall(service, operation, {"CustomKeyStoreId": "cks-1"}, **facts)
        call.at = stage.clock.now()
        stage.aws.calls.append(call)

    stage.clock.after(HOUR, lambda: work("kms", "DescribeKey"))
    stage.clock.after(2 * HOUR, lambda: work("kms", "DisconnectCustomKeyStore"))
    stage.clock.after(
        3 * HOUR,
        lambda: work("kms", "DeleteCustomKeyStore", error="ThrottlingException", landed=False),
    )
    stage.clock.after(4 * HOUR, lambda: stage.close("retired", "The cluster is deleted."))
    lines = play(f"play:\n{DELETE}  - until: closed\n")["story"].splitlines()
    assert lines == [
        "A store holds the cluster",
        "",
        "Mon 02 Mar 09:00:00  CI (role deploy-ci, with Terraform) tries to delete cluster-2a3b4c5d6e7.",
        "                     AWS refuses: CloudHsmClusterInUseException.",
        "                     Unlatch opens a case for cluster-2a3b4c5d6e7.",
        "                     Unlatch posts: “cluster-2a3b4c5d6e7 can't be deleted”",
        "                     … 2 hours pass",
        "Mon 02 Mar 11:00:00  Unlatch calls kms:DisconnectCustomKeyStore on cks-1.",
        "                     … 1 hour pass",
        (
            "Mon 02 Mar 12:00:00  Unlatch calls kms:DeleteCustomKeyStore on cks-1. "
            "AWS refuses: ThrottlingException."
        ),
        "                     … 1 hour pass",
        (
            "Mon 02 Mar 13:00:00  The case of cluster-2a3b4c5d6e7 is closed: retired. "
            "The cluster is deleted."
        ),
        "",
        "All came as expected.",
    ]
