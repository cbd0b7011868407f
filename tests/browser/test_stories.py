"""The stories of the page beside the failed delete, by clicking and by keyboard, each to its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.screen import CLUSTER, SECONDS, Screen

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Screen]


def test_a_taken_cluster_is_retired_from_the_menu_of_more_ways(screen: Open, axe: str) -> None:
    page = screen("alice").begin("cluster-taken")
    expect(page.page.locator("#feed .empty")).to_contain_text("which has one already: payments.")
    page.take_step_one("Call CreateCustomKeyStore", f"{CLUSTER} already has a key store")
    expect(page.option("Retire…")).not_to_be_visible()
    walk_the_menu(page)
    assert problems(page, axe) == []
    page.page.keyboard.press("Enter")
    expect(page.page.locator("[data-kind=decide] .m-body")).to_be_visible(timeout=20 * SECONDS)
    page.page.keyboard.press("Escape")
    expect(page.dialog).to_have_count(0)
    expect(page.more).to_be_focused()
    for person, place in (("Alice", "1 of 2"), ("Bob", "2 of 2")):
        page.act_as(person)
        choose = page.more if place == "1 of 2" else page.button("Review and approve…")
        choose.click()
        if place == "1 of 2":
            page.option("Retire…").click()
        expect(page.page.locator("[data-kind=decide] .m-body")).to_be_visible()
        page.fill("nobody needs the store").approve(f"Approve as {place}")
        expect(page.dialog).to_have_count(0)
    page.to_the_end("Done:").says(f"Done: {CLUSTER} is deleted")
    expect(page.page.locator("#run")).to_contain_text("Ended: retired")


def walk_the_menu(page: Screen) -> None:
    """Arrows open it and walk over it; Escape and a click elsewhere close it. Ends on Retire."""
    page.more.focus()
    page.page.keyboard.press("ArrowDown")
    expect(page.option("Park…")).to_be_focused()
    page.page.keyboard.press("Escape")
    expect(page.option("Park…")).not_to_be_visible()
    expect(page.more).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(page.option("Park…")).to_be_visible()
    page.page.locator("#feed .bk-header").click()
    expect(page.option("Park…")).not_to_be_visible()
    page.more.focus()
    page.page.keyboard.press("ArrowUp")
    expect(page.option("Retire…")).to_be_focused()


def test_a_store_that_will_not_delete_is_released(screen: Open, axe: str) -> None:
    page = screen("alice").begin("store-delete")
    page.take_step_one("Call DeleteCustomKeyStore", f"The key store of {CLUSTER} can’t be deleted")
    assert problems(page, axe) == []
    for person, place in (("Alice", "1 of 2"), ("Bob", "2 of 2")):
        page.act_as(person).review("release").fill("the payments moved").approve(
            f"Approve as {place}"
        )
        expect(page.dialog).to_have_count(0)
    page.to_the_end("Released:").says(f"Released: {CLUSTER} is free for a new key store")
    expect(page.page.locator("#run")).to_contain_text("Ended: released")
    # the cluster is free indeed: what AWS refused before it accepts now
    page.page.get_by_role("button", name=f"Create a key store on {CLUSTER}").click()
    expect(page.aws).to_contain_text(f"creates key store their-own on {CLUSTER}")
    assert problems(page, axe) == []


def test_a_cluster_deleted_under_live_keys_is_rescued(screen: Open, axe: str) -> None:
    page = screen("alice").begin("cluster-lost")
    page.take_step_one("Delete HSMs and cluster", f"{CLUSTER} was deleted, and its 2 keys fail")
    expect(page.page.locator("#tries")).to_contain_text("AWS accepted. The cluster is gone.")
    expect(page.aws).to_contain_text("still needed by")
    page.page.get_by_role("button", name="Use alias/payments", exact=True).click()
    expect(page.aws).to_contain_text("AWS refuses")
    assert problems(page, axe) == []
    page.review("rescue").approve("Approve as 1 of 1")
    expect(page.dialog).to_have_count(0)
    page.to_the_end("Rescued:").says(f"Rescued: the 2 keys of {CLUSTER} work again")
    expect(page.page.locator("#run")).to_contain_text("Ended: rescued")
    expect(page.page.locator("#did")).to_contain_text("cloudhsm:CreateHsm ×2 as Alice")
    page.page.get_by_role("button", name="Use alias/payments", exact=True).click()
    expect(page.aws).to_contain_text("encrypts with alias/payments")
    assert problems(page, axe) == []


def test_others_make_each_of_these_cases_from_the_world(screen: Open) -> None:
    page = screen("alice").begin("empty-store")
    page.page.get_by_role("button", name=f"Create a key store on {CLUSTER}").click()
    page.says(f"{CLUSTER} already has a key store")
    page.page.get_by_role("button", name="Delete key store").click()
    expect(page.aws).to_contain_text("AWS refuses: CustomKeyStoreInvalidStateException.")
    page.page.get_by_role("button", name="Create a key in").click()
    page.page.get_by_role("button", name="Break its network").click()
    expect(page.aws.get_by_text("FAILED", exact=True)).to_be_visible()
    page.pass_time("+1 h")
    expect(page.page.locator("#feed")).to_contain_text("is down")
