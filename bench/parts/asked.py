"""What Slack asks of a cold function: the wall time of `/unlatch …`, of a button and of the Home tab, until each is answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from bench import inputs
from bench.chain import longest
from bench.fresh import Program, run
from bench.interleaved import rounds
from bench.row import Row
from bench.stub.cases import Crowd, case_id, cluster_id
from bench.stub.server import Latency, StubServer
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.fleet import Concern
from chalicelib.domain.scan import MOST_FINDINGS, Finding, Scan
from chalicelib.slack.messages.names import MOST_APPROVERS
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import HUB, REGION

AWS, SLACK = 0.015, 0.120
CASES = 100
GOAL_SECONDS = 3
WHOLE_PROCESSOR_MB, MEMORY_MB = 1_769, 1_024
"""Lambda gives a whole processor at the one, and the function that answers Slack has the other."""
HEAD = """| asked | wall, one core | CPU | wall at 1,024 MB | requests | rounds |
|---|--:|--:|--:|--:|--:|"""
CLICKS, COMMANDS, EVENTS = "/slack/interactions", "/slack/commands", "/slack/events"
APPROVERS = (*(f"U0PERSON{number}" for number in range(MOST_APPROVERS - 1)), "S0PLATFORM")
"""As many as are named in words. Who asks is in the group: Slack has to say so."""


@dataclass(frozen=True)
class Question:
    """What Slack sends, and a word that the right answer has, or the call of Slack that it is."""

    path: str
    body: Callable[[], str]
    answer: str
    calls: str = ""


def _typed(text: str, answer: str) -> Question:
    return Question(COMMANDS, lambda: inputs.command(text), answer)


QUESTIONS = {
    "/unlatch help": _typed("help", "/unlatch status"),
    "/unlatch status": _typed("status", cluster_id(0)),
    "/unlatch scan": _typed("scan", "is idle"),
    "/unlatch cluster-…": _typed("cluster-7e6d5c4b3a2", "Started"),
    "Retire, until its dialog is open": Question(
        CLICKS, lambda: inputs.pressed("retire", case_id(0)), "", calls="views.open"
    ),
    "Home tab": Question(EVENTS, inputs.home_opened, "", calls="views.publish"),
}


@dataclass
class Asked:
    """One question to a fresh function, again and again: what it took, and what it asked for itself."""

    stub: StubServer
    crowd: Crowd
    question: Question
    cpu: list[float] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    def seconds(self) -> float:
        """From the start of the process to the answer, on the table as it was before."""
        before, self.stub.seen = dict(self.crowd.table.items), []
        environ = {**inputs.settings(self.stub.url), "APPROVERS": ",".join(APPROVERS)}
        event = json.dumps(inputs.http_event(self.question.body(), self.question.path))
        done = run(Program("bench.programs.asked_ours", lambda: event, environ), on_one_core=True)
        self.crowd.table.items = before
        told, seen = json.loads(done.output.splitlines()[-1]), self.stub.seen
        self.requests, self.rounds = Counter(one.name for one in seen), len(longest(seen))
        if self.question.answer not in told["body"]:
            raise RuntimeError(f"a wrong answer: {told['body'][:300]}")
        if self.question.calls and not self.requests[self.question.calls]:
            raise RuntimeError(f"{self.question.calls} was never called")
        self.cpu.append(done.cpu_seconds)
        return float(told["at"]) - done.began


def rows(*, count: int) -> list[Row]:
    crowd = _crowd()
    with StubServer(crowd, Latency(AWS, SLACK)) as stub:
        asked = {name: Asked(stub, crowd, one) for name, one in QUESTIONS.items()}
        samples = rounds({name: one.seconds for name, one in asked.items()}, count=count)
    longer = WHOLE_PROCESSOR_MB / MEMORY_MB - 1
    took = {name: median(samples[name]) + longer * median(one.cpu) for name, one in asked.items()}
    lines = [
        f"| {name} | {median(samples[name]):.2f} s | {median(one.cpu):.2f} s | {took[name]:.2f} s "
        f"| {one.requests.total()} | {one.rounds} |"
        for name, one in asked.items()
    ]
    return [
        Row(
            f"`/unlatch help`, `status`, `scan`, `cluster-…`, a button and the Home tab, cold, {CASES} open cases, AWS "
            "at 15 ms and Slack at 120 ms a call: the slowest, from the request to the answer",
            "–",
            max(took.values()),
            GOAL_SECONDS,
            unit="s",
            how=f"{_about()}\n\n{HEAD}\n" + "\n".join(lines),
            limit="Lambda’s own start is not in it.",
            samples=samples,
        )
    ]


def _about() -> str:
    return (
        "Medians. A whole core is more than the function has: with its memory Lambda gives it "
        f"{MEMORY_MB / WHOLE_PROCESSOR_MB:.0%} of one, so each second of CPU time is counted as "
        f"{WHOLE_PROCESSOR_MB / MEMORY_MB:.2f}. That is the figure. {len(APPROVERS) - 1} people and a group may "
        f"approve, who asks belongs to the group, and the last scan found {MOST_FINDINGS} things. Nothing is put "
        "off until after the answer: the Home tab is written, and a dialog opened, before it; the dialog’s numbers "
        "come from the next turn. `cluster-…` answers once the case is on "
        "record and its run is started; its message is the first turn’s, in a function of its own."
    )


def _crowd() -> Crowd:
    table = MemoryTable(inputs.TABLE)
    crowd = Crowd(table, inputs.SECRETS, CASES)
    found = tuple(
        Finding(
            Concern.IDLE,
            cluster_id(number),
            account=HUB,
            region=REGION,
            hsms=2,
            dollars=2_336.0,
        )
        for number in range(MOST_FINDINGS)
    )
    DynamoCases(table).set_scan(Scan(datetime.now(UTC), 40, 4, findings=found))
    return crowd
