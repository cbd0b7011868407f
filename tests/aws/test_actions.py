"""Every mutating call: the right request, with the right role, in a session that can do nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.aws.accounts import Accounts, identity_of
from chalicelib.aws.actions import KEY_CALLS, AwsActions
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Remedy
from chalicelib.domain.state.snapshot import Cluster
from chalicelib.failures import PermanentError, TemporaryError
from tests.domain.scenes import offer
from tests.domain.worlds import hsms
from tests.flows.stand import CLUSTER, HUB, NOW, REGION, STORE, key, world

OWN = offer(Remedy.RETIRE, world(key(1)))
CASE = Case("case-a", HUB, REGION, CLUSTER, NOW, snapshot=world(key(1)), plan=OWN)
ON = {
    **dict.fromkeys(KEY_CALLS, f"key/{STORE}"),
    Operation.CREATE_HSM: f"cluster/{CLUSTER}",
    Operation.DELETE_CLUSTER: f"cluster/{CLUSTER}",
    Operation.KEEP_BACKUP: "backup/backup-1",
    Operation.RESTORE_BACKUP: f"backup/{STORE}",
}
"""What IAM can name of a call's target."""


@dataclass
class Aws:
    """STS and the clients that its sessions make; notes what each was asked."""

    sessions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.sessions.append(request)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return {"Credentials": dict.fromkeys(names, "x")}

    def client(self, service: str, region: str, credentials: object) -> Any:
        return Service(self, service)


@dataclass
class Service:
    aws: Aws
    name: str

    def __getattr__(self, method: str) -> Any:
        def call(**params: Any) -> dict[str, Any]:
            self.aws.asked.append((self.name, method, params))
            return {"ResponseMetadata": {"RequestId": "request-1"}}

        return call


