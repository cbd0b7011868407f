"""`unlatch destroy`: takes functions, API, rules and roles down. Keeps what holds data unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from chalicelib.aws.errors import code_of
from chalicelib.config import Settings
from ops.deploy import SECRETS
from ops.deployment import chalice, infra
from ops.deployment.found import NOT_THERE, found
from ops.desk import Desk
from ops.exits import Exit
from ops.hub import APP, Hub, connect
from ops.screen import GREEN, count
from ops.trouble import Trouble
from ops.verb import Options, Verb, flag, place

WINDOW_DAYS = 7
GONE = NOT_THERE | {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


def run(options: Options, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    desk.screen.title(f"Taking down Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    if not options.leave_cases:
        _refuse_open_cases(hub)
    say = desk.say
    settings = _settings(hub)
    seal_keys = [key for name in ("inbox", "body") if (key := _key_of(hub, name))]
    chalice.delete(hub, desk.project, deployed=found(hub), say=say)
    infra.delete_accounts(hub, settings=settings, say=say)
    if options.also_data:
        infra.delete_resources(hub, say=say)
        _delete_data(hub, seal_keys, say=say)
    else:
        kept = infra.resources_stack(hub)
        desk.screen.line(f"Kept: the stack {kept} with all cases, the secrets and the seal key.")
    desk.screen.line("Done.", colour=GREEN)
    return 0


def _refuse_open_cases(hub: Hub) -> None:
    try:
        open_cases = hub.cases.pointers()
    except Exception as error:
        if code_of(error) in GONE:
            return
        raise
    if open_cases:
        raise Trouble(
            f"{count(len(open_cases), 'case')} still open: "
            + ", ".join(pointer.case_id for pointer in open_cases),
            f"See them: unlatch cases --stage {hub.stage}",
            "Close them in Slack, or say --leave-cases",
            code=Exit.DECLINED,
        )


def _settings(hub: Hub) -> Settings:
    """Those of the functions; where they are gone already, the names alone."""
    try:
        return hub.settings
    except Trouble:
        return hub.by_name.settings


def _key_of(hub: Hub, name: str) -> str:
    """Asked before the stack takes the alias away."""
    try:
        found_key = hub.client("kms").describe_key(KeyId=f"alias/{hub.name}-{name}")
    except Exception as error:
        if code_of(error) in GONE:
            return ""
        raise
    return str(found_key["KeyMetadata"]["KeyId"])


def _delete_data(hub: Hub, seal_keys: Sequence[str], *, say: Callable[[str], None]) -> None:
    """What the template retains, thing by thing; what is gone already is fine."""
    steps: dict[str, Callable[[], object]] = {
        "the table": lambda: _delete_table(hub),
        "the dead letters": lambda: _delete_queue(hub),
        "the API’s log": lambda: hub.client("logs").delete_log_group(
            logGroupName=f"/aws/lambda/{hub.name}"
        ),
        **{f"secret {name}": partial(_delete_secret, hub, name) for name in SECRETS},
    }
    for key in seal_keys:
        steps[f"seal key {key}"] = partial(
            hub.client("kms").schedule_key_deletion, KeyId=key, PendingWindowInDays=WINDOW_DAYS
        )
    for what, delete in steps.items():
        try:
            delete()
        except Exception as error:
            if code_of(error) not in GONE:
                raise
        say(f"{what}: deleted")


def _delete_table(hub: Hub) -> None:
    tables = hub.client("dynamodb")
    tables.update_table(TableName=hub.name, DeletionProtectionEnabled=False)
    tables.get_waiter("table_exists").wait(TableName=hub.name)
    tables.delete_table(TableName=hub.name)


def _delete_queue(hub: Hub) -> None:
    queues = hub.client("sqs")
    url = queues.get_queue_url(QueueName=f"{hub.name}-dead-letters")["QueueUrl"]
    queues.delete_queue(QueueUrl=url)


def _delete_secret(hub: Hub, name: str) -> None:
    secrets = hub.client("secretsmanager")
    secret_id = f"{APP}/{hub.stage}/{name}"
    secrets.delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True)


VERB = Verb(
    "destroy",
    run,
    about=f"{__doc__} The stack with the table, the secrets and the seal key stays, so that a later deploy goes on with all cases.",
    params=[
        flag(
            "--also-data",
            f"Also delete that stack, and the table with all cases, both secrets, the dead letters and the API’s log at once, the seal key in {WINDOW_DAYS} days.",
        ),
        flag(
            "--leave-cases",
            "Go ahead although cases are open: nobody finishes or undoes what has begun.",
        ),
        *place(),
    ],
)
