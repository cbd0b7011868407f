"""How thorough the long tests are: HYPOTHESIS_PROFILE=ci plays everything, the default a slice."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
SLOWLY = () if THOROUGH else (pytest.mark.slow,)
"""Marks of whole plays by the dozen: `make reliability` takes them with all others."""
MACHINE = settings(
    max_examples=500 if THOROUGH else 15,
    stateful_step_count=40 if THOROUGH else 30,
    deadline=None,
    derandomize=not THOROUGH,
    suppress_health_check=list(HealthCheck),
)
EVERY, EVERY_BY_TRIGGER, EVERY_ACT = (1, 20, 1) if THOROUGH else (60, 90, 5)
"""Of the crash matrix: each so many-th call of a story, of what other triggers offer, and of the calls
that change AWS; other ones for each kind of trouble."""
