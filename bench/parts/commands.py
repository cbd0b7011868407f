"""The two commands that a newcomer runs first: how long until the demo shows a message, and all tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.fresh import ROOT
from bench.row import Row
from sandbox.page.server import PAGE_HEADER

ADDRESS = re.compile(r"http://\S+")
MESSAGE = re.compile(r"can(’|'|&#x27;|&#39;)t be deleted")
"""What the first message of a case says of its cluster."""
LONGEST_SECONDS = 60
LISTED = 4
PASSED = re.compile(r"^.*\b\d+ passed\b.*$", re.MULTILINE)


def demo_rows() -> list[Row]:
    what = (
        "`make demo`, from the command to the first message, with its first button pressed at once"
    )
    return [Row(what, "–", demo(), 6, "s")]


def tests_rows() -> list[Row]:
    seconds, said, folders = tests()
    times = [each for taken in folders.values() for each in taken]
    most = sorted(folders, key=lambda name: -sum(folders[name]))[:LISTED]
    shares = ", ".join(f"`{name}` {sum(folders[name]):.0f} s" for name in most)
    limit = (
        f"The tests’ own time, {sum(times):.0f} s shared by two processes ({shares}): "
        f"{sum(times) / len(times) * 1_000:.0f} ms a test."
    )
    return [Row("`make test`, whole", "–", seconds, 60, "s", how=f"pytest: {said}.", limit=limit)]


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


def tests() -> tuple[float, str, dict[str, list[float]]]:
    """Seconds by the wall clock, pytest's own last line, and the seconds of each test by its folder."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "tests.xml"
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603  # our own command
            ["make", "test", f"COVER=--junitxml={told}"],  # noqa: S607  # as a person types it
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        said = PASSED.findall(done.stdout)
        if done.returncode or not said:
            raise RuntimeError(f"make test ended with {done.returncode}: {done.stdout[-1000:]}")
        return seconds, said[-1].strip("= "), by_folder(told)


def by_folder(told: Path) -> dict[str, list[float]]:
    """From what pytest wrote in JUnit's format."""
    taken: dict[str, list[float]] = defaultdict(list)
    for test in ET.parse(told).iter("testcase"):  # noqa: S314  # pytest wrote it just now
        *folders, _ = test.attrib["classname"].split(".")
        taken["/".join(folders[:2])].append(float(test.attrib["time"]))
    return taken
