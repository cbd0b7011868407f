"""The deployment package as `chalice package` makes it: its size, and what is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from bench.fresh import ROOT
from bench.row import Row

SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt")
MEGABYTE = 1_000_000
LISTED = 12


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        archive = packaged(Path(folder))
        size = archive.stat().st_size / MEGABYTE
        how = listed(archive)
    return [Row("Deployment package", "–", size, 20, unit="MB", how=how)]


def packaged(folder: Path) -> Path:
    """The archive, made from a copy, so that this checkout stays as it is."""
    app = folder / "app"
    app.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
            shutil.copytree(source, app / name, ignore=ignored)
        else:
            shutil.copy(source, app / name)
    chalice = Path(sys.executable).with_name("chalice")
    made = subprocess.run(  # noqa: S603  # the deployer itself
        [chalice, "package", "--stage", "dev", str(folder / "out")],
        cwd=app,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"chalice package failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")
    return folder / "out" / "deployment.zip"


def listed(archive: Path) -> str:
    """The largest parts, packed; what a wheel says about itself counts to the rest."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as held:
        for item in held.infolist():
            top = item.filename.split("/")[0]
            sizes[top if "." not in top or top == "app.py" else "metadata of packages"] += (
                item.compress_size
            )
    lines = ["| part | MB packed |", "|---|--:|"]
    lines += [f"| {name} | {size / MEGABYTE:.2f} |" for name, size in sizes.most_common(LISTED)]
    rest = sum(sizes.values()) - sum(size for _, size in sizes.most_common(LISTED))
    return "\n".join([*lines, f"| everything else | {rest / MEGABYTE:.2f} |"])
