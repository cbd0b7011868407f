"""Every AWS call that changes a cluster, a key store or a key. There is no other place: review this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_never

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.errors import translated
from chalicelib.domain.decide import FOREIGN
from chalicelib.domain.remedies.rescue import is_made
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import CASE_TAG, NEWEST_BACKUP, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Cluster
from chalicelib.domain.state.zones import zone_of
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Receipt

if TYPE_CHECKING:
    from chalicelib.aws.clients import Clients


@dataclass(frozen=True)
class AwsActions:
    """Performs one call on one target with the role made for it. SDK retries are off (wiring)."""

    accounts: Accounts
    executor_role: str
    restorer_role: str
    pace: Callable[[str], Callable[[], None]]

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        """AWS's receipt. Raises TemporaryError or PermanentError; what then happened only a new read can tell."""
        plan = case.current_plan
        if plan is None or plan.place != case.place:
            raise PermanentError(FOREIGN.reason, *FOREIGN.advice)
        role = self.restorer_role if _only_adds(step, plan) else self.executor_role
        clients = self.accounts.clients(
            role,
            account=plan.account,
            region=plan.region,
            session_name=case.case_id,
            case=case,
            only=self._only(step, target, case),
        )
        call = _request(step, target, case)
        self.pace(step.operation)()
        with translated(step.operation, role=role, account=plan.account):
            reply = call(clients)
        return Receipt(reply["ResponseMetadata"]["RequestId"])

    def _only(self, step: Call, target: str, case: Case) -> list[dict[str, Any]]:
        """The one call on the one key, cluster or backup; on any store and HSM, which IAM can't name."""
        operation = step.operation
        service = "kms" if operation.startswith("kms:") else "cloudhsm"
        named = _resource(step, target, case)
        place = f"arn:{self.accounts.partition}:{service}:{case.region}:{case.account}"
        resource = f"{place}:{named}" if named else "*"
        found = [{"Effect": "Allow", "Action": [str(operation)], "Resource": resource}]
        more = _needed_besides(operation)
        return found + ([{"Effect": "Allow", "Action": more, "Resource": "*"}] if more else [])


def _only_adds(step: Call, plan: Plan) -> bool:
    """What makes HSMs, and all of a rescue but what switches its store off, moves it, or takes back."""
    if step.operation is Operation.CREATE_HSM:
        return True
    return plan.remedy is Remedy.RESCUE and step.operation in ADDS


ADDS = frozenset(
    {
        Operation.CREATE_CLUSTER,
        Operation.RESTORE_BACKUP,
        Operation.KEEP_BACKUP,
        Operation.CONNECT_KEY_STORE,
        Operation.PROVE_KEY,
    }
)
ClusterCall = Literal[
    Operation.DELETE_HSM,
    Operation.CREATE_HSM,
    Operation.KEEP_BACKUP,
    Operation.DELETE_CLUSTER,
    Operation.CREATE_CLUSTER,
    Operation.RESTORE_BACKUP,
]
RESCUE_TYPE = "hsm2m.medium"
"""Clusters of hsm1.medium can't be made any more; their backups are restored to this type."""
KEY_CALLS = frozenset(
    {
        Operation.SCHEDULE_KEY_DELETION,
        Operation.CANCEL_KEY_DELETION,
        Operation.DISABLE_KEY,
        Operation.ENABLE_KEY,
        Operation.PROVE_KEY,
    }
)


def _resource(step: Call, target: str, case: Case) -> str:
    """As the Service Authorization Reference has it; "" if it knows no resource for this call."""
    match step.operation:
        case operation if operation in KEY_CALLS:
            return f"key/{target}"
        case Operation.DELETE_CLUSTER | Operation.CREATE_HSM:
            return f"cluster/{_home(step, case).cluster_id}"
        case Operation.KEEP_BACKUP | Operation.RESTORE_BACKUP:
            return f"backup/{_backup_id(target, case)}"
    return ""


MAKES_NETWORK = ["ec2:*NetworkInterface*", "ec2:*SecurityGroup*", "ec2:Describe*"]


def _needed_besides(operation: Operation) -> list[str]:
    """What CloudHSM and KMS do in the caller's name for it (Service Authorization Reference)."""
    network = ["ec2:DeleteNetworkInterface", "ec2:DeleteSecurityGroup"]
    more = {
        Operation.DELETE_HSM: network,
        Operation.DELETE_CLUSTER: network,
        Operation.CREATE_HSM: MAKES_NETWORK,
        Operation.CREATE_CLUSTER: [*MAKES_NETWORK, "cloudhsm:TagResource"],
        Operation.CONNECT_KEY_STORE: ["cloudhsm:DescribeClusters"],
        Operation.UPDATE_KEY_STORE: ["cloudhsm:DescribeClusters"],
    }
    return more.get(operation, [])


