"""Do failed deletes reach the bot? The trail behind EventBridge, the rules and their targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.checks.finding import Finding
from ops.checks.machinery import DEPLOY
from ops.deployment.finish import ALL_EVENTS
from ops.deployment.found import rule_of
from ops.hub import EVENT_FUNCTIONS, Hub

SOURCES = ("cloudhsm.amazonaws.com", "kms.amazonaws.com")
NEEDS_A_TRAIL = (
    "EventBridge hears of API calls only where a trail logs management events. Make one: "
    "aws cloudtrail create-trail --is-multi-region-trail …, then start-logging"
)


def trails(hub: Hub) -> Iterator[Finding]:
    """In each Region of the hub’s account; other accounts can’t be looked into from here."""
    for region in dict.fromkeys((hub.region, *hub.settings.regions)):
        yield _trail(hub, region)
    for account in hub.settings.accounts:
        says = "only that account’s own credentials can tell"
        do = "Check there: CloudTrail, Trails"
        yield Finding(f"trail {account}", None, says, do, account=account)


def _trail(hub: Hub, region: str) -> Finding:
    aws, name = hub.client("cloudtrail", region=region), f"trail {region}"
    reasons = []
    for trail in aws.describe_trails(includeShadowTrails=True)["trailList"]:
        # A shadow of another Region's trail is asked about where it lives.
        aws = hub.client("cloudtrail", region=trail.get("HomeRegion", region))
        if not aws.get_trail_status(Name=trail["TrailARN"]).get("IsLogging"):
            reasons.append(f"{trail['Name']} does not log")
            continue
        lacking = missing(aws.get_event_selectors(TrailName=trail["TrailARN"]))
        if not lacking:
            return Finding(name, True, f"{trail['Name']} logs what Unlatch needs")
        reasons.append(f"{trail['Name']} leaves out {lacking}")
    says = "; ".join(reasons) or "there is no trail"
    return Finding(name, False, says, NEEDS_A_TRAIL)


def missing(selectors: Mapping[str, Any]) -> str:
    """What a trail’s selectors leave out of what Unlatch must hear, in words; "" if nothing."""
    lacking = [
        f"{'reads' if read_only else 'writes'} of {source.partition('.')[0]}"
        for source, read_only in ((SOURCES[0], False), (SOURCES[1], False), (SOURCES[1], True))
        if not _is_logged(selectors, source, read_only=read_only)
    ]
    return ", ".join(lacking)


def _is_logged(selectors: Mapping[str, Any], source: str, *, read_only: bool) -> bool:
    advanced = selectors.get("AdvancedEventSelectors") or ()
    if advanced:
        record = {
            "eventCategory": "Management",
            "eventSource": source,
            "readOnly": str(read_only).lower(),
        }
        return any(_selects(one["FieldSelectors"], record) for one in advanced)
    wanted = ("All", "ReadOnly" if read_only else "WriteOnly")
    return any(
        one.get("IncludeManagementEvents", True)
        and one.get("ReadWriteType", "All") in wanted
        and source not in one.get("ExcludeManagementEventSources", ())
        for one in selectors.get("EventSelectors", ())
    )


def _selects(fields: Iterable[Mapping[str, Any]], record: Mapping[str, str]) -> bool:
    """Whether an advanced selector takes this record; fields that it does not name are free."""
    for field in fields:
        value = record.get(field["Field"])
        if value is None:
            return False
        tests = (
            ("Equals", lambda wanted, v=value: v in wanted),
            ("NotEquals", lambda wanted, v=value: v not in wanted),
            ("StartsWith", lambda wanted, v=value: v.startswith(tuple(wanted))),
            ("NotStartsWith", lambda wanted, v=value: not v.startswith(tuple(wanted))),
            ("EndsWith", lambda wanted, v=value: v.endswith(tuple(wanted))),
            ("NotEndsWith", lambda wanted, v=value: not v.endswith(tuple(wanted))),
        )
        if any(field.get(name) and not holds(field[name]) for name, holds in tests):
            return False
    return True


def rules(hub: Hub) -> Iterator[Finding]:
    for function in EVENT_FUNCTIONS:
        wrong = list(_wrong_with(hub, function))
        do = DEPLOY.format(stage=hub.stage) if wrong else ""
        says = "; ".join(wrong) or "on, with its target and dead letters"
        yield Finding(f"rule {function}", not wrong, says, do)


def _wrong_with(hub: Hub, function: str) -> Iterator[str]:
    events, rule_name = hub.client("events"), rule_of(hub, function)
    try:
        rule = events.describe_rule(Name=rule_name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        yield f"{rule_name} is missing"
        return
    if rule["State"] == "DISABLED":
        yield "it is disabled"
    elif function == "on_key_used" and rule["State"] != ALL_EVENTS:
        yield "it does not hear of read-only calls, such as Decrypt"
    target = hub.arn("lambda", f"function:{hub.name}-{function}")
    targets = events.list_targets_by_rule(Rule=rule_name)["Targets"]
    ours = next((t for t in targets if t["Arn"] == target), None)
    if ours is None:
        yield "it does not call the function"
    elif ours.get("DeadLetterConfig", {}).get("Arn") != hub.dead_letters_arn:
        yield "it loses what it can’t deliver"
