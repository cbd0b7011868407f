"""What X-Ray shows of an invocation, through AWS's SDK: loaded only for those that Lambda samples."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import Any


class _Here:
    """A function's process serves one invocation at a time."""

    open: Any = None


@contextlib.contextmanager
def subsegment(name: str, annotations: Mapping[str, str], header: str) -> Iterator[None]:
    """Everything within it, and each AWS call below it. `header` is Lambda's: see `config.trace`."""
    if "Sampled=1" not in header.split(";"):
        yield
        return
    with _recorder().in_subsegment(name) as opened:
        _Here.open = opened
        try:
            annotate(**annotations)
            yield
        finally:
            _Here.open = None


def annotate(**annotations: str) -> None:
    """What the open subsegment is found by in X-Ray's console."""
    for name, value in annotations.items():
        if _Here.open is not None:
            _Here.open.put_annotation(name, value)


@functools.cache
def _recorder() -> Any:
    from aws_xray_sdk.core import patch, xray_recorder  # only if it is sampled

    patch(("botocore",))
    return xray_recorder
