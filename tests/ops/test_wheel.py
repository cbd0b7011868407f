"""An installed wheel is the whole command: what it deploys lies within it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib import __version__
from ops.command_context import PROJECT

pytestmark = pytest.mark.slow  # pip builds it, with a build backend from the package index
SHIPPED = (
    *("app.py", "requirements.txt", ".chalice/config.json", ".chalice/policies/turn.json"),
    *("infra/resources.yaml", "infra/account.yaml", "infra/case.asl.json", "infra/example.env"),
)


def run(*words: str, folder: Path, **environ: str) -> str:
    environment = {**os.environ, **environ}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_built_installed_and_knows_where_its_files_are(tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "-w", str(tmp_path), str(PROJECT), folder=tmp_path)
    (wheel,) = tmp_path.glob(f"unlatch-{__version__}-*.whl")
    site = tmp_path / "site"
    run(*pip, "install", "--no-deps", "--target", str(site), str(wheel), folder=tmp_path)
    here = {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    said = run(sys.executable, "-m", "ops", "--version", folder=tmp_path, **here)
    assert __version__ in said
    asked = "from ops.command_context import PROJECT; print(PROJECT)"
    project = Path(run(sys.executable, "-c", asked, folder=tmp_path, **here).strip())
    assert project == site / "ops/project"
    assert [name for name in SHIPPED if not (project / name).exists()] == []
    assert (site / "bin/unlatch").exists()
