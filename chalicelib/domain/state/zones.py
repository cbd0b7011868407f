"""HSMs as targets of a plan: by their zone, as AWS replaces them by itself. Reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chalicelib.domain.state.snapshot import Hsm, Snapshot


def zone_labels(zones: Iterable[str]) -> tuple[str, ...]:
    """Zones as targets: the second HSM of a zone is `us-east-1a#2`."""
    seen: Counter[str] = Counter()
    labels = []
    for zone in zones:
        seen[zone] += 1
        labels.append(zone if seen[zone] == 1 else f"{zone}#{seen[zone]}")
    return tuple(labels)


def zone_of(label: str) -> str:
    return label.partition("#")[0]


def hsm_for(label: str, snapshot: Snapshot) -> Hsm | None:
    """A live HSM in the label's zone."""
    return next((h for h in snapshot.live_hsms if h.zone == zone_of(label)), None)