def _request(step: Call, target: str, case: Case) -> Callable[[Clients], Mapping[str, Any]]:
    """The one request for this operation and target, to be made with a client of its service."""
    operation = step.operation
    match operation:
        case Operation.CONNECT_KEY_STORE:
            return lambda aws: aws("kms").connect_custom_key_store(CustomKeyStoreId=target)
        case Operation.DISCONNECT_KEY_STORE:
            return lambda aws: aws("kms").disconnect_custom_key_store(CustomKeyStoreId=target)
        case Operation.UPDATE_KEY_STORE:
            return lambda aws: aws("kms").update_custom_key_store(
                CustomKeyStoreId=target, CloudHsmClusterId=step.to_cluster
            )
        case Operation.DELETE_KEY_STORE:
            return lambda aws: aws("kms").delete_custom_key_store(CustomKeyStoreId=target)
        case Operation.SCHEDULE_KEY_DELETION:
            return lambda aws: aws("kms").schedule_key_deletion(
                KeyId=target, PendingWindowInDays=step.window_days
            )
        case Operation.CANCEL_KEY_DELETION:
            return lambda aws: aws("kms").cancel_key_deletion(KeyId=target)
        case Operation.DISABLE_KEY:
            return lambda aws: aws("kms").disable_key(KeyId=target)
        case Operation.ENABLE_KEY:
            return lambda aws: aws("kms").enable_key(KeyId=target)
        case Operation.PROVE_KEY:
            return lambda aws: aws("kms").generate_data_key_without_plaintext(
                KeyId=target, KeySpec="AES_256"
            )
        case _:
            return _cluster_request(operation, step, target, case)


def _cluster_request(
    operation: ClusterCall, step: Call, target: str, case: Case
) -> Callable[[Clients], Mapping[str, Any]]:
    match operation:
        case Operation.DELETE_HSM:
            home = _home(step, case)
            hsm_id = _hsm_id(target, home)
            return lambda aws: aws("cloudhsmv2").delete_hsm(ClusterId=home.cluster_id, HsmId=hsm_id)
        case Operation.CREATE_HSM:
            home, zone = _home(step, case), zone_of(target)
            return lambda aws: aws("cloudhsmv2").create_hsm(
                ClusterId=home.cluster_id, AvailabilityZone=zone
            )
        case Operation.KEEP_BACKUP:
            backup_id = _backup_id(target, case)
            return lambda aws: aws("cloudhsmv2").modify_backup_attributes(
                BackupId=backup_id, NeverExpires=True
            )
        case Operation.RESTORE_BACKUP:
            return lambda aws: aws("cloudhsmv2").restore_backup(BackupId=target)
        case Operation.CREATE_CLUSTER:
            return _create_cluster(target, case)
        case Operation.DELETE_CLUSTER:
            home = _home(step, case)
            return lambda aws: aws("cloudhsmv2").delete_cluster(ClusterId=home.cluster_id)
        case _:
            assert_never(operation)


def _create_cluster(backup_id: str, case: Case) -> Callable[[Clients], Mapping[str, Any]]:
    plan = case.current_plan
    assert plan is not None, "checked by perform"
    mode: Any = plan.mode
    return lambda aws: aws("cloudhsmv2").create_cluster(
        HsmType=RESCUE_TYPE,
        Mode=mode,
        SourceBackupId=backup_id,
        SubnetIds=list(plan.subnets),
        TagList=[{"Key": CASE_TAG, "Value": case.case_id}],
    )


def _home(step: Call, case: Case) -> Cluster:
    """The case's cluster, or one that this case has made and tagged; no call goes to any other."""
    own = case.snapshot.cluster if case.snapshot else None
    if step.to_cluster in ("", case.cluster_id):
        if own is None:
            raise TemporaryError("the cluster was not seen in this turn")
        return own
    there, plan = case.snapshot.siblings if case.snapshot else (), case.current_plan
    for cluster in there:
        is_named = cluster.cluster_id == step.to_cluster
        if is_named and plan is not None and is_made(cluster, case.case_id, plan):
            return cluster
    raise PermanentError(FOREIGN.reason, *FOREIGN.advice)


def _hsm_id(label: str, home: Cluster) -> str:
    """A live HSM in the label's zone."""
    zone = zone_of(label)
    found = next((hsm.hsm_id for hsm in home.live_hsms if hsm.zone == zone), "")
    if not found:
        raise TemporaryError(f"no HSM is left in {zone}")
    return found


def _backup_id(target: str, case: Case) -> str:
    """The one that is named, or the newest of the cluster as it was seen in this turn."""
    if target != NEWEST_BACKUP:
        return target
    cluster = case.snapshot.cluster if case.snapshot else None
    if cluster is None:
        raise TemporaryError("the cluster was not seen in this turn")
    if cluster.newest_backup is None:
        raise TemporaryError("no backup is ready")
    return cluster.newest_backup.backup_id
