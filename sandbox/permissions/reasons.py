"""Rights that no scenario can show, each with who needs it instead. Add a scenario rather than a line here."""

from __future__ import annotations

from sandbox.permissions.rights import Key

LAMBDA = "Lambda writes the function’s log with it; the sandbox keeps logs itself."
TRACES = "X-Ray’s daemon beside the function sends traces with it; the sandbox has none."
LOG_SETUP = "Step Functions sets up its log with it, when the machine is made; moto does not."
OPERATORS = "`unlatch doctor` asks with it whether a step would be denied; a test shows it."
MACHINE_TRACES = "Step Functions traces runs with it; moto does not."
PROBE = "`unlatch doctor --live` needs it, and a scenario has no doctor; a test shows it."
OLD_RUNS = "Runs of earlier deployments call it, and no scenario has one; a test does."
BY_KEY = {
    Key("reader", "WhatTheOthersMay", "iam:SimulatePrincipalPolicy"): OPERATORS,
}
BY_ACTION = {
    "logs:CreateLogGroup": LAMBDA,
    "logs:CreateLogStream": LAMBDA,
    "logs:PutLogEvents": LAMBDA,
    "xray:PutTelemetryRecords": TRACES,
    "xray:PutTraceSegments": TRACES,
}


def reason(key: Key) -> str | None:
    """Why no scenario uses it, or None if one must."""
    if key.role in ("on_probe", "prober") and key.action not in BY_ACTION:
        return PROBE
    if key.role == "park" and key.action not in BY_ACTION:
        return OLD_RUNS
    if key.role == "case" and key.statement == "LogsAndTraces":
        return LOG_SETUP if key.action.startswith("logs:") else MACHINE_TRACES
    return BY_KEY.get(key) or BY_ACTION.get(key.action)
