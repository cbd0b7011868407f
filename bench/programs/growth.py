"""Many open cases: the hourly sweep of them, and what `/unlatch status` answers.

Reads `{"what", "cases"}` from standard input, `what` being `sweep` or `status`; writes CPU seconds and the
calls of AWS and Slack, which answer at once and in this process. Their work is counted in.
"""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bench import inputs
from bench.machine import peak_mb
from bench.stub.cases import Crowd
from bench.stub.transport import Transport
from bench.stub.world import answered_here
from chalicelib import wiring
from chalicelib.aws.session import own_session
from chalicelib.flows.command import command
from chalicelib.flows.sweep import sweep
from chalicelib.ports import Interaction
from sandbox.reliability.table import MemoryTable

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev-sweep"


def swept(wired: Any) -> int:
    """The function’s own flow; how many cases it found moved or dead, which none is."""
    wired.cases.set_homes({"alice": datetime.now(UTC)})
    said = sweep(wired.ports)
    if wrong := [*said.unread, *["restarted"] * said.restarted, *["used"] * said.used]:
        sys.exit(f"wrong: {wrong[:3]}")
    return 0


def told(wired: Any) -> int:
    clicked = Interaction("command", "alice", "T1", channel="C1", text="status")
    at = (wired.hub_account, wired.region)
    said = command(wired.ports, clicked, here=at, speech=wired.reach)
    words = wired.gateway.said(said)
    return int("cluster-" not in words)


asked = json.load(sys.stdin)
table = MemoryTable(inputs.TABLE)
crowd = Crowd(table, inputs.SECRETS, asked["cases"])
own_session(None).register("before-send", Transport(crowd.aws, latency=0).send)
answered_here(0)
wired = wiring.wired(SimpleNamespace(invoked_function_arn=ARN))
wired.__dict__["_slack"] = SimpleNamespace(
    call=lambda method, **_: crowd.slack(method), respond=print
)
act = {"sweep": swept, "status": told}[asked["what"]]
began = time.process_time()
wrong = act(wired)
cpu = time.process_time() - began
if wrong or len(wired.cases.pointers()) != asked["cases"]:
    sys.exit(f"wrong: {wrong} of {asked}")
calls = Counter(call.partition(":")[2] for call in crowd.calls)
json.dump({"cpu": cpu, "calls": calls, "peak_mb": peak_mb()}, sys.stdout)
