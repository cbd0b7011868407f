"""Body and inbox together make a case. Pure; what may be believed of them is said by the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.aws.store import codec
from chalicelib.aws.store.inbox import CLICKS, TRIGGERS, USES, Inbox, read, split
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.click import Click
from chalicelib.ports import CaseTrigger

Judge = Callable[[str, str], bool]
"""Whether this entry of this kind is ours."""


def anybody(kind: str, entry: str) -> bool:  # noqa: ARG001  # a Judge
    """For those who only show a case: its turns alone know which seals hold."""
    return True


def assembled(base: Case, inbox: Inbox, *, is_ours: Judge = anybody) -> Case:
    """`base`, with what still waits in the inbox after all that it has heard."""
    triggers = read(inbox.waiting[TRIGGERS], CaseTrigger, is_ours=lambda e: is_ours(TRIGGERS, e))
    attempts = [t.attempt for t in triggers if (t.account, t.region, t.cluster_id) == base.place]
    clicks = read(inbox.waiting[CLICKS], Click, is_ours=lambda e: is_ours(CLICKS, e))
    uses = read(inbox.waiting[USES], KeyUse, is_ours=lambda e: is_ours(USES, e))
    known = {attempt.event_id for attempt in base.attempts}
    used = {(use.event_id, use.key_id) for use in base.key_uses}
    return replace(
        base,
        case_id=inbox.case_id,  # whatever a body says that nobody has judged yet
        version=inbox.version,
        generation=inbox.generation,
        token=inbox.token,
        on_hold_since=inbox.refused,
        attempts=(*base.attempts, *(a for a in attempts if a.event_id not in known)),
        clicks=(*base.clicks, *(c for c in clicks if c not in base.clicks)),
        key_uses=(*base.key_uses, *(u for u in uses if (u.event_id, u.key_id) not in used)),
    )


def begun(inbox: Inbox) -> Case:
    """A case that no turn has saved yet, from the trigger that opened it."""
    first = codec.load(split(inbox.first)[1], CaseTrigger)
    return Case(
        inbox.case_id,
        first.account,
        first.region,
        first.cluster_id,
        first.heard_at or first.attempt.at,
        trigger=first.attempt.trigger,
        attempts=(first.attempt,),
    )
