"""Cases of the version before bodies were sealed: one item holds all. Each is sealed by its next turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.inbox import INBOX, KINDS
from chalicelib.domain.state.case import Attempt, Case, KeyUse
from chalicelib.domain.state.click import Click
from chalicelib.ports import CaseTrigger

OLD = "CASE"
"""Their sort key."""


def case_from(item: dict[str, Any]) -> Case:
    """The case of an old item. All its entries count as written in the round that is open."""
    case = codec.structure(codec.unpack(item["body"]), Case)
    clicks = tuple(codec.load(text, Click) for text in item.get("clicks", ()))
    return replace(
        case,
        version=int(item["version"]),
        generation=int(item["generation"]),
        attempts=tuple(codec.load(text, Attempt) for text in item.get("attempts", ())),
        clicks=tuple(replace(click, round=case.round) for click in clicks),
        key_uses=tuple(codec.load(text, KeyUse) for text in item.get("key_uses", ())),
        log_length=int(item.get("log_length", 0)),
        log_head=str(item.get("log_head", "")),
    )


def inbox_of(item: dict[str, Any]) -> dict[str, Any]:
    """An empty inbox beside the old item, where it went on from; its first trigger has no seal."""
    case = case_from(item)
    where = (case.account, case.region, case.cluster_id)
    first = CaseTrigger(*where, case.attempts[0], heard_at=case.opened_at)
    return {
        "pk": item["pk"],
        "sk": INBOX,
        "version": case.version,
        "generation": case.generation,
        "first": f" {codec.dump(first)}",
        "token": str(item.get("token", "")),
        **{kind: [] for kind in KINDS},
    }
