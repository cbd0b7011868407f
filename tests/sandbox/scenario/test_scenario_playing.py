"""The player does each item once, in order, and lets time pass only where the scenario says so."""

import functools
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenario.load import load
from sandbox.scenario.narration import Narration
from sandbox.scenario.player import Player
from sandbox.scenario.report import Record
from tests.sandbox.scenario.conftest import WORLD
from tests.sandbox.scenario.fake_sandbox import HOUR, NOW, FakeCall, FakeCases, FakeSandbox

OPERATIONS = "arn:aws:sts::111122223333:assumed-role/operations/somebody-else"
DELETE = "  - delete_cluster: {cluster: cluster-2a3b4c5d6e7, by: ci}\n"


def test_a_refused_delete_opens_a_case_and_its_message_is_awaited(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    told = play(f"play:\n{DELETE}  - until: waiting\nexpect: {{outcome: null, cases: 1}}\n")
    assert sandbox.asked == [("ci", "delete_cluster", {"ClusterId": "cluster-2a3b4c5d6e7"})]
    assert told["expect"] == {"passed": True, "failures": []}
    assert "AWS refuses: CloudHsmClusterInUseException." in told["story"]


def test_a_fault_that_met_nobody_is_told(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    """A name with a slip in it would else look like a play that bore the fault."""
    sandbox.aws.faults.add("kms:DescribeKey", kind="throttle")
    sandbox.aws.faults.add("kms:DescribeKeys", nth=2, kind="throttle")
    assert sandbox.aws.faults.hit("kms:DescribeKey")
    told = play(f"play:\n{DELETE}")
    assert "A fault met nobody: call 2 of kms:DescribeKeys did not come." in told["story"]
    assert told["story"].count("met nobody") == 1
    assert not told["expect"]["failures"]


def test_waiting_is_met_only_once_the_message_is_posted(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.opens = False
    case = sandbox.open_case(posted=False)
    sandbox.clock.after(HOUR, lambda: sandbox.post_message(case))
    sandbox.clock.after(5 * HOUR, lambda: None)
    play("play:\n  - until: waiting\n")
    assert sandbox.clock.now() == NOW + HOUR


def test_time_advances_until_a_case_exists(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.clock.after(HOUR, sandbox.open_case)
    assert play("play:\n  - until: waiting\n")["expect"]["passed"]


def test_a_case_that_asks_a_second_time_is_waiting_again(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.clock.after(HOUR, lambda: sandbox.stored[-1].update(phase="running"))
    sandbox.clock.after(5 * HOUR, lambda: sandbox.stored[-1].update(phase="waiting", round=2))
    sandbox.clock.after(9 * HOUR, lambda: None)
    waits = "  - until: waiting\n  - until: running\n  - until: waiting\n"
    assert play(f"play:\n{DELETE}{waits}")["expect"]["passed"]
    assert sandbox.clock.now() == NOW + 5 * HOUR


def test_until_gives_up_after_60_days_and_the_play_ends_there(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    def again() -> None:
        sandbox.clock.after(timedelta(days=7), again)

    again()
    told = play(f"play:\n  - until: running\n{DELETE}")
    assert told["expect"]["failures"] == [
        "line 15, until running: gave up after 60 days; there is no case."
    ]
    assert sandbox.asked == []
    assert sandbox.clock.now() <= NOW + timedelta(days=60)


def test_until_stops_at_once_where_the_case_closes_in_another_phase(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.clock.after(HOUR, lambda: sandbox.close("expired", "Nobody decided in 24 hours."))
    sandbox.clock.after(9 * HOUR, lambda: None)
    told = play(f"play:\n{DELETE}  - until: running\n")
    assert told["expect"]["failures"] == [
        (
            "line 16, until running: it can't come any more; the newest case is closed as expired: "
            "Nobody decided in 24 hours."
        )
    ]
    assert sandbox.clock.now() == NOW + HOUR


def test_until_closed_is_met_by_any_outcome(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.clock.after(HOUR, lambda: sandbox.close("kept"))
    assert play(f"play:\n{DELETE}  - until: closed\nexpect: {{outcome: kept}}\n")["expect"][
        "passed"
    ]


def test_advance_runs_what_is_due_on_the_way_and_stands_at_its_end(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    ran: list[int] = []
    for hours in (1, 3, 4):
        sandbox.clock.after(hours * HOUR, functools.partial(ran.append, hours))
    told = play("play:\n  - advance: 3h\n")
    assert ran == [1, 3]
    assert told["ended_at"] == "2026-03-02T12:00:00Z"


def test_clicks_go_to_the_newest_case_that_has_a_message(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    told = play(
        f"play:\n{DELETE}{DELETE}  - click: {{by: alice, button: retire}}\n"
        "  - submit: {by: alice, cluster_id: c, reason: old, override: true, for: 30d}\n"
    )
    assert "alice sees a dialog: “Retire” “For good.” [Approve as 1 of 2]" in told["story"]
    newest = sandbox.stored[-1]["message_ts"]
    assert sandbox.slack.done == [
        ("click", "alice", "retire", newest),
        (
            "submit",
            "alice",
            {"unproven": True, "cluster_id": "c", "reason": "old", "override": True, "for": "30d"},
        ),
    ]


def test_interactions_that_can_not_be_sent_are_recorded_as_skipped(
    play: Callable[[str], dict[str, Any]],
) -> None:
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


def test_events_reach_the_stage_as_they_are(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]], write: Callable[..., Path]
) -> None:
    write('{"source": "somewhere"}', name="event.json")
    play(
        "play:\n  - event: {file: event.json}\n  - redeliver: 2\n  - sweep: {}\n"
        f"  - lose_next_event: {{}}\n{DELETE}"
    )
    assert sandbox.events == [{"source": "somewhere"}, "again", "again", "sweep"]
    assert sandbox.stored == []


def test_redelivering_before_any_event_is_told_and_no_error(
    play: Callable[[str], dict[str, Any]],
) -> None:
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
def test_somebody_else_acts_in_aws(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]], act: str, asked: tuple[Any, ...]
) -> None:
    hsms = [
        {"HsmId": "hsm-a", "State": "DELETE_IN_PROGRESS"},
        {"HsmId": "hsm-b", "State": "ACTIVE"},
    ]
    sandbox.answers = {
        "create_key": {"KeyMetadata": {"KeyId": "key-9"}},
        "describe_clusters": {"Clusters": [{"Hsms": hsms}]},
    }
    told = play(f"play:\n  - outside: {{{act}}}\n")
    who, operation, params = sandbox.asked[-1]
    assert who == OPERATIONS
    assert (operation, params) == asked
    assert "Somebody else" in told["story"]


def test_a_refusal_of_somebody_elses_call_is_told_and_no_error(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.refusals = {"encrypt": "KMSInvalidStateException"}
    sandbox.opens = False
    told = play("play:\n  - outside: {use_key: {alias: alias/payments}}\n")
    assert (
        "tries to use key (alias/payments). AWS refuses: KMSInvalidStateException." in told["story"]
    )
    assert told["expect"]["passed"]


def test_the_story_tells_calls_messages_and_ends_in_order(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    def work(service: str, operation: str, **facts: Any) -> None:
        call = FakeCall(service, operation, {"CustomKeyStoreId": "cks-1"}, **facts)
        call.at = sandbox.clock.now()
        sandbox.aws.calls.append(call)

    sandbox.clock.after(HOUR, lambda: work("kms", "DescribeKey"))
    sandbox.clock.after(2 * HOUR, lambda: work("kms", "DisconnectCustomKeyStore"))
    sandbox.clock.after(
        3 * HOUR,
        lambda: work("kms", "DeleteCustomKeyStore", error="ThrottlingException", landed=False),
    )
    sandbox.clock.after(4 * HOUR, lambda: sandbox.close("retired", "The cluster is deleted."))
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
        "The scenario expects nothing, so nothing was checked.",
    ]


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (
            "create_key_store: {cluster: cluster-2a3b4c5d6e7, name: new, by: ci}",
            ("ci", "create_custom_key_store"),
        ),
        (
            "delete_key_store: {store: cks-1, by: alice}",
            ("alice", "delete_custom_key_store"),
        ),
        (
            "connect_key_store: {store: cks-1, by: {arn: 'arn:aws:iam::1:role/x', source_identity: ann}}",
            ("arn:aws:iam::1:role/x for ann", "connect_custom_key_store"),
        ),
    ],
)
def test_somebody_who_is_named_calls_kms_and_a_refusal_is_told(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]], act: str, asked: tuple[Any, ...]
) -> None:
    sandbox.refusals = {asked[1]: "CustomKeyStoreInvalidStateException"}
    told = play(f"play:\n  - {act}\n")
    assert sandbox.asked[-1][:2] == asked
    assert "AWS refuses: CustomKeyStoreInvalidStateException." in told["story"]
    assert told["expect"]["passed"]


def test_a_caller_in_words_counts_as_who_he_is(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    by = "{arn: 'arn:aws:sts::111122223333:assumed-role/deploy/run-7', source_identity: alice@example.com}"
    told = play(f"play:\n  - delete_cluster: {{cluster: cluster-2a3b4c5d6e7, by: {by}}}\n")
    assert "run-7 (for alice@example.com) tries to delete cluster-2a3b4c5d6e7" in told["story"]


def test_a_person_calls_aws_by_the_e_mail_that_people_says(
    sandbox: FakeSandbox, write: Callable[..., Path]
) -> None:
    text = WORLD.replace("alice: {approver: true}", "alice: {email: a.liddell@example.com}")
    item = "play:\n  - delete_cluster: {cluster: cluster-2a3b4c5d6e7, by: alice}\n"
    scenario = load(write(f"{text}{item}"))
    record = Record(scenario.now)
    played_on: Any = sandbox
    cases: Any = FakeCases(sandbox)
    Player(scenario, played_on, cases, Narration(io.StringIO()), record).play()
    assert sandbox.asked[-1][0] == "a.liddell@example.com"


def test_the_newest_case_is_tampered_with_as_the_scenario_says(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    told = play(
        "play:\n  - tamper: {keep: early}\n"
        f"{DELETE}{DELETE}  - tamper: {{keep: before}}\n  - tamper: {{drop: clicks}}\n"
        "  - tamper: {set: {cluster_id: other, plan.remedy: park}}\n  - tamper: {put_back: before}\n"
    )
    assert sandbox.tampered == [
        ("case-2", "keep", "before"),
        ("case-2", "drop", "clicks"),
        ("case-2", "set", {"cluster_id": "other", "plan.remedy": "park"}),
        ("case-2", "put_back", "before"),
    ]
    assert "There is no case to tamper with." in told["story"]


def test_the_digest_fires(sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]) -> None:
    play("play:\n  - digest: {}\n")
    assert sandbox.events == ["digest"]


def test_people_write_commands_and_open_the_home_tab(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    acts = "play:\n  - command: {by: alice, text: status}\n  - home: {by: bob}\n"
    told = play(acts)
    assert sandbox.slack.done == [("command", "alice", "status"), ("home", "bob")]
    assert [one["status"] for one in told["slack"]["responses"]] == [200, 200]
    sandbox.slack.has_home = False
    told = play("play:\n  - home: {by: bob}\n")
    assert told["slack"]["responses"][-1]["status"] == "skipped"


def test_a_later_deployment_brings_other_routes(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    play("play:\n  - deploy: {slack_channel: C2, routes: [{name: all}]}\n")
    assert sandbox.events == [("deploy", {"slack_channel": "C2", "routes": [{"name": "all"}]})]


def test_a_store_breaks_by_itself_and_a_person_mends_it(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    told = play(
        "play:\n  - outside: {break_store: {store: cks-1, error: NETWORK_ERRORS}}\n"
        "  - outside: {mend_store: {store: cks-1}}\n"
    )
    assert [(who, what) for who, what, _ in sandbox.asked] == [
        ("nobody", "break_store"),
        ("crypto officer", "set_password"),
        (OPERATIONS, "update_custom_key_store"),
    ]
    assert "Somebody else breaks something that cks-1 needs: NETWORK_ERRORS." in told["story"]


def test_what_is_gone_can_not_be_broken_and_that_is_told(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.stores = []
    told = play("play:\n  - outside: {break_store: {store: cks-1, error: NETWORK_ERRORS}}\n")
    assert "Somebody else can't: there is no custom key store cks-1." in told["story"]


def test_subnets_are_filled_and_deleted(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    on = "cluster: cluster-2a3b4c5d6e7, zone: us-east-1a"
    told = play(
        f"play:\n  - outside: {{fill_subnet: {{{on}, free: 1}}}}\n"
        f"  - outside: {{delete_subnet: {{{on}}}}}\n"
    )
    assert [what for _, what, _ in sandbox.asked] == ["fill_subnet", "delete_subnet"]
    assert "takes the addresses of subnet-2 in us-east-1a: 1 are free" in told["story"]
    assert "deletes subnet-1, the subnet of cluster-2a3b4c5d6e7 in us-east-1a" in told["story"]


def test_the_newest_backup_is_deleted(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    delete = "  - outside: {delete_backup: {cluster: cluster-2a3b4c5d6e7}}\n"
    sandbox.answers = {"describe_backups": {"Backups": [{"BackupId": "b-2"}, {"BackupId": "b-1"}]}}
    play(f"play:\n{delete}")
    assert sandbox.asked[-1] == (OPERATIONS, "delete_backup", {"BackupId": "b-2"})
    sandbox.answers = {"describe_backups": {"Backups": []}}
    assert "finds no backup" in play(f"play:\n{delete}")["story"]


def test_a_key_is_what_another_one_is_encrypted_again_to(
    sandbox: FakeSandbox, play: Callable[[str], dict[str, Any]]
) -> None:
    sandbox.answers = {
        "create_key": {"KeyMetadata": {"KeyId": "key-9"}},
        "encrypt": {"CiphertextBlob": b"c"},
    }
    play("play:\n  - outside: {reencrypt_to_key: {alias: alias/payments}}\n")
    named = {"SourceKeyId": "key-9", "DestinationKeyId": "key-0", "CiphertextBlob": b"c"}
    assert sandbox.asked[-1] == (OPERATIONS, "re_encrypt", named)
