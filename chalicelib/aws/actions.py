"""Every AWS call that changes a cluster, a key store or a key. There is no other place: review this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_never

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.errors import translated
from chalicelib.domain.decide import FOREIGN
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Cluster
from chalicelib.domain.state.zones import hsm_for, zone_of
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
        restores = step.operation is Operation.CREATE_HSM
        role = self.restorer_role if restores else self.executor_role
        clients = self.accounts.clients(
            role,
            account=plan.account,
            region=plan.region,
            session_name=case.case_id,
            case=case,
            only=self._only(step.operation, target, case),
        )
        call = _request(step, target, case)
        self.pace(step.operation)()
        with translated(step.operation, role=role, account=plan.account):
            reply = call(clients)
        return Receipt(reply["ResponseMetadata"]["RequestId"])

    def _only(self, operation: Operation, target: str, case: Case) -> list[dict[str, Any]]:
        """The one call on the one key, cluster or backup; on any store and HSM, which IAM can't name."""
        service = "kms" if operation.startswith("kms:") else "cloudhsm"
        named = _resource(operation, target, case)
        place = f"arn:{self.accounts.partition}:{service}:{case.region}:{case.account}"
        resource = f"{place}:{named}" if named else "*"
        found = [{"Effect": "Allow", "Action": [str(operation)], "Resource": resource}]
        more = _needed_besides(operation)
        return found + ([{"Effect": "Allow", "Action": more, "Resource": "*"}] if more else [])


ClusterCall = Literal[
    Operation.DELETE_HSM, Operation.CREATE_HSM, Operation.KEEP_BACKUP, Operation.DELETE_CLUSTER
]
KEY_CALLS = frozenset(
    {
        Operation.SCHEDULE_KEY_DELETION,
        Operation.CANCEL_KEY_DELETION,
        Operation.DISABLE_KEY,
        Operation.ENABLE_KEY,
        Operation.PROVE_KEY,
    }
)


def _resource(operation: Operation, target: str, case: Case) -> str:
    """As the Service Authorization Reference has it; "" if it knows no resource for this call."""
    if operation in KEY_CALLS:
        return f"key/{target}"
    if operation in (Operation.DELETE_CLUSTER, Operation.CREATE_HSM):
        return f"cluster/{case.cluster_id}"
    if operation is Operation.KEEP_BACKUP:
        newest = _cluster(case).newest_backup
        return f"backup/{newest.backup_id}" if newest else ""
    return ""


def _needed_besides(operation: Operation) -> list[str]:
    """What CloudHSM and KMS do in the caller's name for it (Service Authorization Reference)."""
    network = ["ec2:DeleteNetworkInterface", "ec2:DeleteSecurityGroup"]
    more = {
        Operation.DELETE_HSM: network,
        Operation.DELETE_CLUSTER: network,
        Operation.CREATE_HSM: ["ec2:*NetworkInterface*", "ec2:*SecurityGroup*", "ec2:Describe*"],
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
            return _cluster_request(operation, target, case)


def _cluster_request(
    operation: ClusterCall, target: str, case: Case
) -> Callable[[Clients], Mapping[str, Any]]:
    cluster_id, cluster = case.cluster_id, _cluster(case)
    match operation:
        case Operation.DELETE_HSM:
            assert case.snapshot is not None, "checked by _cluster"
            hsm = hsm_for(target, case.snapshot)
            if hsm is None:
                raise TemporaryError(f"no HSM is left in {zone_of(target)}")
            hsm_id = hsm.hsm_id
            return lambda aws: aws("cloudhsmv2").delete_hsm(ClusterId=cluster_id, HsmId=hsm_id)
        case Operation.CREATE_HSM:
            zone = zone_of(target)
            return lambda aws: aws("cloudhsmv2").create_hsm(
                ClusterId=cluster_id, AvailabilityZone=zone
            )
        case Operation.KEEP_BACKUP:
            newest = cluster.newest_backup
            if newest is None:
                raise TemporaryError("no backup is ready")
            backup_id = newest.backup_id
            return lambda aws: aws("cloudhsmv2").modify_backup_attributes(
                BackupId=backup_id, NeverExpires=True
            )
        case Operation.DELETE_CLUSTER:
            return lambda aws: aws("cloudhsmv2").delete_cluster(ClusterId=cluster_id)
        case _:
            assert_never(operation)


def _cluster(case: Case) -> Cluster:
    """The cluster of this turn's snapshot: no call is made on older news."""
    if case.snapshot is None or case.snapshot.cluster is None:
        raise TemporaryError("the cluster was not seen in this turn")
    return case.snapshot.cluster
