"""What the stacks and Chalice made: functions, state machine, table, seal key, secrets, dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import config
from chalicelib.aws.errors import code_of
from chalicelib.config import BadSettingsError
from ops.checks.finding import Finding
from ops.hub import EVENT_FUNCTIONS, FUNCTIONS, Hub

DEPLOY = "unlatch deploy --stage {stage}"
OF_A_STAGE = re.compile(r"unlatch-[a-z0-9]+-case")
MISSING = frozenset({"ResourceNotFoundException", "NotFoundException", "StateMachineDoesNotExist"})


def functions(hub: Hub) -> Iterator[Finding]:
    """All of them, able to run, and those that take events with somewhere to put what failed."""
    aws, deploy = hub.client("lambda"), DEPLOY.format(stage=hub.stage)
    wrong = []
    for name in (hub.name, *(f"{hub.name}-{short}" for short in FUNCTIONS)):
        try:
            reply = aws.get_function_configuration(FunctionName=name)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            wrong.append(f"{name} is missing")
            continue
        if reply.get("State", "Active") not in ("Active", "Inactive"):
            wrong.append(
                f"{name} is {reply['State']}: {reply.get('StateReason', 'no reason given')}"
            )
    wrong += [f"{name} loses what it can’t handle" for name in _without_dead_letters(hub)]
    says = "; ".join(wrong) or "all are there"
    yield Finding("functions", not wrong, says, deploy if wrong else "")


def _without_dead_letters(hub: Hub) -> Iterator[str]:
    aws = hub.client("lambda")
    for short in EVENT_FUNCTIONS:
        name = f"{hub.name}-{short}"
        try:
            reply = aws.get_function_event_invoke_config(FunctionName=name)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            yield name
            continue
        failed = reply.get("DestinationConfig", {}).get("OnFailure", {})
        if failed.get("Destination") != hub.dead_letters_arn:
            yield name


def settings(hub: Hub) -> Iterator[Finding]:
    reply = hub.client("lambda").get_function_configuration(FunctionName=f"{hub.name}-turn")
    try:
        chosen = config.read(reply.get("Environment", {}).get("Variables", {}))
    except BadSettingsError as error:
        yield Finding("settings", False, str(error), DEPLOY.format(stage=hub.stage))
        return
    says = "can be read"
    if chosen.dry_run:
        says += "; dry_run is on, so nothing will be changed in AWS"
    yield Finding("settings", True, says)


def state_machine(hub: Hub) -> Iterator[Finding]:
    deploy, name = DEPLOY.format(stage=hub.stage), hub.by_name.settings.state_machine_name
    arn = hub.arn("states", f"stateMachine:{name}")
    try:
        reply = hub.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    except ClientError as error:
        if code_of(error) not in MISSING:
            raise
        yield Finding("state machine", False, f"{name} is missing", deploy)
        return
    wanted = (f"{hub.name}-turn", f"{hub.name}-sleep")
    right = reply.get("status", "ACTIVE") == "ACTIVE" and all(
        n in reply["definition"] for n in wanted
    )
    yield Finding(
        "state machine",
        right,
        f"{name} calls turn and sleep" if right else f"{name} is not as deployed",
        "" if right else deploy,
    )


def table(hub: Hub) -> Iterator[Finding]:
    name = hub.by_name.settings.table_name
    try:
        found = hub.client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if code_of(error) not in MISSING:
            raise
        deploy = DEPLOY.format(stage=hub.stage)
        yield Finding("table", False, f"{name} is missing", deploy)
        return
    right = found["TableStatus"] in ("ACTIVE", "UPDATING")
    yield Finding("table", right, f"{name} is {found['TableStatus']}")


def stages(hub: Hub) -> Iterator[Finding]:
    """The policies of a stage cover every stage of its account: two of them trust each other."""
    pages = hub.client("stepfunctions").get_paginator("list_state_machines").paginate()
    names = (machine["name"] for page in pages for machine in page["stateMachines"])
    others = sorted(n for n in names if OF_A_STAGE.fullmatch(n) and n != f"{hub.name}-case")
    told = ", ".join(name.removesuffix("-case") for name in others)
    says = f"{told} in the same account may act for this one" if told else "alone in its account"
    do = "Deploy each stage to an account of its own" if told else ""
    yield Finding("stages", True, says, do, warns=bool(told))


def brake(hub: Hub) -> Iterator[Finding]:
    frozen = hub.by_name.ports.brake.why()
    yield Finding(
        "brake",
        not frozen,
        f"all changes are frozen: {frozen}" if frozen else "nothing is frozen",
        f"unlatch thaw --stage {hub.stage}, once it is safe" if frozen else "",
    )


def seal_keys(hub: Hub) -> Iterator[Finding]:
    settings = hub.by_name.settings
    yield from _seal_key(hub, "inbox key", settings.inbox_key_id, f"alias/{hub.name}-inbox")
    yield from _seal_key(hub, "body key", settings.body_key_id, f"alias/{hub.name}-body")


def _seal_key(hub: Hub, name: str, used: str, alias: str) -> Iterator[Finding]:
    """The key that the functions use. Their policies let them use it while the alias points to it."""
    deploy = DEPLOY.format(stage=hub.stage)
    key, pointed = _key(hub, used), _key(hub, alias)
    if not key:
        yield Finding(name, False, f"{used} is missing", deploy)
        return
    spec, state = key.get("KeySpec", "?"), key["KeyState"]
    if spec != "HMAC_256" or key.get("KeyUsage") != "GENERATE_VERIFY_MAC":
        do = "The alias points to the wrong key: point it to the key of the stack"
        yield Finding(name, False, f"{spec}, {state}", do)
    elif state != "Enabled":
        do = f"aws kms enable-key --key-id {key['KeyId']} (cancel-key-deletion first, if it is pending)"
        yield Finding(name, False, f"{spec}, {state}", do)
    elif pointed.get("Arn") != key["Arn"]:
        do = f"Find out who moved it, then: aws kms update-alias --alias-name {alias} --target-key-id {key['KeyId']}"
        yield Finding(name, False, f"{alias} does not point to the key of the functions", do)
    elif used == alias:
        says = f"{spec}, {state}; found by its alias, which can be moved"
        yield Finding(name, True, says, f"{deploy} names it by its ARN", warns=True)
    else:
        yield Finding(name, True, f"{spec}, {state}")


def _key(hub: Hub, name: str) -> dict[str, Any]:
    """{} if there is none."""
    try:
        found: dict[str, Any] = hub.client("kms").describe_key(KeyId=name)["KeyMetadata"]
    except ClientError as error:
        if code_of(error) not in MISSING:
            raise
        return {}
    return found


def secrets(hub: Hub) -> Iterator[Finding]:
    """Whether they have a value; the value itself is not read here."""
    aws = hub.client("secretsmanager")
    names = hub.by_name.settings
    for short, secret in (
        ("slack-signing-secret", names.signing_secret_id),
        ("slack-bot-token", names.bot_token_secret_id),
    ):
        place = f"--region {hub.region} --secret-id {secret}"
        put = f"aws secretsmanager put-secret-value {place} --secret-string …"
        try:
            reply = aws.describe_secret(SecretId=secret)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            deploy = DEPLOY.format(stage=hub.stage)
            yield Finding(short, False, f"the secret {secret} is missing", deploy)
            continue
        has_value = bool(reply.get("VersionIdsToStages"))
        says = "has a value" if has_value else "has no value yet"
        yield Finding(short, has_value, says, "" if has_value else put)


def dead_letters(hub: Hub) -> Iterator[Finding]:
    queue = hub.client("sqs")
    url = queue.get_queue_url(QueueName=f"{hub.name}-dead-letters")["QueueUrl"]
    name = "ApproximateNumberOfMessages"
    found = queue.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    number = int(found[name])
    yield Finding(
        "dead letters",
        number == 0,
        "none" if not number else f"about {number} in the queue",
        "" if not number else f"Find out why in the logs, then unlatch replay --stage {hub.stage}",
    )
