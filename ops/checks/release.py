"""Is what runs what was deployed, and does anybody hear if it stops? Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from chalicelib import __version__
from chalicelib.aws.errors import code_of
from ops.checks.finding import Finding
from ops.deployment import infra, record
from ops.hub import FUNCTIONS, Hub

TOPIC = "unlatch deploy --stage {stage} --parameter AlarmTopicArn=arn:…:sns:…"


def code(hub: Hub) -> Iterator[Finding]:
    """The functions’ code against the digest that `unlatch deploy` or the pipeline’s template noted down."""
    noted = record.read(hub)
    if noted is None:
        says = "no record of it: deployed by `chalice deploy` alone, or by an older version"
        yield Finding("code", None, says, f"unlatch deploy --stage {hub.stage}")
        return
    other = []
    for name in (hub.name, *(f"{hub.name}-{short}" for short in FUNCTIONS)):
        try:
            found = hub.client("lambda").get_function_configuration(FunctionName=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            continue  # which the check of the functions says
        if found["CodeSha256"] != noted.code_sha256:
            other.append(name)
    who = f"{noted.version}, deployed {noted.at} by {noted.by}"
    if other:
        says = f"{', '.join(other)} runs other code than {who}"
        do = "Find out who changed it (CloudTrail: UpdateFunctionCode), then unlatch deploy"
        yield Finding("code", False, says, do)
        return
    says = f"the functions run {who}"
    newer = "" if noted.version == __version__ else f"; this is {__version__}"
    yield Finding("code", True, f"{says}{newer}")


def alarms(hub: Hub) -> Iterator[Finding]:
    """A topic that somebody has subscribed to, and confirmed."""
    topic = infra.alarm_topic(hub)
    if not topic:
        do = TOPIC.format(stage=hub.stage)
        yield Finding("alarms", True, "nobody hears them: no SNS topic is named", do, warns=True)
        return
    pages = hub.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    arns = [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"]]
    heard = [arn for arn in arns if arn.startswith("arn:")]
    if heard:
        yield Finding("alarms", True, f"{topic} has {len(heard)} of its subscriptions confirmed")
        return
    says = f"nobody hears them: {topic} has no confirmed subscription"
    yield Finding("alarms", True, says, "aws sns subscribe …, and confirm it", warns=True)
