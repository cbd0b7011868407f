"""The deployment package as `chalice package` makes it, and its import, beside those of a bare Chalice app with boto3."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import inputs
from bench.fresh import ROOT, Program, run
from bench.interleaved import ratio, rounds
from bench.row import Row
from ops.deployment.build import make_reproducible

SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt")
BARE = ROOT / "bench" / "programs" / "bare_app.py"
MEGABYTE = 1_000_000
LISTED = 12
APP, ALL, LEAST = "app.py", "every module", "bare app"


def rows(*, count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        ours = packaged(ours_in(Path(folder) / "ours"))
        bare = packaged(bare_in(Path(folder) / "bare"))
        return [_size(ours, bare), *_imports(count), _bytecode(ours, count=count)]


def _size(ours: Path, bare: Path) -> Row:
    mine, theirs = ours.stat().st_size, bare.stat().st_size
    return Row(
        "Deployment package",
        "that of a bare Chalice app with boto3",
        mine / theirs,
        1.15,
        how=(
            f"{mine / MEGABYTE:.2f} MB against {theirs / MEGABYTE:.2f} MB; packed, in MB:\n\n"
            f"{listed(ours, bare)}"
        ),
        limit="Beyond botocore: see the table below.",
    )


def _imports(count: int) -> list[Row]:
    def imported(name: str) -> float:
        program = Program(
            f"bench.programs.import_{name}", str, inputs.settings("http://127.0.0.1:9")
        )
        return run(program).cpu_seconds

    names = {ALL: "ours", LEAST: "bare", APP: "app"}
    samples = rounds({what: partial(imported, name) for what, name in names.items()}, count=count)
    said = {what: f"{median(values) * 1_000:.0f} ms" for what, values in samples.items()}
    return [
        Row(
            "Cold import of every module, CPU time",
            "that of a bare Chalice app with boto3",
            ratio(samples, ALL, LEAST),
            1.35,
            how=(
                f"{said[ALL]} against {said[LEAST]}, the interpreter’s start in both. No function loads all: "
                f"`app.py` alone takes {said[APP]}, and each function what it uses "
                "([what loads when](decisions/what-loads-when.md))."
            ),
            limit=(
                "Beside botocore it loads slack_sdk, cattrs, the logger and all of Unlatch’s own modules. No "
                "function does: what each loads is in decisions/what-loads-when.md."
            ),
            samples=samples,
        )
    ]


def _bytecode(package: Path, *, count: int) -> Row:
    """What `unlatch deploy` adds to Chalice's package, which is left as it is."""
    added = shutil.copy(package, package.with_name("compiled.zip"))
    make_reproducible(Path(added))
    folders = {archive: Path(archive).with_suffix("") for archive in (package, added)}
    for archive, folder in folders.items():
        shutil.unpack_archive(archive, folder)

    def imported(folder: Path) -> float:
        settings = {**inputs.settings("http://127.0.0.1:9"), "PACKAGE": str(folder)}
        return run(Program("bench.programs.import_package", str, settings)).cpu_seconds

    calls = {folder.name: partial(imported, folder) for folder in folders.values()}
    plain, compiled = calls
    samples = rounds(calls, count=count)
    grown = (Path(added).stat().st_size - package.stat().st_size) / MEGABYTE
    return Row(
        "Cold import of every module with the bytecode in the package, CPU time",
        "without it, as plain `chalice deploy` leaves it",
        ratio(samples, compiled, plain),
        0.75,
        how=(
            f"{median(samples[compiled]) * 1_000:.0f} ms against {median(samples[plain]) * 1_000:.0f} ms, "
            "the interpreter’s start in both. Lambda can’t write beside the code, so that each cold "
            f"function would compile what it loads. The package grows by {grown:.1f} MB."
        ),
        samples=samples,
    )


def ours_in(folder: Path) -> Path:
    """A copy, so that this checkout stays as it is."""
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    return folder


def bare_in(folder: Path) -> Path:
    (folder / ".chalice").mkdir(parents=True)
    shutil.copy(BARE, folder / "app.py")
    (folder / "requirements.txt").write_text(f"boto3=={version('boto3')}\n")
    (folder / ".chalice" / "config.json").write_text(
        '{"version": "2.0", "app_name": "bare", "stages": {"dev": {}}}'
    )
    return folder


def packaged(app: Path) -> Path:
    """The archive that would be deployed."""
    chalice = Path(sys.executable).with_name("chalice")
    made = subprocess.run(  # noqa: S603  # the deployer itself
        [chalice, "package", "--stage", "dev", "out"],
        cwd=app,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"chalice package failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")
    return app / "out" / "deployment.zip"


def listed(ours: Path, bare: Path) -> str:
    """The largest parts, beside the bare app's; what a wheel says about itself counts to its metadata."""
    mine, theirs = parts(ours), parts(bare)
    lines = ["| part | Unlatch | bare |", "|---|--:|--:|"]
    for name, size in mine.most_common(LISTED):
        lines.append(f"| {name} | {size / MEGABYTE:.2f} | {theirs[name] / MEGABYTE:.2f} |")
    named = [name for name, _ in mine.most_common(LISTED)]
    left, other = (
        sum(size for name, size in some.items() if name not in named) / MEGABYTE
        for some in (mine, theirs)
    )
    return "\n".join([*lines, f"| everything else | {left:.2f} | {other:.2f} |"])


def parts(archive: Path) -> Counter[str]:
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as held:
        for item in held.infolist():
            top = item.filename.split("/")[0]
            sizes[top if "." not in top or top == "app.py" else "metadata of packages"] += (
                item.compress_size
            )
    return sizes
