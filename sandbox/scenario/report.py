"""What came of a play, as one JSON object. Looks at everything and changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.aws.calls import READS, USES, Call
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.expectation import unmet
from sandbox.scenario.model import Scenario, moment
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

Json = dict[str, Any]
CHANGING_SERVICES = ("kms", "cloudhsm")
CASE_FIELDS = (
    "id", "account", "region", "cluster_id", "phase", "outcome", "reason", "remedy", "attempts",
    "plan_hash", "approvals", "trigger", "round", "tampered",
)  # fmt: skip


@dataclass
class Record:
    """What the player notes while it plays."""

    started_at: datetime
    began: float = field(default_factory=time.monotonic)
    responses: list[Json] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def is_mutation(call: Call) -> bool:
    """A call of the bot that changes KMS or CloudHSM, or would."""
    reads = call.operation.startswith(READS) or call.operation in USES
    return _is_bots(call) and call.service in CHANGING_SERVICES and not reads


def report(
    scenario: Scenario, sandbox: ScenarioSandbox, cases: StoredCases, *, record: Record
) -> Json:
    """The whole object; the expectations are held against it here."""
    mine = [call for call in sandbox.aws.calls if _is_bots(call)]
    reads = Counter(f"{c.service}:{c.operation}" for c in mine if not is_mutation(c))
    told: Json = {
        "scenario": scenario.title,
        "wall_seconds": round(time.monotonic() - record.began, 3),
        "started_at": moment(record.started_at),
        "ended_at": moment(sandbox.clock.now()),
        "expect": {},
        "cases": [{name: case[name] for name in CASE_FIELDS} for case in cases.cases()],
        "calls": [_call(call) for call in mine if is_mutation(call)],
        "reads": dict(sorted(reads.items())),
        "slack": _slack(sandbox, record),
        "runs": sandbox.runs(),
        "log": cases.log(),
        "log_verified": cases.log_verified(),
        "world": _world(scenario, sandbox),
        "alarms": sandbox.alarms(),
    }
    failures = [*record.failures, *unmet(scenario.expect, told)]
    return {**told, "expect": {"passed": not failures, "failures": failures}}


def broken(scenario: Scenario, reason: str, *, record: Record) -> Json:
    """The object if the sandbox itself broke and nothing more can be told."""
    now = moment(record.started_at)
    return {
        "scenario": scenario.title,
        "wall_seconds": round(time.monotonic() - record.began, 3),
        "started_at": now,
        "ended_at": now,
        "expect": {"passed": False, "failures": [*record.failures, reason]},
        "cases": [],
        "calls": [],
        "reads": {},
        "slack": {"messages": [], "ephemerals": [], "responses": record.responses},
        "runs": [],
        "log": [],
        "log_verified": False,
        "world": {
            "clusters": [],
            "key_stores": [],
            "keys": [],
            "other_keys": 0,
            "material_left": [],
        },
        "alarms": [],
    }


def _is_bots(call: Call) -> bool:
    return call.by_bot and not call.by_deployment


def _call(call: Call) -> Json:
    return {
        "at": moment(call.at),
        "service": call.service,
        "operation": call.operation,
        "params": call.params,
        "error": call.error,
        "role": call.role,
        "source_identity": call.source_identity,
        "landed": call.landed,
    }


def _world(scenario: Scenario, sandbox: ScenarioSandbox) -> Json:
    """As it is now: the scenario's clusters in its order, then those that were made since."""
    world = sandbox.world()
    there = {cluster["id"]: cluster for cluster in world["clusters"]}
    gone: Json = {"state": "DELETED", "hsms": 0, "from_backup": None}
    first = [there.pop(name, {"id": name, **gone}) for name in scenario.home_of_cluster]
    return {**world, "clusters": [*first, *there.values()]}


def _slack(sandbox: ScenarioSandbox, record: Record) -> Json:
    return {
        "messages": [
            {
                "channel": message.channel,
                "ts": message.ts,
                "thread_ts": message.thread_ts,
                "text": message.text,
                "blocks": message.blocks,
                "updates": message.updates,
                "mentions": list(message.mentions),
            }
            for message in sandbox.slack.messages
        ],
        "ephemerals": [{"user": e.user, "text": e.text} for e in sandbox.slack.ephemerals],
        "responses": record.responses,
        "homes": {user: view.blocks for user, view in sandbox.slack.homes.items()},
    }
