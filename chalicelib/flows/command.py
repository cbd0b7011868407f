"""The slash command: start a case by hand, or list the open ones. Changes nothing in AWS."""

from __future__ import annotations

import re

from chalicelib.domain.approval import SLACK_USER, refusal
from chalicelib.domain.caller import Caller
from chalicelib.domain.case import Attempt, Case
from chalicelib.domain.click import Act
from chalicelib.domain.situation import last_seen
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Answer, Clicked, FailedDelete, Ports

CLUSTER = re.compile(r"cluster-[2-7a-zA-Z]{11,16}")
PLACE = re.compile(r"([0-9]{12})?(?:/([a-z0-9-]+))?")
USAGE = (
    "Write `/unlatch cluster-…` to start a case for a cluster (add `111122223333/eu-west-1` for "
    "another account or Region), or `/unlatch status` to see the open ones."
)


def command(ports: Ports, clicked: Clicked, *, here: tuple[str, str]) -> Answer:
    """The private answer. Only approvers may start a case; so do they for the status."""
    person = ports.people.fetch([clicked.user_id]).get(clicked.user_id)
    now = ports.clock()
    nobody = last_seen(Case("", "", "", "", now), policy=ports.policy, now=now)
    why = refusal(person, Act.REFRESH, nobody, seen_in=clicked.team_id)
    if why:
        return Answer(refusal=why)
    words = clicked.text.split()
    if words == ["status"]:
        return Answer(private=_status(ports))
    if not words or len(words) > 2 or not CLUSTER.fullmatch(words[0]):
        return Answer(private=USAGE)
    place = PLACE.fullmatch(words[1] if len(words) > 1 else "")
    if not place:
        return Answer(private=USAGE)
    account, region = place[1] or here[0], place[2] or here[1]
    email = person.email if person else ""
    return _start(ports, clicked, words[0], (account, region), email=email)


def _start(
    ports: Ports, clicked: Clicked, cluster_id: str, where: tuple[str, str], *, email: str
) -> Answer:
    """Whoever starts a case by hand counts as its requester: somebody else has to approve."""
    who = clicked.user_id
    caller = Caller(arn="", name=who, kind=SLACK_USER, session_name=who, email=email)
    event_id = f"slack-{clicked.trigger_id or ports.clock().timestamp()}"
    attempt = Attempt(event_id, ports.clock(), "", caller)
    opened = open_case(ports, FailedDelete(*where, cluster_id, attempt))
    if opened is None:
        return Answer(private=f"Unlatch does not serve account {where[0]}. Nothing was started.")
    if opened.is_new:
        return Answer(private=f"Started `{opened.case_id}` for `{cluster_id}`. See the channel.")
    return Answer(private=f"`{cluster_id}` has an open case already: `{opened.case_id}`.")


def _status(ports: Ports) -> str:
    lines = []
    for pointer in ports.cases.pointers():
        case = ports.cases.load(pointer.case_id)
        what = case.waiting_for or (str(case.outcome) if case.outcome else str(case.phase))
        lines.append(f"• `{pointer.cluster_id}` ({pointer.account}, {pointer.region}): {what}")
    return "\n".join(lines[:50]) or "No case is open."
