"""A click in Slack: who may, whether it is possible now, record it, wake the case. Never touches AWS's side."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from chalicelib.answers import (
    Answer,
    CanNot,
    FieldError,
    Looking,
    MayNot,
    PlanChanged,
    Private,
    Recorded,
    WrongId,
)
from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.clicks import ended_just_now, not_possible
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.failures import Conflict, PermanentError, TemporaryError
from chalicelib.flows.record import record_and_wake
from chalicelib.flows.routing import for_case
from chalicelib.ports import Interaction, Ports

BUTTONS = {
    "reject": Act.REJECT,
    "cancel": Act.CANCEL,
    "undo": Act.UNDO,
    "refresh": Act.REFRESH,
    "withdraw": Act.WITHDRAW,
    **dict.fromkeys(map(str, Remedy), Act.LOOK),
}
DAYS = re.compile(r"([1-9][0-9]{0,2})d")
LONGEST_KEEP = 365
MOST_LOOKS = 40
"""A look and a write take some 10 ms, and Slack waits three seconds."""
UNKNOWN_CASE = (
    "Unlatch does not know this case any more. Nothing was changed. "
    "The next failed delete of the cluster opens a new one."
)
NOT_NOW = "Your click could not be recorded ({}). Nothing was changed. Please click once more."
NOT_WOKEN = (
    "Your click is recorded, but the case could not be woken ({}). "
    "It goes on within the hour. To try at once, press the button again."
)
UNKNOWN_BUTTON = (
    "Unlatch does not know what this button does. Nothing was changed. "
    "Please use the buttons of the newest message."
)


def record_click(ports: Ports, clicked: Interaction) -> Answer:
    """What to answer. Every click gets one: nothing is swallowed, and nothing is done here in AWS."""
    act = BUTTONS.get(clicked.action) if clicked.kind == "button" else _act_of_dialog(clicked)
    if act is None:
        return Private(UNKNOWN_BUTTON)
    try:
        return _recorded(ports, clicked, act)
    except KeyError:
        return Private(UNKNOWN_CASE)
    except TemporaryError as trouble:
        ports.log("click not recorded", by=clicked.user_id, why=trouble.reason)
        return Private(NOT_NOW.format(trouble.reason))
    except PermanentError as stop:
        ports.log("click not recorded", by=clicked.user_id, why=stop.reason)
        return Private(" ".join((stop.reason, *stop.advice)))


def _recorded(ports: Ports, clicked: Interaction, act: Act) -> Answer:
    """Judged on the newest case: of clicks at the same moment, each sees those before it."""
    for _ in range(MOST_LOOKS):
        case = ports.cases.load(clicked.case_id)
        there = for_case(ports, case)
        person = there.people.fetch([clicked.user_id]).get(clicked.user_id)
        try:
            return _judge(there, clicked, act, case, person)
        except Conflict:
            continue
    return Private("Others clicked at the same moment. Please look again and click once more.")


def _act_of_dialog(clicked: Interaction) -> Act | None:
    if clicked.kind != "submission" or clicked.action not in ("decide", "look_again"):
        return None
    if clicked.action == "look_again":
        return Act.LOOK
    return Act.KEEP if clicked.remedy == Remedy.KEEP else Act.APPROVE


def _judge(
    ports: Ports, clicked: Interaction, act: Act, case: Case, person: Person | None
) -> Answer:
    situation = last_seen(case, policy=ports.policy, now=ports.clock())
    remedy = _remedy_of(clicked)
    refusal = approval.refusal(person, act, situation, remedy=remedy, seen_in=clicked.team_id)
    if refusal:
        ports.count("ClicksRefused", 1)
        ports.log("click refused", case_id=case.case_id, by=clicked.user_id, why=refusal.name)
        return MayNot(refusal, person.unread if person else ())
    why = ended_just_now(case, act, by=clicked.user_id)
    why = why or not_possible(case, act, remedy, by=clicked.user_id)
    if why:
        return CanNot(why, case)
    match act:
        case Act.LOOK:
            return _open(ports, clicked, case, remedy)
        case Act.APPROVE:
            return _approve(ports, clicked, case, remedy)
        case Act.KEEP:
            return _keep(ports, clicked, case)
    return _record(ports, case, Click(act, clicked.user_id, ports.clock()))


def _remedy_of(clicked: Interaction) -> Remedy | None:
    word = clicked.remedy if clicked.kind == "submission" else clicked.action
    return Remedy(word) if word in {str(remedy) for remedy in Remedy} else None


def _open(ports: Ports, clicked: Interaction, case: Case, remedy: Remedy | None) -> Answer:
    """The dialog opens at once with little in it; the next turn reads AWS and fills it."""
    if remedy is None:
        return Private(UNKNOWN_BUTTON)
    view_id = clicked.view_id
    if clicked.kind == "button":
        if told := _counted_already(case, clicked.user_id, remedy):
            return Private(told)
        view_id = ports.gateway.open(case, remedy, trigger_id=clicked.trigger_id)
    if not view_id:
        return Private("Slack could not open the dialog in time. Please click again.")
    click = Click(Act.LOOK, clicked.user_id, ports.clock(), remedy=remedy, view_id=view_id)
    answer = _record(ports, case, click)
    if clicked.kind == "submission" and isinstance(answer, Recorded):
        return Looking(case, remedy)
    return answer


def _counted_already(case: Case, user_id: str, remedy: Remedy) -> str:
    """Told before the dialog opens, not once it is filled in. Another target of a repoint is another plan."""
    plan = case.offer(remedy)
    if plan is None or case.plan or remedy is Remedy.REPOINT:
        return ""
    said = {click.by for click in approval.approved(plan, case)}
    missing = plan.terms.people - len(said)
    if user_id not in said or missing <= 0:
        return ""
    who = "One more person is" if missing == 1 else f"{missing} more people are"
    return f"You approved this already. It counts once. {who} needed."


def _approve(ports: Ports, clicked: Interaction, case: Case, remedy: Remedy | None) -> Answer:
    """One person's yes to one plan hash, sealed."""
    values = clicked.values
    typed = values.get("cluster_id", "").strip()
    # A rescue deletes nothing, and whoever reads it was woken: it has no id to type.
    if remedy is not Remedy.RESCUE and typed.lower() != case.cluster_id.lower():
        return WrongId(typed, case)
    offers = (plan for plan in case.offers if plan.remedy is remedy)
    seen = next((plan for plan in offers if plan.plan_hash == clicked.plan_hash), None)
    if seen is None:
        return PlanChanged(case, remedy) if remedy else Private(UNKNOWN_BUTTON)
    targeted = _targeted(case, seen, values.get("target", ""))
    if targeted is None:
        return FieldError("target", "This cluster can’t take the key store now.")
    plan = _placed(targeted, values.get("subnets", ""))
    if isinstance(plan, FieldError):
        return plan
    lacking = _lacking(plan, clicked)
    if lacking:
        return lacking
    said = _said_already(ports, case, clicked.user_id, plan)
    if said:
        return Private(said)
    ports.count("Approvals", 1)
    return _record(ports, case, _yes(plan, clicked, ports.clock()))


