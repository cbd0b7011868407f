"""Logs, metrics and traces behind one small surface, so that what lies behind it can change."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from chalicelib import garbage, traces


@functools.cache
def logger() -> Any:
    """Powertools' structured logger; service and level come from POWERTOOLS_* variables."""
    from aws_lambda_powertools import Logger  # not at import of app.py

    return Logger()


@functools.cache
def _metrics() -> Any:
    from aws_lambda_powertools import Metrics  # not at import of app.py

    metrics = Metrics()
    metrics.set_default_dimensions(service=metrics.service or "unlatch")
    return metrics


_found: set[str] = set()


def log(message: str, **about: Any) -> None:
    """One JSON line; `about` are keys beside the message."""
    logger().info(message, extra={k: v for k, v in about.items() if v not in ("", None)})


def warn(message: str, **about: Any) -> None:
    logger().warning(message, extra=about)


def count(name: str, value: int) -> None:
    """A metric in CloudWatch's embedded format, counted or in the seconds that its name begins with.

    Written at once: a function that dies later has still said what alarms ring by. Zeros say nothing.
    """
    if value:
        unit = "Seconds" if name.startswith("Seconds") else "Count"
        _metrics().add_metric(name=name, unit=unit, value=value)
        said = _json(_metrics().serialize_metric_set())
        print(said, flush=True)  # noqa: T201  # the format is read from standard output
        _metrics().clear_metrics()


def _json(value: Any) -> str:
    import json  # beside its one use

    return json.dumps(value, separators=(",", ":"))


@contextlib.contextmanager
def invocation(context: Any, *, trace: str, **keys: str) -> Iterator[None]:
    """One invocation: its keys on every line and on its trace."""
    request_id = str(getattr(context, "aws_request_id", ""))
    name = str(getattr(context, "function_name", ""))
    logger().append_keys(request_id=request_id, function=name, **keys)
    try:
        with traces.subsegment(name or "unlatch", keys, trace):
            yield
    except Exception as error:  # the invocation ends here: whatever it was is logged and raised
        logger().exception("invocation failed", extra={"reason": str(error)})
        raise
    finally:
        logger().remove_keys([*keys, *_found])
        _found.clear()
        garbage.started()


def about(**keys: str) -> None:
    """Keys that an invocation learns on its way: from here on on its lines, and on its trace."""
    _found.update(keys)
    logger().append_keys(**keys)
    traces.annotate(**keys)
