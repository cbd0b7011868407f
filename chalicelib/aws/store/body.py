"""The stored body of a case: its text, its digest and its seal. Whether it is believed is not decided here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.domain.rules.trust import NO_BODY, Mark
from chalicelib.domain.state.case import Case

BODY = "BODY"
"""The sort key of the item that turns alone write."""
NOT_STORED = frozenset({"version", "generation", "token", "snapshot", "on_hold_since"})
"""Of the inbox and of this turn; everything else of a case is in its body."""


@dataclass(frozen=True)
class Body:
    """`text` is the JSON of the case. `since` and `attempt`: see `Anchor` in chalicelib/domain/rules/trust.py."""

    text: str
    generation: int
    since: str
    attempt: int
    seal: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, over all that is stored of it but the seal."""
        parts = [self.generation, self.since, self.attempt, self.text]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def mark(self) -> Mark:
        return Mark(self.digest, self.since, self.attempt)

    @property
    def sealed_text(self) -> str:
        """What its seal vouches for."""
        return json.dumps(["body", self.digest])

    def item(self, case_id: str) -> dict[str, Any]:
        return {
            "pk": f"CASE#{case_id}",
            "sk": BODY,
            "body": codec.packed(self.text),
            "generation": self.generation,
            "since": self.since,
            "attempt": self.attempt,
            "seal": self.seal,
        }


BROKEN = Body("", -1, "", 0)
"""Stands for an item that no turn has written: nobody remembers it, and it has no seal."""


def body_from(item: dict[str, Any]) -> Body:
    try:
        return Body(
            codec.text_of(item["body"]),
            int(item["generation"]),
            str(item["since"]),
            int(item["attempt"]),
            str(item["seal"]),
        )
    except codec.UNREADABLE:
        return BROKEN


def mark_of(body: Body | None) -> Mark:
    return body.mark if body else NO_BODY


def heard(case: Case, *, base: Case) -> Case:
    """The case up to where it has heard; what waits in the inbox stays there until a turn hears it.

    `base` is the case without its inbox: what it holds never goes back there.
    """
    return replace(
        case,
        attempts=case.attempts[: max(case.attempts_seen, len(base.attempts))],
        clicks=case.clicks[: max(case.clicks_seen, len(base.clicks))],
        key_uses=case.key_uses[: max(case.uses_seen, len(base.key_uses))],
    )


def text_of(case: Case) -> str:
    plain: dict[str, Any] = codec.plain(replace(case, snapshot=None))
    return codec.text({k: v for k, v in plain.items() if k not in NOT_STORED})


def case_of(body: Body) -> Case:
    """The case of a body, without what waits in the inbox."""
    return _decoded(body.text)


@lru_cache(4)
def _decoded(text: str) -> Case:
    """A storm of events, or clicks at the same moment, meet the same body again and again."""
    return codec.structure(codec.body_of(text), Case)
