"""Makes happen what a scenario's `play` lists. Each act is somebody else's, never the bot's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.scenario.model import Item, Scenario
from sandbox.scenario.outside import Outside
from sandbox.scenario.references import CI
from sandbox.scenario.stage import Answer, CaseReader, Stage
from sandbox.scenario.story import PLAIN, YELLOW, Story, plain

Json = dict[str, Any]
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.5"
SKIPPED = {"status": "skipped", "body": "", "ms": 0}


@dataclass(frozen=True)
class Acts:
    """Everything but the passing of time. `answers` gets each answer of the bot."""

    scenario: Scenario
    stage: Stage
    cases: CaseReader
    story: Story
    answers: Callable[[Json], None]

    def perform(self, item: Item) -> None:
        acts: dict[str, Callable[[Item], None]] = {
            "delete_cluster": self._delete_cluster,
            "redeliver": self._redeliver,
            "event": self._event,
            "lose_next_event": self._lose_next_event,
            "sweep": self._sweep,
            "click": self._click,
            "submit": self._submit,
            "request": self._request,
            "outside": self._outside,
        }
        acts[item.act](item)

    def _delete_cluster(self, item: Item) -> None:
        cluster_id, by = item.value["cluster"], item.value["by"]
        home = self.scenario.home_of_cluster[cluster_id]
        client = self.stage.client(
            "cloudhsmv2",
            account=home.account,
            region=home.region,
            who=by,
            user_agent=TERRAFORM if by == CI else None,
        )
        who = "CI (role deploy-ci, with Terraform)" if by == CI else by
        self._tell(f"{who} tries to delete {cluster_id}.")
        try:
            client.delete_cluster(ClusterId=cluster_id)
        except ClientError as error:
            self._tell(f"AWS refuses: {error.response['Error']['Code']}.", colour=YELLOW)
        else:
            self._tell("AWS accepts: the cluster is being deleted.")

    def _redeliver(self, item: Item) -> None:
        times = "once" if item.value == 1 else f"{item.value} times"
        self._tell(f"EventBridge delivers the last event again, {times}.")
        try:
            self.stage.redeliver(item.value)
        except LookupError as error:
            self._tell(f"Nothing to deliver: {error}.", colour=YELLOW)

    def _lose_next_event(self, _: Item) -> None:
        self._tell("EventBridge will lose the next event.")
        self.stage.lose_next_event()

    def _sweep(self, _: Item) -> None:
        self._tell("The schedule fires: Unlatch looks for what it never heard of.")
        self.stage.sweep()

    def _outside(self, item: Item) -> None:
        ((what, on),) = item.value.items()
        self._tell(Outside(self.scenario, self.stage).act(what, on))

    def _event(self, item: Item) -> None:
        file = item.value["file"]
        path = self.scenario.path.parent / file
        self._tell(f"An event arrives as it stands in {file}.")
        self.stage.put_event(json.loads(path.read_text(encoding="utf-8")))

    def _click(self, item: Item) -> None:
        user, button = item.value["by"], item.value["button"]
        ts = self._newest_message()
        self._tell(f"{user} presses {button}.")
        if ts is None:
            self._tell("There is no message to press it on.", colour=YELLOW)
            self.answers({"step": item.step, **SKIPPED})
            return
        self._answered(item, self.stage.slack.click(user, button=button, ts=ts))

    def _submit(self, item: Item) -> None:
        user = item.value["by"]
        fields = {name: entry for name, entry in item.value.items() if name != "by"}
        answer = self.stage.slack.submit(user, fields)
        if answer is None:
            is_open = user in self.stage.slack.modals
            has = "a dialog that offers nothing to send" if is_open else "no dialog open to send"
            self._tell(f"{user} has {has}.", colour=YELLOW)
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
        answer = self.stage.slack.send_raw(item.value.get("body", ""), signature=signature)
        self._answered(item, answer)
        self._tell(f"The bot answers {answer.status or answer.error}.")

    def _newest_message(self) -> str | None:
        """The newest case's message; a case that has none yet leaves people the one before."""
        shown = [case["message_ts"] for case in self.cases.cases() if case["message_ts"]]
        return shown[-1] if shown else None

    def _answered(self, item: Item, answer: Answer) -> None:
        self.answers(
            {"step": item.step, "status": answer.status, "body": answer.body, "ms": answer.ms}
        )
        if answer.error and item.act != "request":
            self._tell(f"Slack shows an error: {answer.error}.", colour=YELLOW)

    def _tell_refused_fields(self, body: str) -> None:
        said = json.loads(body) if body.startswith("{") else {}
        for name, error in said.get("errors", {}).items():
            self._tell(f"The dialog says at {name}: “{plain(error)}”", colour=YELLOW)

    def _tell(self, sentence: str, *, colour: str = PLAIN) -> None:
        self.story.tell(self.stage.clock.now(), sentence, colour=colour)
