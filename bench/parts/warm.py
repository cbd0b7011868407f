"""Warm acknowledgements: 1,000 clicks through the app, its own requests bare, and one put, in turn."""

from __future__ import annotations

import json
from statistics import median, quantiles

from bench import inputs
from bench.fresh import Program, last_line, run
from bench.row import Row
from bench.stub.answers import Answers
from bench.stub.server import StubServer
from sandbox.reliability.table import MemoryTable


def rows(*, clicks: int) -> list[Row]:
    with StubServer(Answers(MemoryTable(inputs.TABLE), inputs.SECRETS)) as slack:
        program = Program(
            "bench.programs.warm",
            lambda: json.dumps({"clicks": clicks}),
            inputs.settings(slack.url),
        )
        found = last_line(run(program))
        slacks = sorted({f"slack:{one.name}" for one in slack.seen})
    click, put, asked = (found[name] for name in ("click", "put", "requests"))
    how = (
        f"Medians: {_ms(click)} against {_ms(asked)}, {median(click) / median(asked):.2f} ×. A click asks "
        f"{', '.join([*slacks, *found['calls']])}; the reference makes the same requests of AWS and Slack with botocore and "
        f"slack_sdk, with nothing around them. Slack’s signature checked and one conditional put take "
        f"{_ms(put)}: a click is {p99(click) / p99(put):.1f} × that by p99."
    )
    return [
        Row(
            f"Warm acknowledgement, p99 of {clicks:,} clicks, CPU time, latency 0",
            "its own AWS and Slack requests, bare, one after the other",
            p99(click) / p99(asked),
            1.3,
            how=how,
            limit=(
                "What is above the requests is Chalice’s routing, the signature, the case read from its JSON, "
                "the hashes of the plans on offer, the log line and metric, and handing the requests to threads: "
                f"{1_000 * (median(click) - median(asked)):.2f} ms by the median."
            ),
            samples={"warm acknowledgement": click, "its requests, bare": asked, "put": put},
        )
    ]


def _ms(values: list[float]) -> str:
    return f"{median(values) * 1_000:.2f} ms"


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
