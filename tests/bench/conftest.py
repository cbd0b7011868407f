"""The package `bench` is meant, not tests/flows/bench.py, whose folder pytest puts on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
