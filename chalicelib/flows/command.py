"""The slash command: start a case by hand, or list the open ones. Changes nothing in AWS."""

from __future__ import annotations

import re
from functools import partial
from typing import Protocol

from chalicelib.answers import Answer, MayNot, Private
from chalicelib.domain.home import Home
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.trigger import Trigger
from chalicelib.flows.answering import answered
from chalicelib.flows.home import home, judged
from chalicelib.flows.open_case import open_case
from chalicelib.ids import ACCOUNT, CLUSTER_ID, REGION
from chalicelib.ports import CaseTrigger, Interaction, Ports

NOT_NOW = "Unlatch could not do this now ({}). Please try once more."
PLACE = re.compile(rf"({ACCOUNT.pattern})?(?:/({REGION.pattern}))?")


class Speech(Protocol):
    """What is said in private, in Slack's mark-up."""

    def help(self) -> str: ...
    def scan(self) -> str: ...
    def status(self, home: Home) -> str: ...


def command(ports: Ports, clicked: Interaction, *, here: tuple[str, str], speech: Speech) -> Answer:
    """The private answer. Only approvers may start a case or see what is open; help is for everybody."""
    done = partial(_commanded, ports, clicked, here, speech)
    return answered(ports, clicked.user_id, done, not_now=_not_now)


def _not_now(reason: str) -> Answer:
    return Private(NOT_NOW.format(reason))


def _commanded(ports: Ports, clicked: Interaction, here: tuple[str, str], speech: Speech) -> Answer:
    words = clicked.text.split()
    asked = [word.lower() for word in words]  # phones begin with a capital
    if asked in ([], ["help"]):
        return Private(speech.help())
    person, why = judged(ports, clicked.user_id, seen_in=clicked.team_id)
    if why:
        return MayNot(why)
    match asked:
        case ["status"]:
            seen = home(ports, clicked.user_id, seen_in=clicked.team_id)
            return Private(speech.status(seen))
        case ["scan"]:
            return Private(speech.scan())
    place = PLACE.fullmatch(words[1] if len(words) > 1 else "")
    if len(words) > 2 or not CLUSTER_ID.fullmatch(words[0]) or not place:
        return Private(speech.help())
    account, region = place[1] or here[0], place[2] or here[1]
    email = person.email if person else ""
    return _start(ports, clicked, words[0], (account, region), email=email)


def open_from_scan(ports: Ports, clicked: Interaction) -> Answer:
    """The button beside an idle cluster: whoever presses it counts as the one who asked."""
    opened = partial(_opened_from_scan, ports, clicked)
    return answered(ports, clicked.user_id, opened, not_now=_not_now)


def _opened_from_scan(ports: Ports, clicked: Interaction) -> Answer:
    person, why = judged(ports, clicked.user_id, seen_in=clicked.team_id)
    if why:
        return MayNot(why)
    account, region, cluster_id = (*clicked.case_id.split("/"), "", "", "")[:3]
    place = PLACE.fullmatch(f"{account}/{region}")
    if not CLUSTER_ID.fullmatch(cluster_id) or not place or not place[1] or not place[2]:
        return Private("Unlatch does not know this cluster. Nothing was started.")
    email = person.email if person else ""
    return _start(ports, clicked, cluster_id, (account, region), email=email, trigger=Trigger.SCAN)


def _start(
    ports: Ports,
    clicked: Interaction,
    cluster_id: str,
    where: tuple[str, str],
    *,
    email: str,
    trigger: Trigger = Trigger.DELETE_BLOCKED,
) -> Answer:
    """Whoever starts a case by hand counts as its requester: somebody else has to approve."""
    who = clicked.user_id
    caller = Caller(arn="", name=who, kind=SLACK_USER, session_name=who, email=email)
    event_id = f"slack-{clicked.trigger_id or ports.clock().timestamp()}"
    now, channel = ports.clock(), clicked.channel
    attempt = Attempt(event_id, now, "", caller, trigger=trigger, channel=channel)
    opened = open_case(ports, CaseTrigger(*where, cluster_id, attempt))
    if opened is None:
        return Private(f"Unlatch does not serve account {where[0]}. Nothing was started.")
    if opened.is_new:
        return Private(
            f"Started `{opened.case_id}` for `{cluster_id}`. See the channel. "
            "If AWS has no such cluster, nobody but you will be told."
        )
    return Private(f"`{cluster_id}` has an open case already: `{opened.case_id}`.")
