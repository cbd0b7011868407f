"""Whether the account has room for the concurrency that .chalice/config.json reserves. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.deployment.settings import chalice_config
from ops.errors import OperatorError
from ops.hub import Hub

LEFT = 100
"""AWS reserves nothing of these: they are for functions that have no concurrency of their own."""
CODE = "L-B99A9384"
"""“Concurrent executions” of Lambda, in Service Quotas."""
UNTOLD = frozenset({"AccessDeniedException", "AccessDenied"})


def check(hub: Hub, project: Path) -> None:
    """Raises OperatorError if there is no room. An operator who may not ask hears it from Lambda."""
    reserved = _reserved(project, hub.stage)
    aws = hub.client("lambda")
    try:
        limit = aws.get_account_settings()["AccountLimit"]
    except ClientError as error:
        if code_of(error) in UNTOLD:
            return
        raise
    most, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    more = sum(wanted - _has(aws, f"{hub.name}-{name}") for name, wanted in reserved.items())
    if free - more >= LEFT:
        return
    wanted = sum(reserved.values())
    raise OperatorError(
        f"Functions of account {hub.account} may run {most} times at once in {hub.region}, and {free} "
        f"of that are not reserved. Unlatch reserves {wanted} for functions that take traffic from "
        f"outside, and AWS wants {LEFT} left.",
        f"aws service-quotas request-service-quota-increase --region {hub.region} --service-code lambda "
        f"--quota-code {CODE} --desired-value 1000",
        f"Or take the reserved_concurrency lines of {hub.stage} out of .chalice/config.json",
    )


def _reserved(project: Path, stage: str) -> dict[str, int]:
    functions: dict[str, Any] = chalice_config(project, stage)["stages"][stage]["lambda_functions"]
    found = {name: int(each.get("reserved_concurrency", 0)) for name, each in functions.items()}
    return {name: number for name, number in found.items() if number}


def _has(aws: Any, function: str) -> int:
    """What is reserved for it already; the API's function has the name of the stage alone."""
    name = function.removesuffix("-api_handler")
    try:
        return int(
            aws.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions") or 0
        )
    except aws.exceptions.ResourceNotFoundException:
        return 0