def _yes(plan: Plan, clicked: Interaction, at: datetime) -> Click:
    values = clicked.values
    return Click(
        Act.APPROVE,
        clicked.user_id,
        at,
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        reason=values["reason"].strip()[:500],
        override=plan.terms.override and "in_use" in values.get("override", "").split(","),
        target=plan.target_cluster_id or _chosen(plan, clicked),
    )


def _chosen(plan: Plan, clicked: Interaction) -> str:
    """Of a rescue in other subnets than it was offered in: those, so that each turn can tell the plan."""
    if plan.plan_hash == clicked.plan_hash:
        return ""
    return rescue_subnets.written(rescue_subnets.read_choice(clicked.values.get("subnets", "")))


def _said_already(ports: Ports, case: Case, user_id: str, plan: Plan) -> str:
    """This person has approved, by this account or by another one with the same e-mail; "" if not."""
    said = {click.by for click in approval.approved(plan, case)}
    if user_id in said:
        return "You approved this already. It counts once."
    others = sorted(said)
    people = ports.people.fetch([user_id, *others]) if others else {}
    me = people.get(user_id)
    if any(approval.same_person(me, people.get(other)) for other in others):
        return "Your other account has approved this. One e-mail address counts once."
    return ""


def _lacking(plan: Plan, clicked: Interaction) -> FieldError | None:
    if not approval.is_reason(clicked.values.get("reason", "")):
        return FieldError("reason", "Please give a reason. Everybody in the thread will see it.")
    if plan.terms.override and "in_use" not in clicked.values.get("override", "").split(","):
        return FieldError("override", "Tick this box to say that you know what will fail.")
    if plan.unproven and clicked.values.get("unproven", "") != "unproven":
        return FieldError(
            "unproven", "Tick this box to say that you know which keys can’t be checked."
        )
    return None


def _targeted(case: Case, seen: Plan, target: str) -> Plan | None:
    """The plan for the chosen cluster; the one that was shown if none was chosen."""
    if not target or target == seen.target_cluster_id:
        return seen
    offers = (p for p in case.offers if p.remedy is seen.remedy)
    return next((p for p in offers if p.target_cluster_id == target), None)


def _placed(plan: Plan, ticked: str) -> Plan | FieldError:
    """The rescue in the subnets that were ticked. A turn judges them by what AWS shows then."""
    if not plan.backup_id or not (ticked or plan.lacks_choice):
        return plan
    if flaw := rescue_subnets.flaw(ticked):
        return FieldError("subnets", flaw)
    return rescue_subnets.with_subnets(plan, rescue_subnets.read_choice(ticked))


def _keep(ports: Ports, clicked: Interaction, case: Case) -> Answer:
    values, now = clicked.values, ports.clock()
    if not approval.is_reason(values.get("reason", "")):
        return FieldError("reason", "Please give a reason.")
    days = DAYS.fullmatch(values.get("for", ""))
    if not days or int(days[1]) > LONGEST_KEEP:
        return FieldError("for", f"Choose 1 to {LONGEST_KEEP} days, like 30d.")
    click = Click(
        Act.KEEP,
        clicked.user_id,
        now,
        remedy=Remedy.KEEP,
        reason=values["reason"].strip()[:500],
        owner=values.get("owner") or clicked.user_id,
        keep_until=now + timedelta(days=int(days[1])),
    )
    return _record(ports, case, click)


def _record(ports: Ports, case: Case, click: Click) -> Answer:
    """In the case, and heard by its run; if the run can't be woken, the person is told."""
    trouble = record_and_wake(ports, case, click)
    return Private(NOT_WOKEN.format(trouble)) if trouble else Recorded()
