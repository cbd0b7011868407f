"""What `unlatch` posts, signed: read strictly, recorded as a click, answered with a sentence. Decides nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.answers import filled_in
from chalicelib.domain.rules.approval import is_reason
from chalicelib.domain.rules.clicks import NotPossible, Obstacle
from chalicelib.domain.state.case import Case
from chalicelib.failures import ConflictError, PermanentError, RequestError, TemporaryError
from chalicelib.ports import Ports, SignedCancel, SignedPlan

LONGEST = 20_000
LONGEST_REASON = 1_000
MOST_LOOKS = 10
CASE_ID = re.compile(r"[\w.-]{1,100}")
PLAN_HASH = re.compile(r"[0-9a-f]{64}")
OBSTACLES = {
    Obstacle.ON_HOLD: "This case is on hold: its record can’t be trusted, so nobody can decide "
    "here. Nothing was changed. Its message in Slack has the steps.",
    Obstacle.DECIDED: "{who} decided this just before you. Nothing was changed.",
    Obstacle.ENDED: "{who} ended this just before you. Nothing was changed.",
    Obstacle.NOT_OFFERED: "{what} is not possible now. Nothing was changed. "
    "`unlatch diagnose` says why.",
    Obstacle.ASKED_ALREADY: "{who} asked for this already. It is under way.",
    Obstacle.CLOSED_BY: "{who} closed this on {when}. Nothing was changed.",
    Obstacle.OVER: "This case is over ({outcome}, {when}). Nothing was changed.",
}
"""The others are about buttons; for a shell they come to the last."""
FIELDS = ("case_id", "url", "body")


@dataclass(frozen=True)
class Said:
    """The answer: an HTTP status and a sentence."""

    status: int
    text: str


def answered(ports: Ports, do: Callable[[], Said], *, refusals: str) -> Said:
    """The answer whatever happens; `refusals` is the metric that counts them."""
    try:
        return do()
    except RequestError as no:
        ports.count(refusals, 1)
        ports.log("signed request refused", why=no.reason)
        return Said(no.status, no.reason)
    except (TemporaryError, PermanentError) as trouble:
        ports.log("signed request not recorded", why=trouble.reason)
        return Said(503, f"Nothing was recorded: {trouble.reason}. Run the command again.")


def plan_to_confirm(posted: bytes) -> SignedPlan:
    """The posted JSON object; Refused if it is none, or holds more than it may."""
    told, case_id, url, body = _read(posted)
    plan_hash = told.get("plan_hash")
    if not isinstance(plan_hash, str) or not PLAN_HASH.fullmatch(plan_hash):
        raise RequestError(400, "What was posted names no case and plan.")
    return SignedPlan(case_id, url, body, told["headers"], plan_hash)


def case_to_cancel(posted: bytes) -> SignedCancel:
    """Refused also without a reason that somebody can read."""
    told, case_id, url, body = _read(posted)
    reason = told.get("reason")
    if not isinstance(reason, str) or not is_reason(reason) or len(reason) > LONGEST_REASON:
        raise RequestError(400, f"A reason is needed, of at most {LONGEST_REASON} characters.")
    return SignedCancel(case_id, url, body, told["headers"], reason)


def _read(posted: bytes) -> tuple[dict[str, Any], str, str, str]:
    try:
        told = json.loads(posted) if len(posted) <= LONGEST else None
    except (ValueError, RecursionError):
        told = None
    headers = told.get("headers") if isinstance(told, dict) else None
    values = [told.get(name) for name in FIELDS] if isinstance(told, dict) else []
    if told is None or not values or not _are_words(values) or not isinstance(headers, dict):
        raise RequestError(400, "What was posted is no signed request of `unlatch`.")
    if not _are_words([*headers, *headers.values()]):
        raise RequestError(400, "A header of the signed request is no single line.")
    case_id, url, body = map(str, values)
    if not CASE_ID.fullmatch(case_id):
        raise RequestError(400, "What was posted names no case and plan.")
    return told, case_id, url, body


def _are_words(values: list[Any]) -> bool:
    return all(isinstance(v, str) and v.isprintable() for v in values)


def on_newest(ports: Ports, case_id: str, judge: Callable[[Case], Said]) -> Said:
    """Judged on the newest case, as others may click at the same moment."""
    for _ in range(MOST_LOOKS):
        try:
            return judge(ports.cases.load(case_id))
        except KeyError:
            raise RequestError(409, f"There is no case {case_id}.") from None
        except ConflictError:
            continue
    raise TemporaryError("others wrote the case at the same moment")


def why_not(found: NotPossible, case: Case) -> str:
    """What a shell is told if the case as it stands does not allow it."""
    words = OBSTACLES.get(found.obstacle, OBSTACLES[Obstacle.OVER])
    return filled_in(words, found, case, by=found.by)
