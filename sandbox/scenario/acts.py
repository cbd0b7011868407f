"""Makes happen what a scenario's `play` lists. Each act is somebody else's, never the bot's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.scenario.attempts import Attempts
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.model import Item, Scenario
from sandbox.scenario.narration import PLAIN, YELLOW, Narration, plain
from sandbox.scenario.outside import Outside
from sandbox.scenario.scenario_sandbox import ScenarioSandbox
from sandbox.slack.limits import walk
from sandbox.slack.records import Response

Json = dict[str, Any]
OPEN = "open"
"""The buttons of a digest, which have the cluster behind it."""
SKIPPED = {"status": "skipped", "body": "", "ms": 0}


@dataclass(frozen=True)
class Acts:
    """Everything but the passing of time. `answers` gets each answer of the bot."""

    scenario: Scenario
    sandbox: ScenarioSandbox
    cases: StoredCases
    narration: Narration
    answers: Callable[[Json], None]

    def perform(self, item: Item) -> None:
        attempts = Attempts(self.scenario, self.sandbox, self._tell, self._warn)
        acts: dict[str, Callable[[Item], None]] = {
            "delete_cluster": lambda item: attempts.delete_cluster(item.value),
            "create_key_store": lambda item: attempts.create_key_store(item.value),
            "delete_key_store": lambda item: attempts.delete_key_store(item.value),
            "connect_key_store": lambda item: attempts.connect_key_store(item.value),
            "redeliver": self._redeliver,
            "event": self._event,
            "lose_next_event": self._lose_next_event,
            "sweep": self._sweep,
            "digest": self._digest,
            "deploy": self._deploy,
            "command": self._command,
            "home": self._home,
            "click": self._click,
            "submit": self._submit,
            "request": self._request,
            "outside": self._outside,
            "tamper": self._tamper,
        }
        acts[item.act](item)

    def _redeliver(self, item: Item) -> None:
        times = "once" if item.value == 1 else f"{item.value} times"
        self._tell(f"EventBridge delivers the last event again, {times}.")
        try:
            self.sandbox.redeliver(item.value)
        except LookupError as error:
            self._warn(f"Nothing to deliver: {error}.")

    def _lose_next_event(self, _: Item) -> None:
        self._tell("EventBridge will lose the next event.")
        self.sandbox.lose_next_event()

    def _sweep(self, _: Item) -> None:
        self._tell("The schedule fires: Unlatch looks for what it never heard of.")
        self.sandbox.sweep()

    def _digest(self, _: Item) -> None:
        self._tell("The weekly digest fires.")
        self.sandbox.digest()

    def _deploy(self, item: Item) -> None:
        self._tell(f"The bot is deployed again, with other {' and '.join(item.value)}.")
        self.sandbox.deploy_again(item.value)

    def _command(self, item: Item) -> None:
        user, text = item.value["by"], item.value["text"]
        self._tell(f"{user} writes /unlatch {text}.")
        self._answered(item, self.sandbox.slack.command(user, text))

    def _home(self, item: Item) -> None:
        user = item.value["by"]
        self._tell(f"{user} opens the Home tab.")
        answer = self.sandbox.slack.open_home(user)
        if answer is None:
            self._warn("The app has no Home tab.")
            self.answers({"step": item.step, **SKIPPED})
            return
        self._answered(item, answer)

    def _tamper(self, item: Item) -> None:
        ((what, value),) = item.value.items()
        case = self._newest_case()
        if case is None:
            self._warn("There is no case to tamper with.")
            return
        self._warn(self.cases.tamper(case, what, value))

    def _outside(self, item: Item) -> None:
        ((what, on),) = item.value.items()
        self._tell(Outside(self.scenario, self.sandbox).act(what, on))

    def _event(self, item: Item) -> None:
        file = item.value["file"]
        path = self.scenario.path.parent / file
        self._tell(f"An event arrives as it stands in {file}.")
        self.sandbox.put_event(json.loads(path.read_text(encoding="utf-8")))

    def _click(self, item: Item) -> None:
        user, button = item.value["by"], item.value["button"]
        ts = self._newest_message()
        if button == OPEN:
            button, ts = self._open_button() or (button, None)
        self._tell(f"{user} presses {button}.")
        if ts is None:
            self._warn("There is no message to press it on.")
            self.answers({"step": item.step, **SKIPPED})
            return
        self._answered(item, self.sandbox.slack.click(user, button=button, ts=ts))

    def _submit(self, item: Item) -> None:
        user = item.value["by"]
        fields = {name: entry for name, entry in item.value.items() if name != "by"}
        # Who approves knows which keys can't be checked: a scenario has no word for not ticking that.
        answer = self.sandbox.slack.submit(user, {"unproven": True, **fields})
        if answer is None:
            is_open = user in self.sandbox.slack.modals
            has = "a dialog that offers nothing to send" if is_open else "no dialog open to send"
            self._warn(f"{user} has {has}.")
            self.answers({"step": item.step, **SKIPPED})
            return
        filled = ", ".join(f"{name}: {entry}" for name, entry in fields.items())
        self._tell(f"{user} sends the dialog ({filled}).")
        self._answered(item, answer)
        self._tell_refused_fields(answer.body)

    def _request(self, item: Item) -> None:
        signature = item.value["signature"]
        named = "the last click again" if signature == "replay" else "a raw request"
        self._tell(f"Somebody sends {named} to the bot's address (signature: {signature}).")
        answer = self.sandbox.slack.send_raw(item.value.get("body", ""), signature=signature)
        self._answered(item, answer)
        self._tell(f"The bot answers {answer.status or answer.error}.")

    def _open_button(self) -> tuple[str, str] | None:
        """The first button of the newest message that offers to open a case: the digest."""
        for message in reversed(self.sandbox.slack.messages):
            for node, _ in walk(message.blocks):
                if str(node.get("action_id", "")).startswith(f"{OPEN}:"):
                    return str(node["action_id"]), message.ts
        return None

    def _newest_case(self) -> str | None:
        cases = self.cases.cases()
        return cases[-1]["id"] if cases else None

    def _newest_message(self) -> str | None:
        """The newest case's message; a case that has none yet leaves people the one before."""
        shown = [case["message_ts"] for case in self.cases.cases() if case["message_ts"]]
        return shown[-1] if shown else None

    def _answered(self, item: Item, answer: Response) -> None:
        self.answers(
            {"step": item.step, "status": answer.status, "body": answer.body, "ms": answer.ms}
        )
        if answer.error and item.act != "request":
            self._warn(f"Slack shows an error: {answer.error}.")

    def _tell_refused_fields(self, body: str) -> None:
        said = json.loads(body) if body.startswith("{") else {}
        for name, error in said.get("errors", {}).items():
            self._warn(f"The dialog says at {name}: “{plain(error)}”")

    def _warn(self, sentence: str) -> None:
        self._tell(sentence, colour=YELLOW)

    def _tell(self, sentence: str, *, colour: str = PLAIN) -> None:
        self.narration.tell(self.sandbox.clock.now(), sentence, colour=colour)
