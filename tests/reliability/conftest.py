"""The flows' fixtures, and the page that a whole run writes its figures to."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandbox.reliability.report import write
from tests.flows.conftest import moto_store, stand, store
from tests.reliability.figures import TRIED, figure_lines

__all__ = ["moto_store", "stand", "store"]

BEGAN = time.monotonic()


def pytest_sessionfinish(exitstatus: int) -> None:
    page = os.environ.get("RELIABILITY_PAGE")
    if page and exitstatus == pytest.ExitCode.OK:
        write(Path(page), "tried", figure_lines(TRIED, seconds=time.monotonic() - BEGAN))
