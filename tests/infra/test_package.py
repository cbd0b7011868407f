"""What `chalice package` writes is a template that CloudFormation would take, for people who deploy that way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.deployment.build import CHALICE
from tests.infra.linter import findings

PROJECT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_cfn_lint_takes_the_package(tmp_path: Path, stage: str) -> None:
    for name in (".chalice", "chalicelib"):
        ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    shutil.copy(PROJECT / "app.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("")  # what is packed does not change the template
    subprocess.run(
        [sys.executable, "-c", CHALICE, "package", "--stage", stage, "out"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
        capture_output=True,
    )
    assert findings((tmp_path / "out/sam.json").read_text()) == []
