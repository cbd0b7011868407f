"""The two commands that a newcomer runs first: how long until the demo shows a message, and all tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request

from bench.fresh import ROOT
from bench.row import Row
from sandbox.page.server import PAGE_HEADER

ADDRESS = re.compile(r"http://\S+")
MESSAGE = re.compile(r"can(’|'|&#x27;|&#39;)t be deleted")
"""What the first message of a case says of its cluster."""
LONGEST_SECONDS = 60
PASSED = re.compile(r"^.*\b\d+ passed\b.*$", re.MULTILINE)


def demo_rows() -> list[Row]:
    what = (
        "`make demo`, from the command to the first message, with its first button pressed at once"
    )
    return [Row(what, "–", demo(), 6, "s")]


def tests_rows() -> list[Row]:
    seconds, said = tests()
    return [Row("`make test`, whole", "–", seconds, 60, "s", how=f"pytest: {said}.")]


def demo() -> float:
    """Seconds by the wall clock, as a person waits."""
    began = time.perf_counter()
    process = subprocess.Popen(  # our own commands
        [sys.executable, "-m", "sandbox", "demo"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout, "it is a pipe"
    try:
        address = ADDRESS.search(process.stdout.readline())
        if address is None:
            raise RuntimeError("the demo printed no address")
        _make_the_delete_fail(address[0])
        while not MESSAGE.search(_asked(address[0])):
            if time.perf_counter() - began > LONGEST_SECONDS or process.poll() is not None:
                raise RuntimeError("the demo showed no message")
            time.sleep(0.05)
        return time.perf_counter() - began
    finally:
        # Not SIGINT: if this run was started in the background, that is ignored, and inherited.
        process.terminate()
        process.wait(LONGEST_SECONDS)


def _make_the_delete_fail(address: str) -> None:
    """The first button of the page, as the page sends it."""
    act = json.dumps({"act": "begin", "as": "alice"}).encode()
    headers = {"Content-Type": "application/json", PAGE_HEADER: "1"}
    _asked(urllib.request.Request(address, act, headers))  # noqa: S310  # the demo's own address


def _asked(what: str | urllib.request.Request) -> str:
    """Straight to this machine, whatever proxy is set."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    # only ever the address that the demo has printed
    with opener.open(what, timeout=LONGEST_SECONDS) as answer:
        return str(answer.read().decode())


def tests() -> tuple[float, str]:
    """Seconds by the wall clock, and pytest's own last line."""
    began = time.perf_counter()
    done = subprocess.run(
        ["make", "test"],  # noqa: S607  # the command that a person types
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = PASSED.findall(done.stdout)
    if done.returncode or not said:
        raise RuntimeError(f"make test ended with {done.returncode}: {done.stdout[-1000:]}")
    return time.perf_counter() - began, said[-1].strip("= ")
