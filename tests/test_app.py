"""The entry points import with no environment at all, and bring up nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOGS = """
import logging, app
from chalicelib import observability
observability.warn("once")
print(len(logging.getLogger("unlatch").handlers))
"""
METRICS = """
import json, os
from chalicelib import observability
observability.count("KeysUsedWhileGoing", 2)
observability.count("CasesOpened", 0)
observability.count("SecondsToClose", 90)
os._exit(9)
"""
ROOT = Path(__file__).parents[1]
HEAVY = ("boto3", "botocore", "slack_sdk", "aws_xray_sdk", "aws_lambda_powertools", "cattrs")


def test_app_imports_with_an_empty_environment() -> None:
    code = f"import sys, app; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "made on first use only: docs/decisions/what-loads-when.md"


def test_a_line_of_log_is_written_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGS],
        cwd=ROOT,
        env={"POWERTOOLS_SERVICE_NAME": "unlatch"},
        capture_output=True,
        text=True,
        check=True,
    )
    line, handlers = done.stdout.splitlines()
    assert '"message":"once"' in line
    assert handlers == "1"
    assert done.stderr == ""


def test_a_metric_is_written_before_its_function_dies() -> None:
    done = subprocess.run(
        [sys.executable, "-c", METRICS],
        cwd=ROOT,
        env={"POWERTOOLS_METRICS_NAMESPACE": "unlatch-dev"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    used, closed = map(json.loads, done.stdout.splitlines())
    assert (used["KeysUsedWhileGoing"], used["service"]) == ([2.0], "unlatch")
    (about,) = closed["_aws"]["CloudWatchMetrics"]
    assert about["Metrics"] == [{"Name": "SecondsToClose", "Unit": "Seconds"}]
