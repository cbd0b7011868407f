"""Cold starts: CPU time of fresh processes, from the interpreter's start to the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median

from bench import inputs
from bench.fresh import Program, run
from bench.interleaved import Samples, ratio, rounds
from bench.row import Row
from bench.stub.answers import Answers
from bench.stub.server import StubServer
from sandbox.reliability.table import MemoryTable

OURS, EVENT, PUT = "cold acknowledgement", "cold event", "one put"
BOLT_TWICE = "bolt: acknowledgement and lazy listener"
BOLT_ONCE, BOLT_LATER = "bolt: acknowledgement alone", "bolt: lazy listener"
HOW = (
    "Median CPU time: {}. Bolt reads its signing secret and token from the environment, as its "
    "documentation has it; Unlatch reads both from Secrets Manager."
)
LIMIT = (
    "Bolt answers first and works later, in a second function: it makes two requests before its "
    "answer (auth.test and the invocation). Unlatch answers when the decision is on record: two "
    "secrets, Slack’s word on who clicked, the case, the seal, the conditional write, the wake, "
    "with four AWS clients instead of one. What each part of a cold start takes is in "
    "decisions/what-loads-when.md; botocore and the four clients are the largest."
)


@dataclass
class Cold:
    """One stub for all programs; each gets a table as if it were the first."""

    stub: StubServer

    def acknowledged(self) -> float:
        return self._click("bench.programs.ack_ours")

    def acknowledged_by_bolt(self) -> float:
        return self._click("bench.programs.ack_bolt")

    def heard_by_bolt(self) -> float:
        """The other half of bolt's work: the function that it invoked, on a second cold start."""
        payload = json.dumps(self.stub.invoked.pop())
        return self._run("bench.programs.ack_bolt", payload)

    def opened(self) -> float:
        return self._event("bench.programs.event_ours")

    def put(self) -> float:
        return self._event("bench.programs.event_bare")

    def _click(self, module: str) -> float:
        table = MemoryTable(inputs.TABLE)
        case = inputs.waiting_case(table)
        self.stub.answers = Answers(table, inputs.SECRETS)
        return self._run(module, json.dumps(inputs.http_event(inputs.approval(case))))

    def _event(self, module: str) -> float:
        self.stub.answers = Answers(MemoryTable(inputs.TABLE), inputs.SECRETS)
        return self._run(module, json.dumps(inputs.failed_delete("event-1")))

    def _run(self, module: str, stdin: str) -> float:
        environ = inputs.settings(self.stub.url)
        return run(Program(module, lambda: stdin, environ)).cpu_seconds


def rows(*, count: int) -> list[Row]:
    with StubServer(Answers(MemoryTable(inputs.TABLE), inputs.SECRETS)) as stub:
        cold = Cold(stub)
        contenders = {OURS: cold.acknowledged, BOLT_ONCE: cold.acknowledged_by_bolt}
        clicks = rounds({**contenders, BOLT_LATER: cold.heard_by_bolt}, count=count)
        events = rounds({EVENT: cold.opened, PUT: cold.put}, count=count)
    pairs = zip(clicks[BOLT_ONCE], clicks[BOLT_LATER], strict=True)
    clicks[BOLT_TWICE] = [sum(pair) for pair in pairs]
    return [*_clicks(clicks), _event(events)]


def _clicks(clicks: Samples) -> list[Row]:
    return [
        Row(
            "Cold acknowledgement of a click that records a decision, CPU time",
            "slack-bolt’s first function alone, which has recorded nothing yet",
            ratio(clicks, OURS, BOLT_ONCE),
            1.0,
            how=f"{HOW.format(_medians(clicks))} Both of bolt’s functions: {ratio(clicks, OURS, BOLT_TWICE):.2f} ×.",
            limit=LIMIT,
            samples=clicks,
        )
    ]


def _event(events: Samples) -> Row:
    return Row(
        "Cold event: a case opened, CPU time",
        "a bare Chalice app that does one conditional put with boto3",
        ratio(events, EVENT, PUT),
        1.25,
        how=f"Median CPU time: {_medians(events)}.",
        limit=(
            "Beside the same import of botocore and its DynamoDB client it loads cattrs, the "
            "logger, the domain’s dataclasses and a client of Step Functions, and makes four "
            "requests where the reference makes one."
        ),
        samples=events,
    )


def _medians(samples: Samples) -> str:
    return ", ".join(f"{name} {median(values) * 1_000:.0f} ms" for name, values in samples.items())
