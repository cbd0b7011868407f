"""Stored case bodies of earlier versions become today's, one step a version, when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
STEPS: dict[int, Callable[[Body], Body]] = {}
"""From a schema number to the function that makes the next one of it."""
SCHEMA = 1


def migrate(body: Body) -> Body:
    """The body in today's schema, without its number. A newer one than ours is read as it is:

    fields that this version doesn't know are ignored, and it is never written back older,
    because a save bumps the version that the newer code reads.
    """
    schema = int(body.pop("schema", 1))
    while schema < SCHEMA:
        body = STEPS[schema](body)
        schema += 1
    return body
