"""EventBridge and Lambda's queue: brings events to the deployed functions, as the rules say.

Reads rules and targets from what was deployed; has none of its own.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends
from moto.events.models import EventsBackend, Rule, events_backends
from moto.events.utils import EventMessageType
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from sandbox.aws.iam.guard import May
from sandbox.aws.iam.policy import Ask
from sandbox.aws.patches import Patches
from sandbox.aws.schedules import next_due
from sandbox.clock import Clock, Work
from sandbox.functions import Functions, Invocation

Event = dict[str, Any]
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=2))
ALL_CLOUDTRAIL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@dataclass(frozen=True)
class AsyncInvocation:
    """One asynchronous invocation; `dead_letters` is the ARN of the target's own queue."""

    function: str
    payload: Any
    dead_letters: str | None = None


class Delivery:
    """Delivers to the functions of the hub. Nothing that it starts escapes `work`."""

    def __init__(
        self, clock: Clock, work: Work, functions: Functions, *, hub: str, region: str, may: May
    ) -> None:
        self._clock = clock
        self._may = may
        self._work = work
        self._functions = functions
        self._hub = hub
        self._region = region
        self._seams = Patches()
        self._lock = threading.Lock()
        self._last: list[AsyncInvocation] = []
        self._to_lose = 0

    def install(self) -> None:
        """Take PutEvents and Lambda's Invoke over from moto; `close` gives them back."""
        self._seams.method(Rule, "send_to_targets", self._offer_to_rule)
        self._seams.wrap(EventsBackend, "put_events", self._timed)
        self._seams.method(LambdaSimpleBackend, "invoke", self._invoked)

    def close(self) -> None:
        self._seams.close()

    # Events

    def publish(self, event: Event) -> None:
        """An AWS service's event, on the default bus of the account and Region that it names."""
        self._offer(_rules(event["account"], event["region"]), event)

    def put_event(self, event: Event) -> None:
        """Any event, as it is, on the hub's bus."""
        self._offer(_rules(self._hub, self._region), event)

    def lose_next_event(self) -> None:
        """The next event that a rule asks for reaches nobody."""
        with self._lock:
            self._to_lose += 1

    def redeliver(self, times: int) -> None:
        """EventBridge delivers at least once: the last event that a rule asked for, again."""
        with self._lock:
            last = self._last
        if not last:
            raise LookupError("no event has matched a rule yet, so there is none to redeliver")
        for _ in range(times):
            self._send(last)

    def invoke_async(self, letter: AsyncInvocation) -> None:
        """Lambda's asynchronous invocation: two more tries, then whoever takes dead letters."""
        self._work.spawn(f"event for {letter.function}", partial(self._attempt, letter, 1))

    # Schedules

    def start_schedules(self) -> None:
        """Each deployed rate(...) fires for the first time after its interval, cron(...) at its time."""
        for rule in self._scheduled():
            self._schedule(rule)

    def fire_schedule(self, name: str) -> None:
        """Fire now what runs the Chalice function of this name on a schedule."""
        rules = self._scheduled_as(name)
        if not rules:
            raise LookupError(f"no schedule is deployed for {name}")
        for rule in rules:
            self._fire(rule)

    def has_schedule(self, name: str) -> bool:
        return bool(self._scheduled_as(name))

    def _scheduled_as(self, name: str) -> list[Rule]:
        return [r for r in self._scheduled() if r.name == name or f"-{name}-event" in r.name]

    def _scheduled(self) -> list[Rule]:
        rules = _rules(self._hub, self._region)
        return [r for r in rules if r.scheduled_expression and r.state != "DISABLED"]

    def _schedule(self, rule: Rule) -> None:
        """Fire it after its interval, and again by the interval that it has then."""

        def due() -> None:
            for now in [one for one in self._scheduled() if one.name == rule.name]:
                self._schedule(now)
                self._fire(now)

        due_at = next_due(str(rule.scheduled_expression), self._clock.now())
        self._clock.call_at(due_at, due, name=f"schedule {rule.name}")

    def _fire(self, rule: Rule) -> None:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.account_id,
            "time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": rule.region_name,
            "resources": [rule.arn],
            "detail": {},
        }
        self._send([_letter(target, event) for target in rule.targets])

    # Within

    def _offer(self, rules: Sequence[Rule], event: Event) -> None:
        letters = list(_letters(rules, event, may=self._may))
        if not letters:
            return
        with self._lock:
            self._last = letters
            lost, self._to_lose = self._to_lose > 0, max(0, self._to_lose - 1)
        if not lost:
            self._send(letters)

    def _send(self, letters: Iterable[AsyncInvocation]) -> None:
        for letter in letters:
            self.invoke_async(letter)

    def _attempt(self, letter: AsyncInvocation, attempt: int) -> None:
        try:
            done = self._functions.invoke(letter.function, letter.payload)
        except LookupError as missing:
            _bury(letter.dead_letters, letter.payload, about=str(missing))
            return
        if done.error is None:
            return
        deployed = lambda_simple_backends[self._hub][self._region].get_function(done.function)
        configs = deployed.event_invoke_config
        config = dict(configs[-1].config) if configs else {}
        if attempt <= min(config.get("MaximumRetryAttempts", 2), len(RETRY_AFTER)):
            again = partial(self._attempt, letter, attempt + 1)
            label = f"event for {letter.function}, try {attempt + 1}"
            due = self._clock.now() + RETRY_AFTER[attempt - 1]
            self._clock.call_at(due, lambda: self._work.spawn(label, again), name=label)
            return
        destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        sends = Ask("sqs:SendMessage", str(destination), {})
        arn = deployed.function_arn
        if self._may("lambda.amazonaws.com", str(deployed.role), source=arn, ask=sends) is None:
            _bury(destination, self._failure(letter, done, attempt), about=done.error)

    def _failure(self, letter: AsyncInvocation, done: Invocation, attempts: int) -> dict[str, Any]:
        """The record that Lambda sends to an on-failure destination."""
        return {
            "version": "1.0",
            "timestamp": self._clock.now().isoformat(),
            "requestContext": {
                "requestId": done.request_id,
                "functionArn": f"{letter.function}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": letter.payload,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": json.loads(done.payload),
        }

    def _offer_to_rule(self, rule: Rule, event: Event, *_: Any) -> None:
        """PutEvents asks each rule of a bus in turn."""
        if isinstance(event.get("time"), int | float):
            now = self._clock.now().fromtimestamp(event["time"], tz=self._clock.now().tzinfo)
            event = {**event, "time": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        event = {name: value for name, value in event.items() if name != "ingestion-time"}
        self._offer([rule], event)

    def _timed(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def put_events(backend: EventsBackend, events: list[dict[str, Any]]) -> Any:
            now = self._clock.now().timestamp()
            return stock(backend, [{"Time": now, **event} for event in events])

        return put_events

    def _invoked(
        self,
        backend: LambdaSimpleBackend,
        name: str,
        qualifier: str | None,
        *request: Any,
    ) -> bytes:
        """Lambda's Invoke: `request` is the body, its headers and those of the response."""
        body, headers, response_headers = request
        function = backend.get_function(name, qualifier)
        payload = json.loads(body or b"null")
        if headers.get("X-Amz-Invocation-Type") == "Event":
            self.invoke_async(AsyncInvocation(function.function_arn, payload))
            return b""
        try:
            done = self._functions.invoke(function.function_arn, payload)
        except LookupError as missing:
            raise UnknownFunctionException(function.function_arn) from missing
        if done.error is not None:
            response_headers["x-amz-function-error"] = "Unhandled"
        return done.payload


def _rules(account: str, region: str, bus: str = "default") -> list[Rule]:
    return list(events_backends[account][region].event_buses[bus].rules.values())


def _letters(
    rules: Iterable[Rule], event: Event, seen: frozenset[str] = frozenset(), *, may: May
) -> Iterator[AsyncInvocation]:
    """What these rules, and those of the buses that they forward to, want delivered."""
    for rule in rules:
        if rule.scheduled_expression or not _wants(rule, event):
            continue
        for target in rule.targets:
            arn = parse_arn(target["Arn"])
            if arn.service == "lambda":
                yield _letter(target, event)
            elif arn.resource_type == "event-bus" and target["Arn"] not in seen:
                puts, role = Ask("events:PutEvents", target["Arn"], {}), target.get("RoleArn", "")
                if may("events.amazonaws.com", role, source=rule.arn, ask=puts) is None:
                    others = _rules(arn.account, arn.region, arn.resource_id)
                    yield from _letters(others, event, seen | {target["Arn"]}, may=may)


def _wants(rule: Rule, event: Event) -> bool:
    if rule.state == "DISABLED":
        return False
    # Read-only calls reach only the rules that ask for them by this state.
    read_only = event.get("detail", {}).get("readOnly") is True
    if read_only and rule.state != ALL_CLOUDTRAIL:
        return False
    return rule.event_pattern.matches_event(cast(EventMessageType, event))


def _letter(target: dict[str, Any], event: Event) -> AsyncInvocation:
    return AsyncInvocation(target["Arn"], event, target.get("DeadLetterConfig", {}).get("Arn"))


def _bury(queue: str | None, letter: Any, *, about: str) -> None:
    """Send a dead letter to this SQS queue; without one it is gone, as on AWS."""
    if queue is None:
        return
    arn = parse_arn(queue)
    if arn.service != "sqs":
        raise ValueError(f"the sandbox sends dead letters to SQS only, not to {queue} ({about})")
    sqs_backends[arn.account][arn.region].send_message(arn.resource_id, json.dumps(letter))
