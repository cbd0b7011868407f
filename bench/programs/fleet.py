"""Sweeps, or scans, many accounts and Regions once.

Reads `{"what", "accounts", "latency", "clusters", "keys", "hangs"}` from standard input, `what` being `sweep`
or `scan`; writes seconds, CPU, memory, and what each place waited for.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3

from bench.machine import peak_mb
from bench.stub.fleet import HOME, HUB, Fleet
from chalicelib import config, wiring
from chalicelib.domain.state.caller import Caller
from chalicelib.flows.sweep import sweep
from ops import scan
from ops.command_context import CommandContext
from ops.console import Console
from ops.hub import Hub


def swept(fleet: Fleet) -> dict[str, Any]:
    """The function’s own flow and wiring; how long the places took that answered."""
    done: dict[str, float] = {}
    really = fleet.table.transact_write_items

    def noted(**request: Any) -> Any:
        for item in (write["Put"]["Item"] for write in request["TransactItems"]):
            done[item["sk"]] = time.perf_counter() - began
        return really(**request)

    fleet.table.transact_write_items = noted  # type: ignore[method-assign]  # noted on the way
    made = wiring.Wiring(config.read(), hub_account=HUB, region=HOME)
    began = time.perf_counter()
    said = sweep(made.ports)
    return {"unread": len(said.unread), "read": len(done), "last": max(done.values())}


def scanned(fleet: Fleet) -> dict[str, Any]:
    """The operator’s own command, with a hub that is not deployed."""
    session = boto3.Session(region_name=HOME)
    hub = Hub(session, "bench", HUB, HOME, Caller("", "olga", ""), lambda: datetime.now(UTC))
    hub.__dict__.update(client_as=fleet.client, settings=config.read())
    out = io.StringIO()
    options = SimpleNamespace(own=False, account=(), all_regions=False, regions=(), idle_days=30)
    context = CommandContext(Console(out, io.StringIO(), as_json=True), hub.clock)
    scan.scan(hub, options, context)
    told = json.loads(out.getvalue())
    clusters = sum(len(place["clusters"]) for place in told["places"])
    keys = sum(s["keys"] for p in told["places"] for c in p["clusters"] for s in c["key_stores"])
    return {"read": len(told["places"]), "clusters": clusters, "keys": keys}


KINDS: dict[str, Callable[[Fleet], dict[str, Any]]] = {"sweep": swept, "scan": scanned}
asked = json.load(sys.stdin)
kind = KINDS[asked.pop("what")]
fleet = Fleet(**asked)
wiring.Wiring._maker = lambda self, **_: fleet.client  # type: ignore[method-assign]  # noqa: SLF001, ARG005  # in AWS’s place
base_mb = peak_mb()
wall, cpu = time.perf_counter(), time.process_time()
said = kind(fleet)
said |= {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
said |= {"base_mb": base_mb, "peak_mb": peak_mb(), "throttled": fleet.throttled}
said["lookups"] = fleet.calls["LookupEvents"]
json.dump(said, sys.stdout)
sys.stdout.flush()
os._exit(0)  # whatever hangs still waits
