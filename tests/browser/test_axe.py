"""What axe finds wrong with the page, in both themes and at phone width: nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.screen import Screen

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Screen]


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


def overflow(screen: Screen) -> int:
    """How far the page is wider than its window."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(screen.page.evaluate(wide))
