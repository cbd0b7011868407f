"""A plan confirmed by a signed-in AWS principal: who, whether possible, record it, wake the case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.domain import step_up
from chalicelib.domain.case import Act, Case, Click
from chalicelib.domain.clicks import not_possible
from chalicelib.domain.plan import Plan
from chalicelib.failures import Conflict, GiveUp, Refused, TryLater
from chalicelib.ports import Ports, Signed

LONGEST = 20_000
MOST_LOOKS = 10
CASE_ID = re.compile(r"[\w.-]{1,100}")
PLAN_HASH = re.compile(r"[0-9a-f]{64}")
MENTION = re.compile(r"<@([^>]+)>")
FIELDS = ("case_id", "plan_hash", "url", "body")


@dataclass(frozen=True)
class Said:
    """The answer: an HTTP status and a sentence."""

    status: int
    text: str


def confirm(ports: Ports, identify: Callable[[Signed], str], posted: bytes) -> Said:
    """`identify` gives the ARN that STS vouches for, or raises Refused. Nothing is done in AWS here."""
    try:
        signed = _asked(ports, posted)
        return _recorded(ports, signed, _vouched(ports, identify(signed)))
    except Refused as no:
        ports.count("ConfirmationsRefused", 1)
        ports.log("confirmation refused", why=no.reason)
        return Said(no.status, no.reason)
    except (TryLater, GiveUp) as trouble:
        ports.log("confirmation not recorded", why=trouble.reason)
        return Said(503, f"Nothing was recorded: {trouble.reason}. Run the command again.")


def _asked(ports: Ports, posted: bytes) -> Signed:
    if not ports.policy.step_up_roles:
        raise Refused(409, "No plan needs a confirmation here: STEP_UP_ROLES is empty.")
    return read(posted)


def _vouched(ports: Ports, arn: str) -> str:
    if not step_up.may_confirm(arn, ports.policy):
        raise Refused(403, f"{arn} may not confirm: its role is not in STEP_UP_ROLES.")
    return arn


def read(posted: bytes) -> Signed:
    """The posted JSON object; Refused where it is none, or holds more than it may."""
    try:
        told = json.loads(posted) if len(posted) <= LONGEST else None
    except (ValueError, RecursionError):
        told = None
    headers = told.get("headers") if isinstance(told, dict) else None
    values = [told.get(name) for name in FIELDS] if isinstance(told, dict) else []
    if not values or not _are_words(values) or not isinstance(headers, dict):
        raise Refused(400, "What was posted is no signed request of `unlatch approve`.")
    if not _are_words([*headers, *headers.values()]):
        raise Refused(400, "A header of the signed request is no single line.")
    case_id, plan_hash, url, body = map(str, values)
    signed = Signed(case_id, plan_hash, url, body, headers)
    if not CASE_ID.fullmatch(signed.case_id) or not PLAN_HASH.fullmatch(signed.plan_hash):
        raise Refused(400, "What was posted names no case and plan.")
    return signed


def _are_words(values: list[Any]) -> bool:
    return all(isinstance(v, str) and v.isprintable() for v in values)


def _recorded(ports: Ports, signed: Signed, arn: str) -> Said:
    """Judged on the newest case, as others may click at the same moment."""
    for _ in range(MOST_LOOKS):
        try:
            case = ports.cases.load(signed.case_id)
            plan = _plan(case, signed)
            before = _confirmed_by(ports, case, plan, arn)
            if before:
                return Said(200, f"This plan is confirmed already, by {before}. It counts once.")
            return _record(ports, case, plan, arn)
        except KeyError:
            raise Refused(409, f"There is no case {signed.case_id}.") from None
        except Conflict:
            continue
    raise TryLater("others wrote the case at the same moment")


def _plan(case: Case, signed: Signed) -> Plan:
    """The plan that is offered now, and that needs a confirmation."""
    offers = (offer for offer in case.offers if offer.plan_hash == signed.plan_hash)
    plan = next(offers, None)
    reason = not_possible(case, Act.CONFIRM, plan.remedy if plan else None)
    if plan is None and not case.is_closed:
        reason = "This plan is not offered any more. Look at the case, and run the command again."
    if reason or plan is None:
        raise Refused(409, MENTION.sub(r"\1", reason).replace("`", ""))
    if not plan.terms.step_up:
        raise Refused(409, "This plan needs no confirmation.")
    return plan


def _confirmed_by(ports: Ports, case: Case, plan: Plan, arn: str) -> str:
    """Who did before; one is enough, and sessions of a role could be many."""
    if step_up.made_the_call(arn, case):
        raise Refused(403, f"{arn} may not confirm: it may be who made the delete that failed.")
    clicks = case.current_clicks
    now = ports.clock()
    given = step_up.confirmations(plan, clicks, case=case, policy=ports.policy, now=now)
    return next((c.by for c in given), "")


def _record(ports: Ports, case: Case, plan: Plan, arn: str) -> Said:
    """Like an approval: by an entry in the inbox."""
    click = Click(Act.CONFIRM, arn, ports.clock(), remedy=plan.remedy, plan_hash=plan.plan_hash)
    woken = ports.cases.record_click(case, click, reopen=False)
    ports.count("Confirmations", 1)
    ports.log("plan confirmed", case_id=case.case_id, by=arn, plan_hash=plan.plan_hash)
    try:
        if woken.token:
            ports.runs.wake(woken.token)
    except (TryLater, GiveUp) as trouble:
        # It is in the case: the run hears it at its next look, or the sweep sees to it.
        ports.log("run not woken", case_id=case.case_id, why=trouble.reason)
    return Said(200, f"{arn} confirmed the plan to {plan.remedy} {case.cluster_id}.")
