"""The page as a person uses it: by what is written on buttons and fields."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

CLUSTER = "cluster-2a3b4c5d6e7"
SECONDS = 1_000


@dataclass(frozen=True)
class Screen:
    page: Page
    url: str

    def open(self, who: str = "alice") -> Screen:
        self.page.goto(f"{self.url}?as={who}")
        expect(self.page.locator("body[data-live]")).to_be_attached()
        return self

    def begin(self, story: str) -> Screen:
        """A new sandbox for this story, ready for step 1; one that nobody has used is new."""
        chosen = self.page.get_by_label("Story")
        heading = self.page.locator("#feed .empty h3")
        if chosen.input_value() != story:
            chosen.select_option(story)
            expect(heading).to_have_text("Starting the sandbox", timeout=20 * SECONDS)
        elif not heading.is_visible():
            self.page.get_by_role("button", name="Start again").click()
            expect(heading).to_have_text("Starting the sandbox", timeout=20 * SECONDS)
        expect(heading).to_have_text("Nothing has happened yet", timeout=60 * SECONDS)
        return self

    def undecided(self, story: str) -> Screen:
        """This story's case, waiting for people; one that nobody has decided will do."""
        header = self.page.locator("#feed .bk-header", has_text=f"{CLUSTER} can’t be deleted")
        if self.page.get_by_label("Story").input_value() == story and header.count() == 1:
            return self
        return self.begin(story).fail_the_delete()

    def fail_the_delete(self) -> Screen:
        return self.take_step_one("Call DeleteCluster", f"{CLUSTER} can’t be deleted")

    def take_step_one(self, label: str, header: str) -> Screen:
        """Press the button of step 1; the case's message has this header and offers its ways."""
        self.page.get_by_role("button", name=label, exact=True).click()
        self.says(header)
        expect(self.button("Keep…")).to_be_visible(timeout=20 * SECONDS)
        return self

    def to_the_end(self, header: str) -> Screen:
        """Let time run from event to event until the newest message says this."""
        newest = self.page.locator("#feed .bk-header").last
        while header not in newest.inner_text():
            self.pass_time()
        return self

    @property
    def more(self) -> Locator:
        """The three dots behind which the other ways are."""
        return self.page.locator("#feed details.menu summary")

    def option(self, label: str) -> Locator:
        return self.page.locator("#feed details.menu").get_by_role("button", name=label)

    def act_as(self, name: str) -> Screen:
        self.page.get_by_role("radio", name=name).check()
        return self

    def says(self, header: str) -> Screen:
        """The newest message's header."""
        newest = self.page.locator("#feed .bk-header").last
        expect(newest).to_contain_text(header, timeout=40 * SECONDS)
        return self

    def button(self, label: str) -> Locator:
        return self.page.locator("#feed").get_by_role("button", name=label)

    def confirm(self, label: str, yes: str) -> Screen:
        self.button(label).click()
        self.page.get_by_role("alertdialog").get_by_role("button", name=yes).click()
        return self

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def review(self, remedy: str) -> Screen:
        """Open the dialog of retire, park, repoint or keep and wait until AWS was read again."""
        self.page.locator(f"#feed [data-action={remedy}]").click()
        expect(self.page.locator("[data-kind=decide] .m-body")).to_be_visible(timeout=20 * SECONDS)
        return self

    def fill(self, reason: str, *, cluster: str = CLUSTER) -> Screen:
        self.dialog.get_by_label("Type the cluster id").fill(cluster)
        self.dialog.get_by_label("Reason").fill(reason)
        return self

    def approve(self, label: str) -> Screen:
        self.dialog.get_by_role("button", name=label).click()
        return self

    def pass_time(self, label: str = "Run until something happens") -> Screen:
        """Press this button and wait until time, having moved, stands still again."""
        clock = self.page.locator("#clock .t")
        before = clock.get_attribute("title") or ""
        self.page.get_by_role("button", name=label, exact=True).click()
        expect(clock).not_to_have_attribute("title", before, timeout=60 * SECONDS)
        until = self.page.get_by_role("button", name="Run until something happens")
        expect(until).to_be_visible(timeout=60 * SECONDS)
        return self

    @property
    def private(self) -> Locator:
        return self.page.locator("#private")

    @property
    def thread(self) -> Locator:
        return self.page.locator("#replies")

    @property
    def aws(self) -> Locator:
        return self.page.locator("#aws")
