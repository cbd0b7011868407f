"""The entry points import with no environment at all, and bring up nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("boto3", "botocore", "slack_sdk", "aws_xray_sdk", "aws_lambda_powertools", "cattrs")


def test_app_imports_with_an_empty_environment() -> None:
    code = f"import sys, app; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", "made on first use only: docs/decisions/what-loads-when.md"
