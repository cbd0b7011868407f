"""People who click while a rehearsal waits, in the sandbox whose time its pauses move."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from ops.probing.there import TAG
from sandbox.slack.limits import walk
from sandbox.stack import Sandbox
from tests.ops.office import CLUSTER, HUB, REGION, Office, Said


class Rehearsal:
    """`clicks` are made in their order, each once its button is there; `at` interrupts a pause."""

    def __init__(
        self,
        sandbox: Sandbox,
        office: Office,
        folder: Path,
        *,
        place: tuple[str, str] = (HUB, REGION),
    ) -> None:
        self.sandbox, self.office, self.folder, self.place = sandbox, office, folder, place
        self.clicks: list[tuple[str, str]] = []
        self.fields: dict[str, Any] = {}
        self.interrupt: Callable[[], bool] = lambda: False
        self.ready: Callable[[str, str], bool] = lambda button, text: True
        office.pause = self.pause

    def pause(self, seconds: float) -> None:
        self.sandbox.advance(timedelta(seconds=seconds))
        if self.interrupt():
            self.interrupt = lambda: False
            raise KeyboardInterrupt
        while self.clicks and self._offers(self.clicks[0][1]):
            who, button = self.clicks.pop(0)
            self.sandbox.slack.click(who, button=button)
            self.sandbox.settle()
            self.sandbox.slack.submit(
                who, {"reason": "a rehearsal", "cluster_id": self.cluster, **self.fields}
            )
            self.sandbox.settle()

    def rehearse(self, *words: str, typing: str | None = None) -> Said:
        return self.office.run("rehearse", "--report", str(self.folder), *words, typing=typing)

    def report(self) -> dict[str, Any]:
        newest = max(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        told: dict[str, Any] = json.loads(newest.read_text())
        return told

    def verdicts(self) -> dict[str, str]:
        return {one["id"]: one["verdict"] for one in self.report()["observations"]}

    def differing(self) -> list[str]:
        return [name for name, verdict in self.verdicts().items() if verdict == "differs"]

    @property
    def cluster(self) -> str:
        """The rehearsal’s own, else the one that was there before."""
        known = self.sandbox.aws.regions.at(*self.place).clusters.values()
        return next((one.id for one in known if TAG in one.tags), CLUSTER)

    def _offers(self, button: str) -> bool:
        message = self.sandbox.slack.workspace.find_case_message()
        if message and not self.ready(button, message.text):
            return False
        nodes = [node for node, _ in walk(message.blocks)] if message else []
        return any(n.get("type") == "button" and n.get("action_id") == button for n in nodes)
