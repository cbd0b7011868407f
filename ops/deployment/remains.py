"""What stays behind a stage that was taken down: data that the stack retains, and things elsewhere. Reports only what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.config import Settings
from ops.console import moment
from ops.deployment import infra, record
from ops.deployment.found import NOT_THERE, found
from ops.hub import APP, Hub

WINDOW_DAYS = 7
GONE = NOT_THERE | {
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ParameterNotFound",
}
SEALS = ("inbox", "body")
SECRETS = ("slack-signing-secret", "slack-bot-token")


def seal_keys(hub: Hub) -> dict[str, str]:
    """Name and id of each. Asked before the stack takes the aliases away."""
    found = {}
    for name in SEALS:
        key = _unless_gone(
            partial(hub.client("kms").describe_key, KeyId=f"alias/{hub.name}-{name}")
        )
        if key:
            found[name] = str(key["KeyMetadata"]["KeyId"])
    return found


def delete_data(hub: Hub, keys: Mapping[str, str]) -> Iterator[str]:
    """What the template retains, thing by thing: a sentence of each on how it stands afterwards."""
    steps: dict[str, tuple[Callable[[], object], Callable[[], str]]] = {
        "the table": (lambda: _delete_table(hub), lambda: _table(hub)),
        "the dead letters": (lambda: _delete_queue(hub), lambda: _queue(hub)),
        "the API’s log": (lambda: _delete_log(hub), lambda: _log(hub)),
        "the record of what is deployed": (lambda: record.forget(hub), lambda: _record(hub)),
    }
    for name in SECRETS:
        steps[f"secret {name}"] = (partial(_delete_secret, hub, name), partial(_secret, hub, name))
    for name, key_id in keys.items():
        steps[f"the {name} seal key"] = (
            partial(_schedule, hub, key_id),
            partial(_key, hub, key_id),
        )
    for what, (delete, look) in steps.items():
        was_there = _unless_gone(delete) is not None
        yield f"{what}: {_unless_gone(look) or ('gone' if was_there else 'was not there')}"


def anything(hub: Hub, *, with_data: bool) -> bool:
    """If there is something to take down: functions, a stack, or with data also what stacks retain."""
    if found(hub)["resources"] or infra.is_there(hub) or infra.is_there(hub, roles=True):
        return True
    looks: list[Callable[[], Any]] = [
        *(partial(look, hub) for look in (_table, _queue, _log, _record)),
        *(partial(_secret, hub, name) for name in SECRETS),
    ]
    return with_data and any(_unless_gone(look) for look in looks)


def elsewhere(hub: Hub, settings: Settings, *, with_data: bool) -> Iterator[str]:
    """What this command does not take away, and how to."""
    if not with_data and infra.is_there(hub):
        yield f"the stack {infra.resources_stack(hub)}, with all cases: unlatch destroy --also-data"
    regions = list(dict.fromkeys((hub.region, *settings.regions)))
    for account in settings.accounts:
        for region in regions:
            yield (
                f"account {account}, {region}: aws cloudformation delete-stack "
                f"--region {region} --stack-name {infra.account_stack(hub)}"
            )
    for name in _logs(hub):
        yield f"a log: aws logs delete-log-group --region {hub.region} --log-group-name {name}"
    yield "the Slack app: api.slack.com/apps, Unlatch, Delete App"


def _unless_gone(call: Callable[[], Any]) -> Any:
    """What the call gives, True if that is nothing to tell; None if there is no such thing."""
    try:
        found = call()
    except ClientError as error:
        if code_of(error) in GONE:
            return None
        raise
    return True if found is None else found


def _delete_table(hub: Hub) -> None:
    tables = hub.client("dynamodb")
    tables.update_table(TableName=hub.name, DeletionProtectionEnabled=False)
    tables.get_waiter("table_exists").wait(TableName=hub.name)
    tables.delete_table(TableName=hub.name)


def _table(hub: Hub) -> str:
    found = hub.client("dynamodb").describe_table(TableName=hub.name)["Table"]
    return "is being deleted" if found["TableStatus"] == "DELETING" else "STILL THERE"


def _delete_queue(hub: Hub) -> None:
    queues = hub.client("sqs")
    url = queues.get_queue_url(QueueName=f"{hub.name}-dead-letters")["QueueUrl"]
    queues.delete_queue(QueueUrl=url)


def _queue(hub: Hub) -> str:
    """SQS goes on naming a deleted queue for a minute."""
    hub.client("sqs").get_queue_url(QueueName=f"{hub.name}-dead-letters")
    return "deleted, SQS may name it for a minute"


def _delete_log(hub: Hub) -> None:
    hub.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{hub.name}")


def _log(hub: Hub) -> str:
    return "STILL THERE" if f"/aws/lambda/{hub.name}" in _logs(hub) else ""


def _logs(hub: Hub) -> list[str]:
    """Log groups of this stage’s functions, which outlive them."""
    pages = hub.client("logs").get_paginator("describe_log_groups")
    prefix = f"/aws/lambda/{hub.name}"
    names = [
        group["logGroupName"]
        for page in pages.paginate(logGroupNamePrefix=prefix)
        for group in page["logGroups"]
    ]
    return [name for name in names if name == prefix or name.startswith(f"{prefix}-")]


def _record(hub: Hub) -> str:
    return "STILL THERE" if record.read(hub) else ""


def _delete_secret(hub: Hub, name: str) -> None:
    secret_id = f"{APP}/{hub.stage}/{name}"
    hub.client("secretsmanager").delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True)


def _secret(hub: Hub, name: str) -> str:
    found = hub.client("secretsmanager").describe_secret(SecretId=f"{APP}/{hub.stage}/{name}")
    return "is being deleted" if found.get("DeletedDate") else "STILL THERE"


def _schedule(hub: Hub, key_id: str) -> None:
    hub.client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=WINDOW_DAYS)


def _key(hub: Hub, key_id: str) -> str:
    found = hub.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return (
            f"will be deleted {moment(found['DeletionDate'])}; aws kms cancel-key-deletion keeps it"
        )
    return f"STILL THERE ({found['KeyState']})"
