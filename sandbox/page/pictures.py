"""`pictures`: takes the documentation's pictures of the demo page in headless Chromium."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from sandbox.page.openings import cluster_of
from sandbox.page.server import DemoServer
from sandbox.page.show import Show
from sandbox.page.stories import SHIPPED

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESK = {"width": 1280, "height": 900}
TALL = {"width": 1280, "height": 1000}
PHONE = {"width": 390, "height": 844}
MARGIN = 12
PATIENCE = 60_000
BOB = "checkout still writes with this key. I would keep it and look in the morning."


def take(folder: Path) -> int:
    """The exit code: 2 if there is no Chromium."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.stderr.write("Pictures need Chromium: apt-get install chromium\n")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with _served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name, picture in PICTURES.items():
            picture(browser, url, folder / f"{name}.png")
        browser.close()
    return 0


@contextmanager
def _served() -> Iterator[str]:
    show = Show(SHIPPED)
    server = DemoServer(show, 0)
    server.start()
    show.start()
    try:
        yield f"{server.url}/"
    finally:
        show.close()
        server.stop()


def _message(browser: Browser, url: str, file: Path) -> None:
    """The channel with the first message; this is also where the story begins."""
    page = _page(browser, url, viewport=TALL)
    page.locator("#feed .empty h3", has_text="Nothing has happened yet").wait_for()
    page.click("#fail")
    page.locator("[data-action=reject]").wait_for()
    page.get_by_role("radio", name="Bob").check()
    page.click("#thread > summary")
    page.fill("#words", BOB)
    page.keyboard.press("Enter")
    page.locator("#replies", has_text=BOB).wait_for()
    page.get_by_role("radio", name="Alice").check()
    page.click("#thread > summary")
    page.mouse.move(0, 0)
    # in one go, since the feed may be shown anew at any moment
    box = page.evaluate("document.querySelector('#feed .msg').getBoundingClientRect().toJSON()")
    around: Any = {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }
    page.screenshot(path=file, clip=around)


def _with_dialog(browser: Browser, url: str, file: Path) -> None:
    page = _page(browser, url)
    page.click("[data-action=retire]")
    page.locator("[data-kind=decide] .m-body").wait_for()
    page.fill("#f-cluster_id", cluster_of(SHIPPED[0].scenario()))
    page.focus("#f-reason")
    page.screenshot(path=file, animations="disabled")
    page.keyboard.press("Escape")


def _dark(browser: Browser, url: str, file: Path) -> None:
    page = _page(browser, url, color_scheme="dark")
    page.locator("[data-action=retire]").wait_for()
    page.click("#thread > summary")
    page.mouse.move(0, 0)
    page.screenshot(path=file, animations="disabled")


def _phone(browser: Browser, url: str, file: Path) -> None:
    page = _page(browser, url, viewport=PHONE, device_scale_factor=2, has_touch=True)
    page.locator("[data-action=retire]").wait_for()
    page.screenshot(path=file, animations="disabled")


def _page(browser: Browser, url: str, **options: Any) -> Page:
    context = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.locator("body[data-live]").wait_for(state="attached")
    return page


PICTURES = {
    "message": _message,
    "page": _with_dialog,
    "page-dark": _dark,
    "page-phone": _phone,
}
