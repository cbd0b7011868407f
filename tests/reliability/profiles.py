"""How thorough the long tests are: HYPOTHESIS_PROFILE=ci plays everything, the default a slice."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
MACHINE = settings(
    max_examples=500 if THOROUGH else 15,
    stateful_step_count=40 if THOROUGH else 30,
    deadline=None,
    derandomize=not THOROUGH,
    suppress_health_check=list(HealthCheck),
)
EVERY, EVERY_BY_TRIGGER, EVERY_ACT = (1, 20, 1) if THOROUGH else (200, 90, 8)
"""Of the crash matrix: each so many-th call of a story, of what other triggers offer, and of the calls
that change AWS; other ones for each kind of trouble."""