REQUESTS: dict[Operation, tuple[str, str, dict[str, Any]]] = {
    Operation.CONNECT_KEY_STORE: ("kms", "connect_custom_key_store", {"CustomKeyStoreId": "T"}),
    Operation.DISCONNECT_KEY_STORE: (
        "kms",
        "disconnect_custom_key_store",
        {"CustomKeyStoreId": "T"},
    ),
    Operation.UPDATE_KEY_STORE: (
        "kms",
        "update_custom_key_store",
        {"CustomKeyStoreId": "T", "CloudHsmClusterId": "cluster-b"},
    ),
    Operation.DELETE_KEY_STORE: ("kms", "delete_custom_key_store", {"CustomKeyStoreId": "T"}),
    Operation.DISABLE_KEY: ("kms", "disable_key", {"KeyId": "T"}),
    Operation.ENABLE_KEY: ("kms", "enable_key", {"KeyId": "T"}),
    Operation.SCHEDULE_KEY_DELETION: (
        "kms",
        "schedule_key_deletion",
        {"KeyId": "T", "PendingWindowInDays": 7},
    ),
    Operation.CANCEL_KEY_DELETION: ("kms", "cancel_key_deletion", {"KeyId": "T"}),
    Operation.PROVE_KEY: (
        "kms",
        "generate_data_key_without_plaintext",
        {"KeyId": "T", "KeySpec": "AES_256"},
    ),
    Operation.CREATE_HSM: (
        "cloudhsmv2",
        "create_hsm",
        {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1a"},
    ),
    Operation.DELETE_HSM: (
        "cloudhsmv2",
        "delete_hsm",
        {"ClusterId": CLUSTER, "HsmId": "hsm-us-east-1a-0"},
    ),
    Operation.KEEP_BACKUP: (
        "cloudhsmv2",
        "modify_backup_attributes",
        {"BackupId": "backup-1", "NeverExpires": True},
    ),
    Operation.DELETE_CLUSTER: ("cloudhsmv2", "delete_cluster", {"ClusterId": CLUSTER}),
    Operation.RESTORE_BACKUP: ("cloudhsmv2", "restore_backup", {"BackupId": "T"}),
    Operation.CREATE_CLUSTER: (
        "cloudhsmv2",
        "create_cluster",
        {
            "HsmType": "hsm2m.medium",
            "Mode": "",
            "SourceBackupId": "T",
            "SubnetIds": [],
            "TagList": [{"Key": "unlatch-case", "Value": "case-a"}],
        },
    ),
}
LABELS = {
    Operation.CREATE_HSM: "us-east-1a",
    Operation.DELETE_HSM: "us-east-1a",
    Operation.KEEP_BACKUP: NEWEST_BACKUP,
}


def actions(aws: Any, *, paced: list[str] | None = None) -> AwsActions:
    noted = paced if paced is not None else []

    def pace(call: str) -> Any:
        return lambda: noted.append(call)

    accounts = Accounts(aws, aws.client)
    return AwsActions(accounts, "unlatch-executor", "unlatch-restorer", pace)


@pytest.mark.parametrize("operation", Operation)
def test_the_request_is_the_planned_one(operation: Operation) -> None:
    aws, paced = Aws(), list[str]()
    target = LABELS.get(operation, "T")
    to = "cluster-b" if operation is Operation.UPDATE_KEY_STORE else ""
    step = Call(operation, (target,), "doing it", window_days=7, to_cluster=to)
    receipt = actions(aws, paced=paced).perform(step, target, case=CASE)
    assert receipt.request_id == "request-1"
    assert aws.asked == [REQUESTS[operation]]
    assert paced == [operation], "before the call"


@pytest.mark.parametrize("operation", Operation)
def test_the_session_can_do_this_alone_and_names_who_decided(operation: Operation) -> None:
    aws = Aws()
    target = LABELS.get(operation, STORE)
    clicks = tuple(Click(Act.APPROVE, by, NOW) for by in ("alice", "bob"))
    case = replace(CASE, approved=clicks)
    actions(aws).perform(Call(operation, (target,), "doing it"), target, case=case)
    (session,) = aws.sessions
    restores = operation is Operation.CREATE_HSM
    role = "unlatch-restorer" if restores else "unlatch-executor"
    assert session["RoleArn"] == f"arn:aws:iam::{HUB}:role/{role}"
    assert session["RoleSessionName"] == "case-a"
    assert session["SourceIdentity"] == "bob"
    tags = {tag["Key"]: tag["Value"] for tag in session["Tags"]}
    assert tags == {"case": "case-a", "plan_hash": OWN.plan_hash, "approvers": "alice bob"}
    allowed, *besides = json.loads(session["Policy"])["Statement"]
    assert allowed["Action"] == [operation]
    named = ON.get(operation)
    place = f"arn:aws:{operation.split(':')[0]}:{REGION}:{HUB}"
    assert allowed["Resource"] == (f"{place}:{named}" if named else "*")
    for one in besides:
        assert (one["Effect"], one["Resource"]) == ("Allow", "*")
        more = (a for a in one["Action"] if a.startswith(("kms:", "cloudhsm:")))
        assert not [a for a in more if "Describe" not in a and a != "cloudhsm:TagResource"]


def test_a_session_of_a_case_that_nobody_decided_says_so() -> None:
    said = identity_of(replace(CASE, plan=None))
    assert {tag["Key"]: tag["Value"] for tag in said["Tags"]} == {
        "case": "case-a",
        "plan_hash": "none",
        "approvers": "unlatch",
    }
    assert said["SourceIdentity"] == "unlatch"


def test_a_plan_about_something_else_is_refused_before_any_session() -> None:
    other = replace(OWN, cluster_id="cluster-7e6d5c4b3a2")
    for case in (replace(CASE, plan=other), replace(CASE, plan=None)):
        aws = Aws()
        step = Call(Operation.DELETE_CLUSTER, (CLUSTER,), "doing it")
        with pytest.raises(PermanentError, match="another account, Region or cluster"):
            actions(aws).perform(step, CLUSTER, case=case)
        assert (aws.sessions, aws.asked) == ([], [])


@pytest.mark.parametrize(
    ("operation", "snapshot"),
    [
        (Operation.DELETE_HSM, None),
        (Operation.DELETE_CLUSTER, None),
        (Operation.DELETE_HSM, world(hsms=0)),
    ],
)
def test_nothing_is_asked_of_a_cluster_that_was_not_seen(
    operation: Operation, snapshot: Any
) -> None:
    aws = Aws()
    case = replace(CASE, snapshot=snapshot)
    with pytest.raises(TemporaryError):
        actions(aws).perform(Call(operation, ("us-east-1a",), "x"), "us-east-1a", case=case)
    assert aws.asked == []


MADE = Cluster(
    "cluster-made",
    ClusterState.ACTIVE,
    hsms=hsms("us-east-1a"),
    tags=(("unlatch-case", "case-a"),),
    source_backup="backup-1",
)


def test_a_rescue_only_adds_and_acts_on_what_it_made() -> None:
    """Disconnect and Update are the executor's, and what takes back; the rest is the restorer's."""
    plan = replace(OWN, remedy=Remedy.RESCUE, backup_id="backup-1")
    world_ = replace(world(key(1)), siblings=(MADE,))
    case = replace(CASE, plan=plan, snapshot=world_)
    acting = {
        Operation.CREATE_CLUSTER: "restorer",
        Operation.CREATE_HSM: "restorer",
        Operation.KEEP_BACKUP: "restorer",
        Operation.RESTORE_BACKUP: "restorer",
        Operation.CONNECT_KEY_STORE: "restorer",
        Operation.PROVE_KEY: "restorer",
        Operation.DISCONNECT_KEY_STORE: "executor",
        Operation.UPDATE_KEY_STORE: "executor",
        Operation.DELETE_HSM: "executor",
        Operation.DELETE_CLUSTER: "executor",
    }
    for operation, role in acting.items():
        aws = Aws()
        step = Call(operation, ("us-east-1a",), "doing it", to_cluster="cluster-made")
        actions(aws).perform(step, "us-east-1a", case=case)
        assert aws.sessions[0]["RoleArn"].endswith(f"role/unlatch-{role}"), operation
        if operation in (Operation.CREATE_HSM, Operation.DELETE_HSM, Operation.DELETE_CLUSTER):
            assert aws.asked[0][2]["ClusterId"] == "cluster-made"


def test_no_call_goes_to_a_cluster_that_the_case_did_not_make() -> None:
    theirs = replace(MADE, tags=(("unlatch-case", "case-b"),))
    tagged_by_anybody = replace(MADE, cluster_id="cluster-old", source_backup="backup-0")
    plan = replace(OWN, remedy=Remedy.RESCUE, backup_id="backup-1")
    for others, backup in (((theirs,), plan), ((tagged_by_anybody,), plan), ((MADE,), OWN)):
        _none_goes(replace(CASE, plan=backup, snapshot=replace(world(key(1)), siblings=others)))


def _none_goes(case: Case) -> None:
    for operation in (Operation.CREATE_HSM, Operation.DELETE_HSM, Operation.DELETE_CLUSTER):
        aws = Aws()
        there = case.snapshot.siblings[0].cluster_id if case.snapshot else ""
        step = Call(operation, ("us-east-1a",), "doing it", to_cluster=there)
        with pytest.raises(PermanentError):
            actions(aws).perform(step, "us-east-1a", case=case)
        assert aws.asked == []
