"""EventBridge TestEventPattern, which moto lacks; the rest of EventBridge is moto's. Delivers nothing."""

from __future__ import annotations

from typing import Any, cast

from moto.events.models import EventPattern
from moto.events.utils import EventMessageType

from sandbox.aws.calls import AwsError, RequestContext, json_object

NEEDED = ("id", "account", "source", "time", "region", "resources", "detail-type")


def answer(visit: RequestContext) -> dict[str, Any] | None:
    """Whether a pattern takes an event, or None if moto answers. Raises AwsError."""
    if visit.request.operation != "TestEventPattern":
        return None
    pattern = json_object(visit.params.get("EventPattern", "").encode())
    event = json_object(visit.params.get("Event", "").encode())
    if pattern is None or not pattern:
        raise AwsError("InvalidEventPatternException", "Event pattern is not valid.")
    lacking = [name for name in NEEDED if name not in (event or {})]
    if event is None or lacking:
        raise AwsError("ValidationException", f"The event lacks {', '.join(lacking) or 'a form'}.")
    return {
        "Result": EventPattern.load(visit.params["EventPattern"]).matches_event(
            cast(EventMessageType, event)
        )
    }
