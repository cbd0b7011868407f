"""Failed uses of keys in the case that switched them off. Only ever adds, and each once."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.writes import ITEM, Writes
from chalicelib.domain.case import KeyUse

MANY_USES, MOST_USES = 200, 600
"""That a case remembers: a busy program fails every second, an item holds 400 kB."""


class Uses:
    """Writes uses beside the body of a case."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def record(self, case_id: str, use: KeyUse) -> str:
        """Adds a use once per event and key; returns the token of the parked run.

        Of very many only those by further callers or of further keys are kept.
        """
        old = self._add(case_id, use, most=MANY_USES)
        if old is None:
            # Also where it was recorded before: whoever did may have died before the wake.
            old = self._writes.get(f"CASE#{case_id}", ITEM) or {}
            if _is_further(use, old.get("key_uses", ())):
                self._add(case_id, use, most=MOST_USES)
        return str(old.get("token", ""))

    def _add(self, case_id: str, use: KeyUse, *, most: int) -> dict[str, Any] | None:
        """What stood before; None where the use is known, or `most` are."""
        use_id = f"{use.event_id} {use.key_id}"
        return self._writes.update(
            case_id,
            UpdateExpression=(
                "SET key_uses=list_append(if_not_exists(key_uses, :none), :use) "
                "ADD version :one, use_ids :ids"
            ),
            ConditionExpression=(
                "attribute_exists(pk) AND NOT contains(use_ids, :id) AND "
                "(attribute_not_exists(key_uses) OR size(key_uses) < :most)"
            ),
            ExpressionAttributeValues={
                ":use": [codec.dump(use)],
                ":none": [],
                ":one": 1,
                ":ids": {use_id},
                ":id": use_id,
                ":most": most,
            },
        )


def _is_further(use: KeyUse, stored: Any) -> bool:
    """There are many, and none of this key by this caller."""
    known = {(one.who, one.key_id) for one in (codec.load(text, KeyUse) for text in stored)}
    return len(stored) >= MANY_USES and (use.who, use.key_id) not in known
