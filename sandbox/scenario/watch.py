"""Sees what is new in the sandbox since it last looked, and tells it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sandbox.aws.calls import Call
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.narration import BLUE, BOLD, GREEN, RED, YELLOW, Narration, plain
from sandbox.scenario.report import is_mutation
from sandbox.scenario.scenario_sandbox import ScenarioSandbox
from sandbox.slack.records import Message

TARGETS = ("KeyId", "CustomKeyStoreId", "HsmId", "BackupId", "ClusterId")
MOST_TARGETS = 3
NO_NEWS = frozenset(
    {"AssumeRole", "DescribeExecution", "GetItem", "LookupEvents", "PutItem", "Query", "Scan"}
)
"""What a sweep that finds nothing calls. Each hour has one."""
SYMBOLS = {"warning": "⚠", "hourglass_flowing_sand": "⏳", "white_check_mark": "✓"}
GOOD_ENDS = frozenset({
    "retired", "released", "parked", "repointed", "rescued", "kept", "cancelled", "resolved",
})  # fmt: skip


class Watch:
    """Remembers what it has told, so that each thing is told once."""

    def __init__(self, sandbox: ScenarioSandbox, cases: StoredCases, narration: Narration) -> None:
        self._sandbox = sandbox
        self._reader = cases
        self._narration = narration
        self._calls = 0
        self.cases: list[dict[str, Any]] = []
        self._ephemerals = 0
        self._shown: dict[str, str] = {}
        self._dialogs: dict[str, str] = {}
        self._phases: dict[str, tuple[str, str | None]] = {}

    def look(self) -> None:
        """Tell what is new: cases, calls of the bot, messages, dialogs, private answers."""
        self.cases = self._reader.cases()
        self._tell_openings()
        self._tell_calls()
        self._tell_messages()
        self._tell_dialogs()
        self._tell_endings()
        # read after the looking, which makes calls of its own
        self._calls = len(self._sandbox.aws.calls)

    def glance(self) -> None:
        """Look only if somebody has called AWS since; nothing of the bot's goes without."""
        called = self._sandbox.aws.calls[self._calls :]
        if any(call.operation not in NO_NEWS for call in called):
            self.look()
        else:
            self._calls += len(called)

    @property
    def newest(self) -> dict[str, Any] | None:
        return self.cases[-1] if self.cases else None

    def _tell_calls(self) -> None:
        mine = [call for call in self._sandbox.aws.calls[self._calls :] if is_mutation(call)]
        for _, same in groupby(mine, key=lambda c: (c.service, c.operation, c.error, c.landed)):
            batch = list(same)
            colour = BLUE if batch[0].landed else YELLOW
            self._narration.tell(batch[0].at, call_sentence(batch), colour=colour)

    def _tell_messages(self) -> None:
        for message in self._sandbox.slack.messages:
            words = message_words(message)
            before = self._shown.get(message.ts)
            self._shown[message.ts] = words
            if before is None:
                self._narration.tell(moment_of(message.ts), f"{_place(message)}: “{words}”")
            elif before != words:
                self._narration.tell(self._now(), f"Unlatch's message now says: “{words}”")
        whispers = self._sandbox.slack.ephemerals
        for whisper in whispers[self._ephemerals :]:
            sentence = f"Unlatch tells {whisper.user} alone: “{plain(whisper.text)}”"
            self._narration.tell(self._now(), sentence, colour=YELLOW)
        self._ephemerals = len(whispers)

    def _tell_dialogs(self) -> None:
        for user, dialog in self._sandbox.slack.modals.items():
            words = dialog_words(dialog.view)
            if self._dialogs.get(user) != words:
                self._dialogs[user] = words
                self._narration.tell(self._now(), f"{user} sees a dialog: {words}")

    def _tell_openings(self) -> None:
        for case in self.cases:
            before = self._phases.setdefault(case["id"], ("", None))[0]
            if before in ("", "closed") and case["phase"] != "closed":
                opened = "opens a case for" if not before else "opens again the case of"
                self._narration.tell(self._now(), f"Unlatch {opened} {case['cluster_id']}.")
                self._phases[case["id"]] = case["phase"], None

    def _tell_endings(self) -> None:
        for case in self.cases:
            phase, outcome = case["phase"], case["outcome"]
            before = self._phases[case["id"]]
            self._phases[case["id"]] = phase, outcome
            if phase == "closed" and before != (phase, outcome):
                colour = GREEN if outcome in GOOD_ENDS else RED if outcome == "stopped" else BOLD
                said = f" {case['reason']}" if case["reason"] else ""
                sentence = f"The case of {case['cluster_id']} is closed: {outcome}.{said}"
                self._narration.tell(self._now(), sentence, colour=colour)

    def _now(self) -> datetime:
        return self._sandbox.clock.now()


def call_sentence(batch: list[Call]) -> str:
    """One or more equal calls: `Unlatch calls kms:DeleteCustomKeyStore on cks-1234.`"""
    first = batch[0]
    targets = [target for call in batch if (target := _target(call.params))]
    more = f" and {len(targets) - MOST_TARGETS} more" if len(targets) > MOST_TARGETS else ""
    on = f" on {', '.join(targets[:MOST_TARGETS])}{more}" if targets else ""
    said = f"Unlatch calls {first.service}:{first.operation}{on}."
    if first.error and first.landed:
        return f"{said} It lands, but the answer is lost ({first.error})."
    if first.error:
        return f"{said} AWS refuses: {first.error}."
    return said if first.landed else f"{said} It changes nothing."


def message_words(message: Message) -> str:
    """The notification text; in a thread, if that is a label, the words of the blocks."""
    said = " ".join(words_of(message.blocks)) if message.thread_ts else ""
    return plain(said or message.text)


def dialog_words(view: Mapping[str, Any]) -> str:
    """Its title, what it says first (the worst), and what its submit would do."""
    first = next(words_of(view["blocks"]), "")
    submit = view.get("submit")
    offer = f"[{plain(submit['text'])}]" if submit else "It offers nothing to send."
    return f"“{plain(view['title']['text'])}” “{plain(first)}” {offer}"


def words_of(part: Any) -> Iterator[str]:
    """Every text in Block Kit JSON, in order; one rich text section is one piece."""
    if isinstance(part, list):
        for one in part:
            yield from words_of(one)
    elif isinstance(part, Mapping):
        if part.get("type") == "rich_text_section":
            yield "".join(_inline(element) for element in part["elements"])
        elif isinstance(part.get("text"), str):
            yield part["text"]
        else:
            for name in ("text", "elements", "fields"):
                yield from words_of(part.get(name, []))


def moment_of(ts: str) -> datetime:
    """A Slack timestamp, to the second."""
    return datetime.fromtimestamp(int(ts.partition(".")[0]), UTC)


def _inline(element: Mapping[str, Any]) -> str:
    if element["type"] == "emoji":
        return SYMBOLS.get(element["name"], f":{element['name']}:")
    if element["type"] == "date":
        return str(element.get("fallback") or moment_of(str(element["timestamp"])))
    named = element.get("text") or element.get("user_id") or element.get("usergroup_id")
    return str(named or element.get("url") or "")


def _target(params: Mapping[str, Any]) -> str:
    found = next((params[name] for name in TARGETS if name in params), "")
    return str(found).rsplit("/", 1)[-1]


def _place(message: Message) -> str:
    return "In the thread, Unlatch writes" if message.thread_ts else "Unlatch posts"
