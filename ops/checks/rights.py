"""May executor and restorer do what plans need? Asks IAM's own simulation; takes no role and calls nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.config import EXECUTOR_ROLE, READER_ROLE, RESTORER_ROLE
from chalicelib.failures import PermanentError
from ops.checks.finding import Finding
from ops.console import Console
from ops.expected import EXPECTED
from ops.hub import Hub
from ops.target_access import accounts

ANY_KEY = "key/00000000-0000-0000-0000-000000000000"
ANY_CLUSTER, ANY_BACKUP = "cluster/cluster-aaaaaaaaaaa", "backup/backup-aaaaaaaaaaa"


AT_A_TIME = 16


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


def of_acting_roles(hub: Hub, screen: Console) -> Iterator[Finding]:
    """In every account that is served, many at a time; elsewhere as the reader, if it lets you in."""
    yield from in_account(hub, hub.client("iam"), hub.account)
    served = hub.settings.accounts
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        asking = {pool.submit(_elsewhere, hub, account): account for account in served}
        for number, _ in enumerate(as_completed(asking), start=1):
            screen.passing(f"rights in other accounts: {number} of {len(served)}")
        for done, account in asking.items():
            yield from (replace(finding, account=account) for finding in done.result())


def _elsewhere(hub: Hub, account: str) -> list[Finding]:
    try:
        return list(in_account(hub, _as_reader(hub, account), account))
    except EXPECTED as error:
        if not isinstance(error, PermanentError) and code_of(error) not in DENIED:
            raise
        do = "Set OperatorArn in the stack of infra/account.yaml there, or check with its own credentials"
        return [Finding(f"rights {account}", None, "your role may not ask there", do)]


def _as_reader(hub: Hub, account: str) -> Any:
    clients = accounts(hub, assume=True).clients(
        READER_ROLE, account=account, region=hub.region, session_name="unlatch-doctor"
    )
    return clients("iam")


def in_account(hub: Hub, iam: Any, account: str) -> Iterator[Finding]:
    """Of executor and restorer there; `iam` is a client of that account."""
    for word, role, acts in (
        ("executor", EXECUTOR_ROLE, EXECUTES),
        ("restorer", RESTORER_ROLE, RESTORES),
    ):
        name = f"{word} {account}"
        denied = [
            action for one in acts for action in _denied(hub, iam, one, role=role, account=account)
        ]
        if denied:
            do = "See infra/account.yaml, and the organisation’s service control policies"
            if "kms:ScheduleKeyDeletion" in denied:
                do += "; MinWindowDays may be more than pending_window_days"
            yield Finding(name, False, f"{role} may not {', '.join(denied)}", do)
        else:
            yield Finding(name, True, f"{role} may do what plans need")


def _denied(hub: Hub, iam: Any, acts: Acts, *, role: str, account: str) -> Iterator[str]:
    thing = f"arn:{hub.partition}:{acts.service}:{hub.region}:{account}:{acts.thing}"
    reply = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:{hub.partition}:iam::{account}:role/{role}",
        ActionNames=list(acts.actions),
        ResourceArns=[thing if acts.service else "*"],
        ContextEntries=_context(hub, account),
    )
    for result in reply["EvaluationResults"]:
        if result["EvalDecision"] != "allowed":
            yield result["EvalActionName"]


def _context(hub: Hub, account: str) -> list[dict[str, Any]]:
    """As a call of the bot would have it, on a key and a cluster that it may act on."""
    days = hub.settings.pending_window_days
    values = {
        "aws:RequestedRegion": ("string", hub.region),
        "aws:ResourceTag/unlatch": ("string", "allow"),
        "kms:CallerAccount": ("string", account),
        "kms:KeyOrigin": ("string", "AWS_CLOUDHSM"),
        "kms:ScheduleKeyDeletionPendingWindowInDays": ("numeric", str(days)),
    }
    return [
        {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}
        for name, (kind, value) in values.items()
    ]
