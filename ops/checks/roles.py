"""May the bot read and act where it serves? Asks the bot itself to read; never acts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chalicelib.config import EXECUTOR_ROLE
from ops.checks.finding import Finding
from ops.deployment.infra import account_stack
from ops.hub import Hub

SWEEP_SECONDS = 310
"""Just longer than the function may run."""


def readers(hub: Hub) -> Iterator[Finding]:
    """The sweep takes the reader role in every place. It runs each hour anyway, so it may run now."""
    reply = hub.waiting_client("lambda", seconds=SWEEP_SECONDS).invoke(
        FunctionName=f"{hub.name}-sweep", Payload=json.dumps(_scheduled(hub)).encode()
    )
    said = json.loads(reply["Payload"].read() or b"{}")
    if reply.get("FunctionError"):
        why = said.get("errorMessage", "it died without a word")
        do = f"See its log: /aws/lambda/{hub.name}-sweep"
        yield Finding("reader", False, f"the sweep failed: {why}", do)
        return
    unread = said.get("unread", [])
    for place in unread:
        do = f"Deploy infra/account.yaml there (stack {account_stack(hub)})"
        account = place.partition(" ")[0]
        known = account if account in hub.settings.accounts else ""
        yield Finding(f"reader {account}", False, place, do, account=known)
    if not unread:
        accounts = ", ".join(dict.fromkeys((hub.account, *hub.settings.accounts)))
        yield Finding("reader", True, f"the sweep could read {accounts}")


def may_take_executor(hub: Hub) -> Iterator[Finding]:
    """The trust of the hub’s own executor names turn; its existence elsewhere can’t be seen from here."""
    role, turn = EXECUTOR_ROLE, f"role/{hub.name}-turn"
    trust = hub.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    text = trust if isinstance(trust, str) else json.dumps(trust)
    right = turn in text
    do = "" if right else f"An account serves one stage: is {role} another stage’s?"
    says = f"{role} trusts turn" if right else f"{role} does not trust {turn}"
    yield Finding(f"trust {hub.account}", right, says, do)
    for account in hub.settings.accounts:
        says = "only that account’s own credentials can tell"
        do = f"Check there: {role} trusts {turn}"
        yield Finding(f"trust {account}", None, says, do, account=account)


def _scheduled(hub: Hub) -> dict[str, Any]:
    """As EventBridge’s schedule would send it."""
    return {
        "version": "0",
        "id": "ops-doctor",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": hub.account,
        "time": hub.clock().isoformat(),
        "region": hub.region,
        "resources": [],
        "detail": {},
    }
