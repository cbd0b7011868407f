"""The demo page in a real browser: the story by clicking, and what must not work."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.screen import CLUSTER, SECONDS, Screen

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Screen]


def test_the_flagship_story_by_clicking(screen: Open) -> None:
    page = screen("alice").begin("unused-keys").fail_the_delete()
    page.review("retire").fill("the ledger moved to Aurora in May").approve("Approve as 1 of 2")
    page.says(f"One more approval to retire {CLUSTER}")
    page.act_as("Bob").review("retire").fill("checked with finance").approve("Approve as 2 of 2")
    page.says("will be deleted on 9 Mar")
    expect(page.aws.get_by_text("Deleting", exact=True)).to_have_count(3)
    page.to_the_end("Done:").says(f"Done: {CLUSTER} is deleted")
    expect(page.aws.locator(".gone")).to_have_count(5)
    expect(page.page.locator("#tries")).to_contain_text("The cluster is gone.")
    expect(page.page.locator("#run")).to_contain_text("Ended: retired")
    expect(page.page.locator("#did")).to_contain_text("Unlatch has changed 9 things in AWS.")
    expect(page.page.locator("#did")).to_contain_text("cloudhsm:DeleteHsm ×2 as Bob")


def test_an_external_person_is_refused_in_private(screen: Open) -> None:
    alice = screen("alice").undecided("empty-store")
    mallory = screen("mallory")
    mallory.button("Retire…").click()
    expect(mallory.private).to_contain_text("your account belongs to another company")
    expect(mallory.private).to_contain_text("Nothing was changed.")
    expect(mallory.dialog).to_have_count(0)
    # nobody else sees it, also not in the same window
    expect(alice.private).to_be_empty()
    mallory.act_as("Carol")
    expect(mallory.private).to_be_empty()
    mallory.button("Park…").click()
    expect(mallory.private).to_contain_text("you are not one of @Alice, @Bob and @Dave")
    mallory.private.get_by_role("button", name="Dismiss").click()
    expect(mallory.private).to_be_empty()


def test_a_wrong_cluster_id_shows_both_and_a_dialog_gives_the_focus_back(screen: Open) -> None:
    page = screen("alice").undecided("empty-store")
    page.button("Retire…").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.locator("[data-kind=decide] .m-body")).to_be_visible()
    typed = page.dialog.get_by_label("Type the cluster id")
    expect(typed).to_be_focused()
    page.fill("decommissioned", cluster="cluster-9z9z9z9z9z9").approve("Approve as 1 of 2")
    expect(page.dialog).to_contain_text("You typed cluster-9z9z9z9z9z9.")
    expect(page.dialog).to_contain_text(f"This case is about {CLUSTER}.")
    expect(typed).to_be_focused()
    expect(typed).to_have_attribute("aria-invalid", "true")
    page.page.keyboard.press("Escape")
    expect(page.dialog).to_have_count(0)
    expect(page.button("Retire…")).to_be_focused()
    page.says(f"{CLUSTER} can’t be deleted")


def test_what_others_write_is_text(screen: Open) -> None:
    page = screen("alice").undecided("empty-store")
    page.page.locator("#thread > summary").click()
    page.page.get_by_label("Reply in the thread").fill("<img src=x onerror=alert(1)> *no bold*")
    page.page.keyboard.press("Enter")
    said = page.page.get_by_text("<img src=x onerror=alert(1)> *no bold*")
    expect(said.last).to_be_attached()
    assert page.page.locator("img").count() == 0


def test_a_case_that_nobody_decides_expires(screen: Open) -> None:
    page = screen("alice").begin("keys-in-use").fail_the_delete()
    page.pass_time("+1 day").says("Closed: nobody decided about")
    expect(page.page.locator("#clock")).to_contain_text("Tue 3 March 2026")
    expect(page.page.locator("#did")).to_contain_text("Unlatch has changed nothing in AWS.")
    page.page.get_by_role("button", name="Run until something happens").click()
    expect(page.page.locator("#clock")).to_contain_text("Nothing is under way")
    # a person can begin anew in Slack's own way
    page.page.locator("#thread > summary").click()
    page.page.get_by_label("Reply in the thread").fill(f"/unlatch {CLUSTER}")
    page.page.keyboard.press("Enter")
    expect(page.private).to_contain_text("Started")
    expect(page.page.locator("#feed article")).to_have_count(2)


def test_two_people_at_once_both_count_and_a_cancel_brings_the_keys_back(screen: Open) -> None:
    alice = screen("alice").begin("unused-keys").fail_the_delete()
    bob = screen("bob")
    at_once("#feed [data-action=retire]", alice, bob)
    for person in (alice, bob):
        expect(person.page.locator("[data-kind=decide] .m-body")).to_be_visible()
        person.fill("decommissioned")
    at_once("#dialog [type=submit]", alice, bob)
    for person in (alice, bob):
        expect(person.dialog).to_have_count(0, timeout=20 * SECONDS)
        expect(person.page.get_by_role("alert")).to_have_count(0)
    alice.says("will be deleted on 9 Mar")
    bob.says("will be deleted on 9 Mar")
    expect(alice.page.locator("#did")).to_contain_text("Unlatch has changed 3 things in AWS.")
    bob.pass_time("+1 h").confirm("Cancel the deletion", "Cancel the deletion")
    expect(alice.aws.get_by_text("Enabled", exact=True)).to_have_count(2, timeout=20 * SECONDS)
    expect(alice.aws.get_by_text("Disabled", exact=True)).to_have_count(1)
    expect(alice.thread).to_contain_text("@Bob cancelled")


def at_once(button: str, *people: Screen) -> None:
    """Everybody presses this button at the same moment."""
    press = "([button, at]) => setTimeout(() => document.querySelector(button).click(), at - Date.now())"
    moment = time.time() * 1000 + 500
    for person in people:
        person.page.evaluate(press, [button, moment])
