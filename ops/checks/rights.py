"""May executor and restorer do what plans need? Asks IAM's own simulation; takes no role and calls nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.config import EXECUTOR_ROLE, RESTORER_ROLE
from ops.checks.finding import Finding
from ops.hub import Hub

ANY_KEY = "key/00000000-0000-0000-0000-000000000000"
ANY_CLUSTER, ANY_BACKUP = "cluster/cluster-aaaaaaaaaaa", "backup/backup-aaaaaaaaaaa"


@dataclass(frozen=True)
class Acts:
    """Actions on one kind of thing. The simulation needs its ARN: * is allowed by no narrower one."""

    service: str
    thing: str
    actions: tuple[str, ...]


EXECUTES = (
    Acts(
        "kms",
        ANY_KEY,
        (
            "kms:ScheduleKeyDeletion",
            "kms:CancelKeyDeletion",
            "kms:EnableKey",
            "kms:DisableKey",
            "kms:GenerateDataKeyWithoutPlaintext",
        ),
    ),
    Acts(
        "",
        "*",
        (
            "kms:ConnectCustomKeyStore",
            "kms:DisconnectCustomKeyStore",
            "kms:UpdateCustomKeyStore",
            "kms:DeleteCustomKeyStore",
            "cloudhsm:DeleteHsm",
        ),
    ),
    Acts("cloudhsm", ANY_CLUSTER, ("cloudhsm:DeleteCluster",)),
    Acts("cloudhsm", ANY_BACKUP, ("cloudhsm:ModifyBackupAttributes",)),
)
RESTORES = (Acts("cloudhsm", ANY_CLUSTER, ("cloudhsm:CreateHsm",)),)


def of_acting_roles(hub: Hub) -> Iterator[Finding]:
    """In the hub's account; other accounts' roles can't be asked about from here."""
    for word, role, acts in (
        ("executor", EXECUTOR_ROLE, EXECUTES),
        ("restorer", RESTORER_ROLE, RESTORES),
    ):
        name = f"{word} {hub.account}"
        hub.client("iam").get_role(RoleName=role)
        denied = [action for one in acts for action in _denied(hub, role, one)]
        if denied:
            do = "See infra/account.yaml, and the organisation’s service control policies"
            if "kms:ScheduleKeyDeletion" in denied:
                do += "; MinWindowDays may be more than pending_window_days"
            yield Finding(name, False, f"{role} may not {', '.join(denied)}", do)
        else:
            yield Finding(name, True, f"{role} may do what plans need")


def _denied(hub: Hub, role: str, acts: Acts) -> Iterator[str]:
    reply = hub.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:{hub.partition}:iam::{hub.account}:role/{role}",
        ActionNames=list(acts.actions),
        ResourceArns=[hub.arn(acts.service, acts.thing) if acts.service else "*"],
        ContextEntries=_context(hub),
    )
    for result in reply["EvaluationResults"]:
        if result["EvalDecision"] != "allowed":
            yield result["EvalActionName"]


def _context(hub: Hub) -> list[dict[str, Any]]:
    """As a call of the bot would have it, on a key and a cluster that it may act on."""
    days = hub.settings.pending_window_days
    values = {
        "aws:RequestedRegion": ("string", hub.region),
        "aws:ResourceTag/unlatch": ("string", "allow"),
        "kms:CallerAccount": ("string", hub.account),
        "kms:KeyOrigin": ("string", "AWS_CLOUDHSM"),
        "kms:ScheduleKeyDeletionPendingWindowInDays": ("numeric", str(days)),
    }
    return [
        {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}
        for name, (kind, value) in values.items()
    ]
