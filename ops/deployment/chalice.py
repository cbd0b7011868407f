"""Runs `chalice deploy` and `chalice delete` in a build folder, so that the checkout stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ops.deployment.settings import chalice_config
from ops.hub import Hub
from ops.trouble import Trouble

CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
SHIPPED = ("app.py", "chalicelib", "requirements.txt", "vendor")
LAST_LINES = 15


def deploy(
    hub: Hub,
    project: Path,
    *,
    environment: Mapping[str, str],
    deployed: Mapping[str, Any],
    say: Callable[[str], None],
) -> str:
    """The URL of the API. `deployed` is what exists already; Chalice goes on from there."""
    folder = _prepare(hub, project, environment=environment, deployed=deployed)
    _run(hub, folder, verb="deploy", say=say)
    return _keep_record(hub, project, folder)


def delete(
    hub: Hub, project: Path, *, deployed: Mapping[str, Any], say: Callable[[str], None]
) -> None:
    folder = _prepare(hub, project, environment={}, deployed=deployed)
    _run(hub, folder, verb="delete", say=say)
    _record(project, hub).unlink(missing_ok=True)


def _prepare(
    hub: Hub, project: Path, *, environment: Mapping[str, str], deployed: Mapping[str, Any]
) -> Path:
    """A fresh copy of what is shipped. Chalice’s cache of packed requirements stays."""
    folder = project / "build" / f"chalice-{hub.stage}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        source, target = project / name, folder / name
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    ignored = shutil.ignore_patterns("deployed", "deployments", "venv")
    shutil.copytree(project / ".chalice", folder / ".chalice", ignore=ignored, dirs_exist_ok=True)
    chalice = chalice_config(project, hub.stage)
    chalice["stages"][hub.stage]["environment_variables"] = dict(environment)
    (folder / ".chalice/config.json").write_text(json.dumps(chalice, indent=2))
    record = _record(folder, hub)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(deployed))
    return folder


def _run(hub: Hub, folder: Path, *, verb: str, say: Callable[[str], None]) -> None:
    """Chalice’s own output, line by line. Raises Trouble with its last words."""
    environ = {**os.environ, "AWS_DEFAULT_REGION": hub.region, "PYTHONUNBUFFERED": "1"}
    if hub.session.profile_name != "default":
        environ["AWS_PROFILE"] = hub.session.profile_name
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", CHALICE, verb, "--stage", hub.stage],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None, "it is piped"
        for line in process.stdout:
            lines.append(line.rstrip())
            say(lines[-1])
    if process.returncode:
        raise Trouble(
            f"chalice {verb} failed:\n" + "\n".join(lines[-LAST_LINES:]),
            "Mend the cause and run this command again: it goes on where this one broke off",
        )


def _keep_record(hub: Hub, project: Path, folder: Path) -> str:
    """Chalice’s record also goes beside the code, for `chalice url` and `chalice logs`."""
    text = _record(folder, hub).read_text()
    record = _record(project, hub)
    record.parent.mkdir(exist_ok=True)
    record.write_text(text)
    urls = [r["rest_api_url"] for r in json.loads(text)["resources"] if "rest_api_url" in r]
    return str(urls[0])


def _record(folder: Path, hub: Hub) -> Path:
    return folder / ".chalice/deployed" / f"{hub.stage}.json"
