"""Warm acknowledgements: 1,000 clicks through the app, the reference and the bare requests, in turn."""

from __future__ import annotations

import json
from statistics import median, quantiles

from bench import stage
from bench.fresh import Program, last_line, run
from bench.row import Row

LIMIT = (
    "A click that counts reads the case, seals the yes, records it on a condition and wakes the "
    "run: four AWS requests where the reference makes one. botocore's own work for the four, with "
    "nothing of Unlatch around them, is {:.1f} × by p99 and {:.1f} × by the median, so 2 × is out "
    "of reach while a click does all four through botocore. What Unlatch adds is reading the case, "
    "asking Slack who clicked, and the hashes of the plans on offer."
)


def rows(*, clicks: int) -> list[Row]:
    program = Program(
        "bench.programs.warm",
        lambda: json.dumps({"clicks": clicks}),
        stage.settings("http://127.0.0.1:9"),
    )
    found = last_line(run(program))
    click, put, asked = (found[name] for name in ("click", "put", "requests"))
    floor = p99(asked) / p99(put)
    how = (
        f"Medians: {median(click) * 1_000:.2f} ms against {median(put) * 1_000:.2f} ms. "
        f"A click makes {len(found['calls'])} requests of AWS and Slack where the reference makes "
        f"one ({', '.join(found['calls'])}). Its AWS requests alone, made bare one after the other "
        f"in the same run, take {floor:.1f} × the reference (p99); medians: "
        f"{median(asked) / median(put):.1f} ×."
    )
    return [
        Row(
            f"Warm acknowledgement, p99 of {clicks:,} clicks, CPU time, AWS’s latency 0",
            "Slack’s signature checked and one conditional put",
            p99(click) / p99(put),
            2,
            how=how,
            limit=LIMIT.format(floor, median(asked) / median(put)),
            samples={"warm acknowledgement": click, "signature and put": put},
        )
    ]


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
