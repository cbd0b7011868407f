"""Keep: change nothing, with an owner and a date on which the question comes back. Makes no calls."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.rules.approval import terms
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import Keep
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Basis, Plan, Remedy


def plan(situation: Situation) -> Plan | str:
    """A plan without calls: one person decides, and nothing in AWS changes."""
    snapshot = situation.snapshot
    return Plan(
        remedy=Remedy.KEEP,
        account=snapshot.account,
        region=snapshot.region,
        cluster_id=snapshot.cluster_id,
        key_store_id=None,
        calls=(),
        basis=Basis(None, (), ()),
        terms=terms(Remedy.KEEP, situation),
    )


def decision(click: Click) -> Keep:
    """What the person's click decided."""
    assert click.keep_until is not None, "the request is refused without a date"
    return Keep(click.by, click.owner or click.by, click.keep_until, click.reason)


def lapsed(kept: Keep, now: datetime) -> bool:
    return now >= kept.until
