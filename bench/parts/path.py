"""Where people wait: the wall time of a warm acknowledgement, and how many network rounds it takes, beside bolt's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

from bench import inputs
from bench.chain import longest
from bench.fresh import Warm
from bench.interleaved import Samples, ratio, rounds
from bench.row import Row
from bench.stub.answers import Answers
from bench.stub.server import Latency, Seen, StubServer
from sandbox.reliability.table import MemoryTable

AWS, SLACK = 0.015, 0.120
FIRST, SECOND = "first yes", "second yes"
BOLT, BOLT_ONE = "bolt, authorising each click", "bolt, with the token of one workspace"
Click = Callable[[], float]


class Side:
    """A warm program that is clicked on, and what it asked for at its last click."""

    def __init__(self, stub: StubServer, program: Warm, *, approved: bool = False) -> None:
        self._stub, self._program = stub, program
        self._table = MemoryTable(inputs.TABLE)
        self._body = inputs.approval(inputs.waiting_case(self._table, approved=approved))
        self._before = dict(self._table.items)
        self.seen: list[list[Seen]] = []

    def click(self) -> float:
        """Seconds by the wall clock, on the table as it was before."""
        self._table.items = dict(self._before)
        self._stub.answers = Answers(self._table, inputs.SECRETS)
        self._stub.seen = []
        took = float(self._program.ask(**inputs.http_event(self._body))["seconds"])
        self.seen.append(self._stub.seen)
        return took

    @property
    def chain(self) -> list[Seen]:
        """The critical path of most clicks; the first one reads secrets and makes clients."""
        chains = sorted(map(longest, self.seen[1:]), key=len)
        return chains[len(chains) // 2]


def rows(*, count: int) -> list[Row]:
    latency = Latency(AWS, SLACK)
    answers = Answers(MemoryTable(inputs.TABLE), inputs.SECRETS)
    with StubServer(answers, latency) as stub, ExitStack() as open_:
        environ = inputs.settings(stub.url)
        ours, bolt, one = (
            open_.enter_context(Warm(f"bench.programs.path_{name}", {**environ, **more}))
            for name, more in (("ours", {}), ("bolt", {"BOLT_STORE": "1"}), ("bolt", {}))
        )
        sides = {
            FIRST: Side(stub, ours),
            SECOND: Side(stub, ours, approved=True),
            BOLT: Side(stub, bolt),
            BOLT_ONE: Side(stub, one),
        }
        samples = rounds({name: side.click for name, side in sides.items()}, count=count)
    return [_rounds(sides), _wall(samples, sides)]


def _rounds(sides: dict[str, Side]) -> Row:
    first, second = sides[FIRST], sides[SECOND]
    return Row(
        "Warm acknowledgement: network rounds one after the other, AWS at 15 ms and Slack at 120 ms a call",
        "–",
        len(first.chain),
        3,
        unit="rounds",
        how=(
            f"Of {len(first.seen[-1])} requests ({_named(first.seen[-1])}) the longest chain is "
            f"{_named(first.chain)}. The second yes of two asks Slack for both people: "
            f"{_named(second.seen[-1])}; its longest chain has {len(second.chain)}."
        ),
    )


def _wall(samples: Samples, sides: dict[str, Side]) -> Row:
    return Row(
        "The same click by the wall clock",
        "slack-bolt, authorising each click by auth.test, and one conditional put",
        ratio(samples, FIRST, BOLT),
        1.0,
        how=(
            f"Medians: {_ms(samples, FIRST)} (the second yes: {_ms(samples, SECOND)}) against "
            f"{_ms(samples, BOLT)}. Bolt asks {_named(sides[BOLT].seen[-1])}, with its store of "
            f"installations in memory. With the token of one workspace it asks Slack once a process, and "
            f"the click takes {_ms(samples, BOLT_ONE)}: then nobody knows whether who clicked still "
            "belongs to the workspace, which Unlatch asks at each click."
        ),
        limit=(
            "Slack’s word on who clicked takes as long as bolt’s auth.test, and the write as long as its "
            "put. What is above is a millisecond of processor time after that word: beside the write the run "
            "is woken, and two requests are built and signed where bolt has one."
        ),
        samples=samples,
    )


def _named(seen: list[Seen]) -> str:
    return ", ".join(one.name for one in seen)


def _ms(samples: Any, name: str) -> str:
    return f"{median(samples[name]) * 1_000:.0f} ms"
