"""A storm of events, nine tenths of them duplicates, against as many conditional puts as there are clusters."""

from __future__ import annotations

import json

from bench import inputs
from bench.fresh import Program, last_line, run
from bench.interleaved import Samples
from bench.row import Row


def rows(*, clusters: int) -> list[Row]:
    asked = {"clusters": clusters, "deliveries": 10, "slices": 10}
    program = Program(
        "bench.programs.duplicates",
        lambda: json.dumps(asked),
        inputs.settings("http://127.0.0.1:9"),
    )
    found = last_line(run(program))
    if (found["cases"], found["runs"]) != (clusters, clusters):
        raise RuntimeError(f"{found['cases']} cases and {found['runs']} runs of {clusters}")
    samples = {name: found[name] for name in ("events", "puts", "forgetful")}
    return [_warm(clusters, samples), _strangers(clusters, samples)]


def _warm(clusters: int, samples: Samples) -> Row:
    return Row(
        f"{clusters * 10:,} events, nine tenths duplicates, over {clusters:,} clusters, all to one "
        "warm function, CPU time",
        f"{clusters:,} conditional puts on the same table",
        _of_sums(samples, "events"),
        6,
        how=(
            f"Exactly {clusters:,} cases and {clusters:,} runs. A function remembers the events "
            "that it has heard, so a duplicate that comes back to it asks AWS nothing."
        ),
        samples=samples,
    )


def _strangers(clusters: int, samples: Samples) -> Row:
    return Row(
        "The same where every delivery meets a function that remembers nothing",
        f"{clusters:,} conditional puts on the same table",
        _of_sums(samples, "forgetful"),
        6,
        how="A tenth of the deliveries, with the memories emptied before each; scaled to all.",
        limit=(
            "A stranger to an event can only ask the table, so nine duplicates are nine reads "
            "where the reference makes one put: 9 × if a read cost as much as a put and nothing "
            "else were done. Unlatch makes two reads and starts the run again, as whoever opened "
            "the case may have died before the start."
        ),
    )


def _of_sums(samples: Samples, name: str) -> float:
    """Not of medians, as slices are not alike: most clusters are new in the first ones."""
    return sum(samples[name]) / sum(samples["puts"])
