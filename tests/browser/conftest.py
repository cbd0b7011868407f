"""One headless Chromium and one demo server for all tests; each test begins its own story."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from sandbox.page.pictures import ARGUMENTS, DESK
from sandbox.page.server import DemoServer
from sandbox.page.show import Show
from sandbox.page.stories import SHIPPED
from tests.browser.axe import script
from tests.browser.screen import SECONDS, Screen

CHROMIUM = Path("/usr/bin/chromium")
SLOW_AWS = Path(__file__).parent / "slow-aws.yaml"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium: apt-get install -y chromium fonts-noto-color-emoji")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where `python -m sandbox demo` says that it serves; its first story is slow-aws.yaml."""
    command = [sys.executable, "-m", "sandbox", "demo", "--port", "0", "--scenario", str(SLOW_AWS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, f"no URL in {said!r}"
        yield found[0]
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def axe() -> str:
    return script()


@pytest.fixture
def screen(browser: Browser, url: str) -> Iterator[Callable[..., Screen]]:
    """Opens the page as somebody, each time in a browser profile of its own."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def note_errors(said: ConsoleMessage) -> None:
        if said.type == "error":
            broken.append(said.text)

    def note_strangers(sent: Request) -> None:
        if not sent.url.startswith(url):
            broken.append(f"a request to {sent.url}")

    def make(who: str = "alice", **options: Any) -> Screen:
        contexts.append(browser.new_context(**{"viewport": DESK, **options}))
        page = contexts[-1].new_page()
        # enough on a busy machine too
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", note_errors)
        page.on("request", note_strangers)
        return Screen(page, url).open(who)

    yield make
    for context in contexts:
        context.close()
    # answers of 409 tell a person why; Chromium calls them errors
    assert [said for said in broken if "409" not in said] == []


@pytest.fixture
def show() -> Iterator[Show]:
    """A demo in this process, so that the test can write as the bot does."""
    begun = Show(SHIPPED)
    begun.start()
    yield begun
    begun.close()


@pytest.fixture
def page(show: Show, browser: Browser) -> Iterator[Page]:
    server = DemoServer(show, 0)
    server.start()
    opened = browser.new_context().new_page()
    opened.set_default_timeout(60 * SECONDS)
    opened.goto(f"{server.url}/?as=alice")
    opened.get_by_role("button", name="Call DeleteCluster").click()
    opened.locator("[data-action=retire]").wait_for()
    yield opened
    opened.context.close()
    server.stop()
