"""A storm: programs fail again and again with keys that a plan has switched off, and people click meanwhile.

Ten functions, each with its own memory, hear 100,000 events in ten minutes of a model's clock, through the
whole entry point; the case takes its turns meanwhile. Reads `{"events", "callers"}`; writes what was asked for
and kept.
"""

# ruff: noqa: S311, T201
# A program chooses at random, and it prints.

import contextlib
import io
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from bench import inputs
from bench.stub.storm import (
    FUNCTIONS,
    MINUTES,
    TURN_SECONDS,
    Caller,
    Stored,
    failed_use,
    switched_off,
)
from bench.stub.transport import Transport
from chalicelib.answers import Recorded
from chalicelib.flows.record_click import record_click
from chalicelib.ports import Interaction
from tests.flows.cloud import HUB, REGION

asked = json.load(sys.stdin)
os.environ |= inputs.settings("http://127.0.0.1:9")
stored = Stored()
case_id = switched_off(stored)
bench = stored.bench

import app  # noqa: E402  # with the settings
from chalicelib import config, wiring  # noqa: E402
from chalicelib.aws.session import own_session  # noqa: E402

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev-on_key_used"
CONTEXT = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch")
transport = Transport(stored.answers.aws, latency=0)
own_session(None).register("before-send", transport.send)


def function() -> Any:
    """A warm function of its own: what it remembers, the others don't know."""
    made = wiring.Wiring(config.read(), hub_account=HUB, region=REGION)
    made.__dict__["ports"] = replace(made.ports, clock=bench.clock, people=bench.slack)
    return made


def click() -> bool:
    """Somebody asks for a fresh look: answered, or refused for want of room."""
    wanted = Interaction("button", "alice", "T1", "C1", "refresh", case_id)
    return record_click(functions[0].ports, wanted) == Recorded()


chosen = SimpleNamespace(made=None)
wiring.wired = lambda _: chosen.made  # type: ignore[assignment]  # one of the functions
functions = [function() for _ in range(FUNCTIONS)]
CHANCE = random.Random(7)
began, step = bench.clock.now, timedelta(minutes=MINUTES) / asked["events"]
callers = [Caller(number) for number in range(asked["callers"])]
units, second, busiest = Counter(stored.table.units), 0, Counter[str]()
cpu, clicked, turns, out = 0.0, Counter[bool](), 0, io.StringIO()
next_turn, next_click = TURN_SECONDS, 30
stored.answers.calls.clear()
for number in range(asked["events"]):
    bench.clock.now = began + number * step
    gone = int((bench.clock.now - began).total_seconds())
    if gone > second:
        for name, value in (stored.table.units - units).items():
            busiest[name] = max(busiest[name], value // (gone - second))
        units, second = Counter(stored.table.units), gone
    if gone >= next_turn:
        next_turn, turns = gone + TURN_SECONDS, turns + 1
        turn = bench.turn(case_id)
        bench.stored.sleep(case_id, version=turn.version, token=f"token-{turns}")
    if gone >= next_click:
        next_click += 60
        clicked[click()] += 1
    event = failed_use(
        f"use-{number}",
        CHANCE.choice(callers),
        stored.keys[CHANCE.randrange(len(stored.keys))],
        bench.clock.now,
    )
    chosen.made = CHANCE.choice(functions)
    start = time.process_time()
    with contextlib.redirect_stdout(out):
        app.on_key_used(event, CONTEXT)
    cpu += time.process_time() - start
    out.seek(0)
    out.truncate()
bench.turn(case_id)
case = bench.case(case_id)
print()
json.dump(
    {
        "cpu": cpu,
        "units": stored.table.units,
        "busiest": busiest,
        "calls": Counter(call.partition(":")[2] for call in stored.answers.calls),
        "cases": len(bench.stored.pointers()),
        "callers": len({use.who for use in case.key_uses}),
        "kept": len(case.key_uses),
        "turns": turns,
        "clicked": clicked[True],
        "refused": clicked[False],
    },
    sys.stdout,
)
