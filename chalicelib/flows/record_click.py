"""A click in Slack: who may, whether it is possible now, record it, wake the case. Never touches AWS's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from chalicelib.answers import Answer, Looking, MayNot, Private, Recorded
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.failures import ConflictError
from chalicelib.flows.answering import answered
from chalicelib.flows.meant import UNKNOWN_BUTTON, meant_by, offered, remedy_of
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
OTHER_ACCOUNT = "Your other account has approved this. One e-mail address counts once."
NOT_TOLD_APART = (
    "Slack can’t say now who approved this before you, so Unlatch can’t tell whether that was another "
    "account of yours. Nothing was changed. Please approve once more in a minute."
)
Asked = Callable[[], Mapping[str, Person]]
"""Waits for what Slack says of people."""


def record_click(ports: Ports, clicked: Interaction) -> Answer:
    """What to answer. Every click gets one: nothing is swallowed, and nothing is done here in AWS."""
    act = BUTTONS.get(clicked.action) if clicked.kind == "button" else _act_of_dialog(clicked)
    if act is None:
        return Private(UNKNOWN_BUTTON)
    recorded = partial(_recorded, ports, clicked, act)
    try:
        return answered(ports, clicked.user_id, recorded, not_now=_not_now)
    except KeyError:
        return Private(UNKNOWN_CASE)


def _not_now(reason: str) -> Answer:
    return Private(NOT_NOW.format(reason))


def _recorded(ports: Ports, clicked: Interaction, act: Act) -> Answer:
    """Judged on the newest case: of clicks at the same moment, each sees those before it.

    Slack is asked who clicked while the case is read; if there are routes, the case says who approves.
    """
    asked = None if ports.routes else _asked(ports, clicked.user_id)
    for _ in range(MOST_LOOKS):
        case = ports.cases.load(clicked.case_id)
        there = for_case(ports, case)
        asked = asked or _asked(there, clicked.user_id)
        try:
            return _judge(there, clicked, act, case, asked)
        except ConflictError:
            continue
    return Private("Others clicked at the same moment. Please look again and click once more.")


def _asked(ports: Ports, *user_ids: str) -> Asked:
    """Slack is being asked who they are."""
    return ports.aside(partial(ports.people.fetch, user_ids))


def _act_of_dialog(clicked: Interaction) -> Act | None:
    if clicked.kind != "submission" or clicked.action not in ("decide", "look_again"):
        return None
    if clicked.action == "look_again":
        return Act.LOOK
    return Act.KEEP if clicked.remedy == Remedy.KEEP else Act.APPROVE


def _judge(ports: Ports, clicked: Interaction, act: Act, case: Case, asked: Asked) -> Answer:
    """What the click would be is sealed, and who else said yes is asked, while Slack says who clicked."""
    remedy = remedy_of(clicked)
    meant = meant_by(clicked, act, case, now=ports.clock())
    sealing = _sealing(ports, case, meant)
    others = _others(ports, case, meant, remedy)
    person = asked().get(clicked.user_id)
    situation = last_seen(case, policy=ports.policy, now=ports.clock())
    refusal = approval.refusal(person, act, situation, remedy=remedy, seen_in=clicked.team_id)
    if refusal:
        ports.count("ClicksRefused", 1)
        ports.log("click refused", case_id=case.case_id, by=clicked.user_id, why=refusal.name)
        return MayNot(refusal, person.unread if person else ())
    assert person is not None, "whom Slack does not know is refused"
    if not isinstance(meant, Click):
        return meant
    if meant.act is Act.LOOK:
        told = _counted_already(person, others) if clicked.kind == "button" else ""
        return Private(told) if told else _open(ports, clicked, case, remedy)
    if meant.act is Act.APPROVE and (no := _said_before(person, others)):
        return no
    sealing()
    return _record(ports, case, meant)


def _sealing(ports: Ports, case: Case, meant: Answer | Click) -> Callable[[], None]:
    if not isinstance(meant, Click) or meant.act is Act.LOOK:
        return lambda: None
    return ports.aside(partial(ports.cases.seal_ahead, case, meant))


@dataclass(frozen=True)
class Others:
    """Who has said yes to the same plan, and what Slack tells of them: one person may have two accounts."""

    plan: Plan | None
    said: frozenset[str]
    asked: Asked

    def has(self, person: Person) -> bool:
        return any(approval.same_person(person, other) for other in self.asked().values())


def _others(ports: Ports, case: Case, meant: Answer | Click, remedy: Remedy | None) -> Others:
    plan = None
    if isinstance(meant, Click):
        plan = _asked_for(case, remedy) if meant.act is Act.LOOK else offered(case, meant)
    said = frozenset(click.by for click in approval.approved(plan, case)) if plan else frozenset()
    return Others(plan, said, _asked(ports, *sorted(said)) if said else dict)


def _said_before(person: Person, others: Others) -> Private | None:
    """Told whoever has said yes to this plan with another account, or may have: one person counts once."""
    if others.has(person):
        return Private(OTHER_ACCOUNT)
    return Private(NOT_TOLD_APART) if others.said - others.asked().keys() else None


def _open(ports: Ports, clicked: Interaction, case: Case, remedy: Remedy | None) -> Answer:
    """The dialog opens at once with little in it; the next turn reads AWS and fills it."""
    if remedy is None:
        return Private(UNKNOWN_BUTTON)
    view_id = clicked.view_id
    if clicked.kind == "button":
        view_id = ports.gateway.open(case, remedy, trigger_id=clicked.trigger_id)
    if not view_id:
        return Private("Slack could not open the dialog in time. Please click again.")
    click = Click(Act.LOOK, clicked.user_id, ports.clock(), remedy=remedy, view_id=view_id)
    answer = _record(ports, case, click)
    if clicked.kind == "submission" and isinstance(answer, Recorded):
        return Looking(case, remedy)
    return answer


def _asked_for(case: Case, remedy: Remedy | None) -> Plan | None:
    """What this button leads to. Another target of a repoint is another plan, chosen in the dialog."""
    return None if case.plan or remedy in (None, Remedy.REPOINT) else case.offer(remedy)


def _counted_already(person: Person, others: Others) -> str:
    """Told before the dialog opens, not once it is filled in."""
    missing = others.plan.terms.people - len(others.said) if others.plan else 0
    if missing <= 0:
        return ""
    if person.user_id not in others.said:
        return OTHER_ACCOUNT if others.has(person) else ""
    who = "One more person is" if missing == 1 else f"{missing} more people are"
    return f"You approved this already. It counts once. {who} needed."


def _record(ports: Ports, case: Case, click: Click) -> Answer:
    """In the case, and heard by its run; if the run can't be woken, the person is told."""
    trouble = record_and_wake(ports, case, click)
    return Private(NOT_WOKEN.format(trouble)) if trouble else Recorded()
