"""What `unlatch doctor --live` tries: free, harmless, some minutes. Makes one call that must fail, and one message that it deletes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.config import READER_ROLE
from chalicelib.domain.state.caller import Caller
from chalicelib.failures import PermanentError
from chalicelib.slack.messages import blocks
from chalicelib.slack.replies import SlackError
from ops.checks import chat
from ops.checks.finding import Check, Finding, asked
from ops.command_context import CommandContext
from ops.deployment.found import rule_of
from ops.expected import EXPECTED
from ops.hub import EVENT_FUNCTIONS, Hub
from ops.probing import history, roundtrip, samples, seen
from ops.probing.report import Findings
from ops.target_access import accounts

INVALID = "CloudHsmInvalidRequestException"
PLAIN = "Unlatch’s doctor looks whether it can write here. This message deletes itself."


def of_stage(hub: Hub, context: CommandContext, found: Findings) -> Iterator[Finding]:
    """Everything, the slowest last. Fills `found` with what it says of the assumptions."""
    _of_operator(hub.caller, found)
    checks: tuple[tuple[str, Check], ...] = (
        ("pattern", patterns),
        ("reads", readers),
        ("world", partial(_world, found=found)),
        ("slack message", partial(message, found=found)),
        (roundtrip.NAME, partial(roundtrip.of_events, context=context, found=found)),
    )
    for name, check in checks:
        context.screen.passing(f"trying: {name}")
        yield from asked(name, check, hub)


def patterns(hub: Hub) -> Iterator[Finding]:
    """TestEventPattern: does each rule take the events that it is for?"""
    events = hub.client("events")
    for function in EVENT_FUNCTIONS:
        if function not in samples.BY_FUNCTION:
            continue
        pattern = events.describe_rule(Name=rule_of(hub, function))["EventPattern"]
        missed = [
            name
            for name, event in samples.of(hub, function)
            if not events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))[
                "Result"
            ]
        ]
        says = f"does not take {', '.join(missed)}" if missed else "takes the events that it is for"
        do = f"unlatch deploy --stage {hub.stage}" if missed else ""
        yield Finding(f"pattern {function}", not missed, says, do)


def readers(hub: Hub) -> Iterator[Finding]:
    """Each read of the bot, as its reader role, in each account and Region; a line an account."""
    regions = dict.fromkeys(region for _, region in hub.places)
    for account in dict.fromkeys(account for account, _ in hub.places):
        name, known = f"reads {account}", account if account != hub.account else ""
        try:
            denied = [one for region in regions for one in _denied(hub, account, region)]
        except EXPECTED as error:
            if not isinstance(error, PermanentError) and code_of(error) not in DENIED:
                raise
            says, do = "your role may not look as the reader", LET_IN
            yield Finding(name, None, says, do, account=known)
            continue
        says = f"the reader may not {', '.join(denied)}" if denied else "the reader may read all"
        yield Finding(name, not denied, says, AGAIN if denied else "", account=known)


LET_IN = "Set OperatorArn in the stack of infra/account.yaml, or rely on the sweep’s own look above"
AGAIN = "Deploy infra/account.yaml there again; an organisation’s policy may deny it"


def _denied(hub: Hub, account: str, region: str) -> Iterator[str]:
    client: Any = accounts(hub, assume=True).clients(
        READER_ROLE, account=account, region=region, session_name="unlatch-doctor"
    )
    for service, call, given in samples.READS:
        try:
            getattr(client(service), call)(**given(hub.clock()))
        except EXPECTED as error:
            if code_of(error) not in DENIED:
                raise
            yield f"{service}:{call} in {region}"


def _of_operator(caller: Caller, found: Findings) -> None:
    """How somebody looks who came in by Identity Center: the operator may be one."""
    role = caller.arn.split(":", 5)[-1].split("/")
    if len(role) < 2 or not role[1].startswith("AWSReservedSSO_"):
        found.not_tried("A-SSO-SESSION", "because you did not sign in by IAM Identity Center")
        return
    holds = "@" in role[-1]
    kind = "an e-mail address" if holds else "no e-mail address: name people in PEOPLE"
    found.judge("A-SSO-SESSION", holds=holds, says=f"the session’s name is {kind}")


def _world(hub: Hub, *, found: Findings) -> Iterator[Finding]:
    """What the hub’s own account shows of the assumptions, in each Region. Says only what it may not see."""
    regions = dict.fromkeys((hub.region, *hub.settings.regions))
    for region in regions:
        client = partial(hub.client, region=region)
        for what, judge in (
            ("errors", partial(_invalid, hub, region, found)),
            ("metrics", partial(seen.judge_dimensions, found, client)),
            ("keys", partial(seen.judge_tracking, found, client, now=hub.clock())),
            ("backups", partial(seen.judge_backups, found, client)),
            ("interfaces", partial(_interfaces, client, found)),
            ("quotas", partial(seen.judge_rate, found, client, share=hub.settings.quota_share)),
            ("history", partial(history.judge_material, found, client)),
            ("losses", partial(history.judge_losses, found, client)),
            ("uses", partial(history.judge_uses, found, client)),
            ("silence", partial(history.judge_silence, found, client)),
        ):
            yield from asked(f"{what} {region}", partial(_judged, judge=judge), hub)
    for name in ("A-KMS-INTERFACES", "A-LEFT-INTERFACES", "A-FREE-ADDRESSES"):
        found.not_tried(name, "because no cluster here has HSMs and a connected key store")
    yield Finding("world", True, f"looked at in {', '.join(regions)}")


def _judged(_: Hub, *, judge: Callable[[], None]) -> tuple[Finding, ...]:
    """What it saw is among the assumptions; that it could not look is a finding."""
    judge()
    return ()


def _invalid(hub: Hub, region: str, found: Findings) -> None:
    """A read with a value that the model forbids; the SDK would not send it by itself."""
    unchecked = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = hub.session.client("cloudhsmv2", region_name=region, config=unchecked)
    try:
        client.describe_backups(MaxResults=0)
    except ClientError as error:
        if not (code := code_of(error)) or code in DENIED:
            raise
        found.judge("A-INVALID-REQUEST", holds=code == INVALID, says=f"it says {code}")
    else:
        found.differs("A-INVALID-REQUEST", "it takes a MaxResults of 0, which its model forbids")


def _interfaces(client: seen.Client, found: Findings) -> None:
    stores = client("kms").describe_custom_key_stores()["CustomKeyStores"]
    connected = {s.get("CloudHsmClusterId") for s in stores if s["ConnectionState"] == "CONNECTED"}
    for one in seen.clusters(client):
        shown = seen.interfaces(client, one) if one.get("Hsms") else []
        seen.judge_own_interfaces(found, one.get("Hsms", []), shown)
        if shown and one["ClusterId"] in connected:
            seen.judge_interfaces_of_kms(found, one, shown)
            seen.judge_addresses(found, one, shown)


def message(hub: Hub, *, found: Findings) -> Iterator[Finding]:
    """One with the newer blocks; plain text if Slack does not take them."""
    slack, channel = chat.slack_of(hub), hub.settings.slack_channel
    try:
        posted = slack("chat.postMessage", channel=channel, text=PLAIN, blocks=_blocks())
        found.held("A-SLACK-BLOCKS", "Slack took a table, a plan and a task card")
    except SlackError as failed:
        if failed.code != "invalid_blocks":
            yield Finding("slack message", False, f"Slack says {failed.code}", chat.REINSTALL)
            return
        found.differs(
            "A-SLACK-BLOCKS", "Slack refused a table, a plan and a task card: invalid_blocks"
        )
        posted = slack("chat.postMessage", channel=channel, text=PLAIN)
    try:
        slack("chat.delete", channel=posted["channel"], ts=posted["ts"])
    except SlackError as failed:
        says = f"it was posted, and Slack would not let it be deleted: {failed.code}"
        yield Finding("slack message", False, says, "Delete it by hand in the channel")
        return
    yield Finding("slack message", True, "posted and deleted again")


def _blocks() -> list[dict[str, Any]]:
    row = [blocks.cell("one"), blocks.cell("two")]
    return [
        blocks.section(PLAIN),
        blocks.table("probe-table", ("first", "second"), [row]),
        blocks.plan("probe-plan", "A plan", [blocks.task(1, "A step", "pending")]),
    ]
