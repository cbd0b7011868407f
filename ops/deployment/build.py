"""Builds what is deployed: one package that is the same wherever it is built, and what is in it. Calls no AWS."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chalicelib
from ops.command_context import CommandContext
from ops.deployment import bytecode, lock
from ops.deployment.sbom import sbom
from ops.deployment.settings import chalice_config
from ops.errors import OperatorError

CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
CODE, BILL, SUMS = "deployment.zip", "sbom.cdx.json", "SHA256SUMS"
LAST_LINES = 15
MOMENT = (1980, 1, 1, 0, 0, 0)
"""The only one that a ZIP file can’t be older than."""
FILE_MODE = 0o100644 << 16


@dataclass(frozen=True)
class Built:
    """`folder` is Chalice’s project; `package` the ZIP file that all functions run."""

    folder: Path
    package: Path
    template: dict[str, Any]
    sbom: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 in hex, as `sha256sum` says it."""
        return hashlib.sha256(self.package.read_bytes()).hexdigest()

    def describe(self, folder: Path) -> None:
        """Writes what is in the package, and its digest as `sha256sum --check` takes it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BILL).write_text(json.dumps(self.sbom, indent=1))
        (folder / SUMS).write_text(f"{self.digest}  {CODE}\n")

    @property
    def code_sha256(self) -> str:
        """The same as Lambda says it."""
        return base64.b64encode(bytes.fromhex(self.digest)).decode()


def build(
    context: CommandContext,
    stage: str,
    *,
    region: str,
    environment: Mapping[str, str],
    merge: Path | None = None,
) -> Built:
    """Raises OperatorError if the lock does not hold. `merge` is a template to add to Chalice’s."""
    folder = project_folder(context, stage, environment=environment)
    installed = lock.install(
        context.project / "requirements.txt", folder / "vendor", say=context.say
    )
    shutil.rmtree(folder / ".chalice/deployments", ignore_errors=True)
    words = ["package", "--stage", stage, *(["--merge-template", str(merge)] if merge else [])]
    run_chalice([*words, "out"], folder, {"AWS_DEFAULT_REGION": region}, say=lambda _: None)
    (package,) = (folder / ".chalice/deployments").glob("*.zip")
    make_reproducible(package)
    template = json.loads((folder / "out/sam.json").read_text())
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return Built(folder, package, template, sbom(installed, digest=digest))


def project_folder(context: CommandContext, stage: str, *, environment: Mapping[str, str]) -> Path:
    """A copy of what Chalice needs, so that the checkout stays as it is; installed wheels stay."""
    folder = context.workshop / f"chalice-{stage}"
    code = folder / "chalicelib"
    shutil.rmtree(code, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    ours = context.project / "chalicelib"
    source = ours if ours.exists() else Path(chalicelib.__path__[0])
    shutil.copytree(source, code, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(context.project / "app.py", folder)
    (folder / "requirements.txt").write_text("")  # what it would install is in vendor, checked
    ignored = shutil.ignore_patterns("deployed", "deployments", "venv")
    shutil.copytree(
        context.project / ".chalice", folder / ".chalice", ignore=ignored, dirs_exist_ok=True
    )
    set_environment(folder, stage, environment)
    return folder


def set_environment(folder: Path, stage: str, environment: Mapping[str, str]) -> None:
    """What the functions of this copy will be told."""
    config = chalice_config(folder, stage)
    config["stages"][stage]["environment_variables"] = dict(environment)
    (folder / ".chalice/config.json").write_text(json.dumps(config, indent=2))


def run_chalice(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], *, say: Callable[[str], None]
) -> None:
    """Chalice’s own output, line by line. Raises OperatorError with its last words."""
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", CHALICE, *words],
        cwd=folder,
        env={**os.environ, **environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None, "it is piped"
        for line in process.stdout:
            lines.append(line.rstrip())
            say(lines[-1])
    if process.returncode:
        raise OperatorError(
            f"chalice {words[0]} failed:\n" + "\n".join(lines[-LAST_LINES:]),
            "Fix the cause and run this command again: it goes on where this one broke off",
        )


def make_reproducible(package: Path) -> None:
    """The same files in the same order at the same time: the same bytes, and so the same digest.

    Chalice loads the app to see what it deploys, which may leave bytecode there that names its folder;
    bytecode that depends on nothing but the code takes its place.
    """
    made = package.with_suffix(".tmp")
    with (
        zipfile.ZipFile(package) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        names = [name for name in old.namelist() if f"{bytecode.FOLDER}/" not in name]
        files = {name: old.read(name) for name in names}
        files |= dict(filter(None, map(bytecode.compiled, names, files.values())))
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, FILE_MODE
            new.writestr(entry, content)
    made.replace(package)
