"""Events reach the functions that deployed rules name, and no others."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.aws.delivery import ALL_CLOUDTRAIL, Delivery
from tests.sandbox.aws.runtime_stand import HUB, REGION, SPOKE, START, Ground, anything, ground

FUNCTION = f"arn:aws:lambda:{REGION}:{HUB}:function:bot"
QUEUE = f"arn:aws:sqs:{REGION}:{HUB}:dead"
BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/default"
PATTERN = {"source": ["aws.cloudhsm"], "detail": {"errorCode": ["InUse"]}}
MINUTE = timedelta(minutes=1)


def event(account: str = HUB, region: str = REGION, **detail: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "source": "aws.cloudhsm",
        "detail-type": "AWS API Call via CloudTrail",
        "account": account,
        "region": region,
        "time": "2026-03-02T09:00:00Z",
        "detail": {"errorCode": "InUse", **detail},
    }


class Post:
    """A hub with one function, a rule for it and a queue for dead letters."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        functions: Any = ground.functions
        self.delivery = Delivery(
            ground.clock, ground.work, functions, hub=HUB, region=REGION, may=anything
        )
        self.delivery.install()
        self.fail = 0
        ground.functions.handlers["bot"] = self.handle
        roles = ground.client("iam")
        role = roles.create_role(RoleName="bot", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.lambdas = ground.client("lambda")
        self.lambdas.create_function(
            FunctionName="bot",
            Runtime="python3.11",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": _empty_zip()},
        )
        self.queue = ground.client("sqs").create_queue(QueueName="dead")["QueueUrl"]

    def handle(self, event: Any) -> dict[str, Any]:
        if self.fail:
            self.fail -= 1
            raise ValueError("not now")
        return {"heard": event}

    def rule(
        self,
        target: str = FUNCTION,
        *,
        account: str = HUB,
        region: str = REGION,
        name: str = "r",
        **rule: Any,
    ) -> None:
        events = self.ground.client("events", account=account, region=region)
        rule.setdefault("EventPattern", json.dumps(PATTERN))
        events.put_rule(Name=name, **rule)
        events.put_targets(
            Rule=name, Targets=[{"Id": "1", "Arn": target, "DeadLetterConfig": {"Arn": QUEUE}}]
        )

    def schedule(self, expression: str, **rule: Any) -> None:
        events = self.ground.client("events")
        name = "bot-dev-sweep-event"
        events.put_rule(Name=name, ScheduleExpression=expression, **rule)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": FUNCTION}])
        self.delivery.start_schedules()

    def publish(self, *args: Any, **kwargs: Any) -> None:
        self.delivery.publish(event(*args, **kwargs))
        self.ground.settle()

    @property
    def heard(self) -> list[Any]:
        return [payload for _, _, payload in self.ground.functions.seen]

    def dead_letters(self) -> list[Any]:
        sqs = self.ground.client("sqs")
        found = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def _empty_zip() -> bytes:
    return b"PK\x05\x06" + bytes(18)


@pytest.fixture
def post() -> Iterator[Post]:
    with ground() as here:
        made = Post(here)
        yield made
        made.delivery.close()


def test_an_event_reaches_the_function_of_a_matching_rule_as_it_is(post: Post) -> None:
    post.rule()
    post.publish()
    assert post.heard == [event()]


def test_an_event_that_no_rule_matches_reaches_nobody(post: Post) -> None:
    post.rule()
    post.publish(errorCode="Other")
    assert post.heard == []


def test_a_disabled_rule_is_deaf(post: Post) -> None:
    post.rule(State="DISABLED")
    post.publish()
    assert post.heard == []


def test_read_only_calls_reach_only_rules_that_ask_for_them(post: Post) -> None:
    post.rule(name="plain")
    post.publish(readOnly=True)
    assert post.heard == []
    post.rule(name="all", State=ALL_CLOUDTRAIL)
    post.publish(readOnly=True)
    assert len(post.heard) == 1


def test_another_accounts_event_comes_only_by_its_forwarding_rule(post: Post) -> None:
    post.rule()
    post.publish(account=SPOKE)
    assert post.heard == []
    post.rule(BUS, account=SPOKE, name="forward")
    post.publish(account=SPOKE)
    assert post.heard == [event(account=SPOKE)]


def test_another_regions_event_comes_only_by_its_forwarding_rule(post: Post) -> None:
    post.rule()
    post.rule(BUS, region="eu-west-1", name="forward")
    post.publish(region="eu-west-1")
    assert post.heard == [event(region="eu-west-1")]


def test_put_events_takes_the_same_way(post: Post) -> None:
    post.rule()
    post.ground.client("events").put_events(
        Entries=[{"Source": "aws.cloudhsm", "DetailType": "x", "Detail": '{"errorCode": "InUse"}'}]
    )
    post.ground.settle()
    assert [(e["account"], e["time"]) for e in post.heard] == [(HUB, "2026-03-02T09:00:00Z")]


def test_a_lost_event_is_one_that_a_rule_asked_for(post: Post) -> None:
    post.rule()
    post.delivery.lose_next_event()
    post.publish(errorCode="Other")
    post.publish()
    assert post.heard == []
    post.publish()
    assert len(post.heard) == 1


def test_redelivery_repeats_the_last_event_that_matched(post: Post) -> None:
    post.rule()
    post.publish()
    post.publish(errorCode="Other")
    post.delivery.redeliver(3)
    post.ground.settle()
    assert post.heard == [event()] * 4


def test_nothing_to_redeliver_is_an_error(post: Post) -> None:
    with pytest.raises(LookupError, match="no event"):
        post.delivery.redeliver(1)


def test_a_raw_event_goes_to_the_hubs_bus_whatever_it_says(post: Post) -> None:
    post.rule()
    odd = event(account="999999999999", region="mars-1")
    post.delivery.put_event(odd)
    post.ground.settle()
    assert post.heard == [odd]


def test_failures_are_tried_again_after_one_and_two_minutes(post: Post) -> None:
    post.rule()
    post.fail = 2
    post.publish()
    post.ground.advance(timedelta(hours=1))
    assert post.ground.functions.times("bot") == [0 * MINUTE, MINUTE, 3 * MINUTE]
    assert post.dead_letters() == []


def test_after_three_tries_the_event_goes_to_the_on_failure_destination(post: Post) -> None:
    post.rule()
    post.lambdas.put_function_event_invoke_config(
        FunctionName="bot", DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    post.fail = 99
    post.publish()
    post.ground.advance(timedelta(hours=1))
    (letter,) = post.dead_letters()
    assert letter["requestPayload"] == event()
    assert letter["requestContext"]["condition"] == "RetriesExhausted"
    assert letter["responsePayload"]["errorMessage"] == "not now"
    assert len(post.heard) == 3


def test_the_deployed_number_of_retries_holds(post: Post) -> None:
    post.rule()
    post.lambdas.put_function_event_invoke_config(FunctionName="bot", MaximumRetryAttempts=0)
    post.fail = 99
    post.publish()
    post.ground.advance(timedelta(hours=1))
    assert len(post.heard) == 1


def test_a_target_that_is_not_there_leaves_the_event_in_the_targets_queue(post: Post) -> None:
    post.rule(FUNCTION.replace("bot", "gone"))
    post.publish()
    assert post.dead_letters() == [event()]


def test_a_schedule_fires_first_after_its_interval(post: Post) -> None:
    post.schedule("rate(1 hour)")
    post.ground.advance(timedelta(hours=3))
    hours = [t / timedelta(hours=1) for t in post.ground.functions.times("bot")]
    assert hours == [1, 2, 3]
    assert post.heard[0]["detail-type"] == "Scheduled Event"
    assert post.heard[0]["time"] == "2026-03-02T10:00:00Z"


def test_a_schedule_can_fire_by_hand(post: Post) -> None:
    post.schedule("rate(1 hour)")
    post.delivery.fire_schedule("sweep")
    post.ground.settle()
    assert post.ground.functions.times("bot") == [0 * MINUTE]
    with pytest.raises(LookupError):
        post.delivery.fire_schedule("nothing")


def test_a_schedule_that_is_not_played_is_refused_rather_than_forgotten(post: Post) -> None:
    with pytest.raises(ValueError, match="does not play 'L'"):
        post.schedule("cron(0 9 L * ? *)")


def test_invoke_runs_the_function_and_tells_its_error(post: Post) -> None:
    done = post.lambdas.invoke(FunctionName="bot", Payload=b'{"x": 1}')
    assert json.load(done["Payload"]) == {"heard": {"x": 1}}
    post.fail = 1
    done = post.lambdas.invoke(FunctionName="bot", Payload=b"{}")
    assert done["FunctionError"] == "Unhandled"
    assert json.load(done["Payload"])["errorMessage"] == "not now"


def test_an_event_invocation_returns_at_once_and_is_retried(post: Post) -> None:
    post.fail = 1
    done = post.lambdas.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b"{}")
    assert done["StatusCode"] == 202
    post.ground.advance(timedelta(hours=1))
    assert post.ground.functions.times("bot") == [0 * MINUTE, MINUTE]
    assert post.ground.clock.now() == START + timedelta(hours=1)
