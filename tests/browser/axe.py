"""axe-core: the script, from npm's registry the first time, and what it finds wrong with a page."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screen import Screen

AXE = "axe-core@4.14.1"
KEPT = Path(tempfile.gettempdir()) / "unlatch-axe"
MEMBER = "package/axe.min.js"


def script() -> str:
    """Skips the test if it can't be had."""
    kept = KEPT / f"{AXE}.min.js"
    if not kept.exists():
        if shutil.which("npm") is None:
            pytest.skip("needs npm to fetch axe-core")
        KEPT.mkdir(exist_ok=True)
        command = ["npm", "pack", AXE, "--silent", "--pack-destination", str(KEPT)]
        packed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=KEPT)
        if packed.returncode:
            pytest.skip(f"npm could not fetch {AXE}: {packed.stderr.strip()}")
        with tarfile.open(KEPT / packed.stdout.strip().splitlines()[-1]) as package:
            found = package.extractfile(MEMBER)
            assert found
            kept.write_bytes(found.read())
    return kept.read_text(encoding="utf-8")


def problems(screen: Screen, axe: str) -> list[str]:
    page = screen.page
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {json.dumps([node['html'][:160] for node in rule['nodes']])}"
        for rule in found["violations"]
    ]
