"""What axe finds wrong with the page, in both themes and at phone width: nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen import Screen

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Screen]
AXE = "axe-core@4.14.1"
KEPT = Path(tempfile.gettempdir()) / "unlatch-axe"
MEMBER = "package/axe.min.js"


@pytest.fixture(scope="session")
def axe() -> str:
    """The script, from npm's registry the first time."""
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


def test_axe_finds_nothing(screen: Open, axe: str) -> None:
    light = screen("alice", color_scheme="light").begin("keys-in-use")
    dark = screen("alice", color_scheme="dark")
    phone = screen("mallory", viewport={"width": 390, "height": 844}, color_scheme="light")
    assert problems(light, axe) == []
    light.fail_the_delete()
    phone.button("Keep…").click()
    expect(phone.private).to_contain_text("Nothing was changed.")
    light.page.locator("#thread > summary").click()
    light.review("retire")
    for shown in (light, dark, phone):
        assert problems(shown, axe) == []
    light.page.keyboard.press("Escape")
    light.button("Close the case").click()
    assert problems(light, axe) == []
    phone.page.get_by_role("tab", name="World").click()
    assert problems(phone, axe) == []
    assert overflow(phone) == 0


def problems(screen: Screen, axe: str) -> list[str]:
    page = screen.page
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {json.dumps([node['html'][:160] for node in rule['nodes']])}"
        for rule in found["violations"]
    ]


def overflow(screen: Screen) -> int:
    """How far the page is wider than its window."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(screen.page.evaluate(wide))
