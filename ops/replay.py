"""`unlatch replay`: gives dead letters back to the functions that they were for. Deletes none that it did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.command_context import CommandContext
from ops.console import GREEN, RED, count
from ops.exits import Exit
from ops.hub import EVENT_FUNCTIONS, Hub, connect_to_stage
from ops.verb import Options, Verb, place

BATCH = 10
HIDDEN_SECONDS = 60


class UnreadableError(ValueError):
    """Why a letter can’t be given back."""


@dataclass(frozen=True)
class FailedInvocation:
    """What to invoke, with what; `about` tells it to people."""

    function: str
    payload: Any
    about: str


def run(options: Options, context: CommandContext) -> int:
    hub = connect_to_stage(options, context.clock)
    queue, functions, screen = hub.client("sqs"), hub.client("lambda"), context.screen
    url = queue.get_queue_url(QueueName=f"{hub.name}-dead-letters")["QueueUrl"]
    done: list[str] = []
    left: list[str] = []
    for message in _messages(queue, url):
        try:
            letter = read(message, hub)
            _invoke(functions, letter)
        except UnreadableError as reason:
            left.append(str(reason))
            screen.line(f"left in the queue: {reason}", colour=RED)
            continue
        queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done.append(f"{letter.function}: {letter.about}")
        screen.line(f"given back to {letter.function}: {letter.about}", colour=GREEN)
    screen.line(f"{count(len(done), 'letter')} given back, {len(left)} left.")
    screen.answer({"given_back": done, "left": left})
    return Exit.FOUND if left else Exit.DONE


def _messages(queue: Any, url: str) -> Iterator[Mapping[str, Any]]:
    """Every message once; one that comes a second time ends the search."""
    seen: set[str] = set()
    while True:
        found = queue.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        fresh = [message for message in found if message["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def read(message: Mapping[str, Any], hub: Hub) -> FailedInvocation:
    """A Lambda on-failure record, or an event that EventBridge could not deliver."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        raise UnreadableError("it is not JSON") from None
    if not isinstance(body, dict):
        raise UnreadableError("it is no record of Lambda’s and no event")
    asked = body.get("requestContext")
    if isinstance(asked, dict) and "requestPayload" in body:
        function = _ours(str(asked.get("functionArn", "")), hub)
        why = (body.get("responsePayload") or {}).get("errorMessage") or asked.get("condition")
        return FailedInvocation(
            function, body["requestPayload"], f"{_about(body['requestPayload'])} ({why})"
        )
    attributes = {
        n: a.get("StringValue", "") for n, a in message.get("MessageAttributes", {}).items()
    }
    target = attributes.get("TARGET_ARN")
    if target:
        function = _ours(target, hub)
    elif found := _function_for(body):
        function = f"{hub.name}-{found}"
    else:
        raise UnreadableError(f"nobody says which function it was for ({_about(body)})")
    why = attributes.get("ERROR_CODE") or "not delivered"
    return FailedInvocation(function, body, f"{_about(body)} ({why})")


def _function_for(event: Mapping[str, Any]) -> str:
    """Of an event that EventBridge gave up without saying for which target; "" if none takes it."""
    detail = event.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    match event.get("source"):
        case "aws.cloudhsm":
            return "on_delete_blocked" if detail.get("errorCode") else "on_cluster_lost"
        case "aws.kms":
            is_on_stores = str(detail.get("eventName")).endswith("CustomKeyStore")
            return "on_key_store_refused" if is_on_stores else "on_key_used"
        case "aws.events":
            return "sweep"
    return ""


def _ours(arn: str, hub: Hub) -> str:
    """The function’s name from its ARN; letters of any other function are not touched."""
    names = {f"{hub.name}-{name}" for name in EVENT_FUNCTIONS}
    start = hub.arn("lambda", "function:")
    name = arn.removeprefix(start).partition(":")[0]
    if not arn.startswith(start) or name not in names:
        raise UnreadableError(
            f"it is for {arn or 'nobody'}, which takes no events of stage {hub.stage}"
        )
    return name


def _invoke(functions: Any, letter: FailedInvocation) -> None:
    try:
        functions.invoke(
            FunctionName=letter.function,
            InvocationType="Event",
            Payload=json.dumps(letter.payload).encode(),
        )
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        raise UnreadableError(f"{letter.function} is not deployed") from error


def _about(event: Any) -> str:
    """What an event is, in a few words."""
    if not isinstance(event, dict):
        return "an event"
    detail = event.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    name = detail.get("eventName") or event.get("detail-type") or "an event"
    return f"{name} of {event.get('time', 'unknown time')}"


VERB = Verb(
    "replay",
    run,
    about=f"{__doc__} Every function takes an event twice without harm.",
    params=[*place()],
)
