"""Which ways stand open, by what opened the case, and the menu of the others. Offers nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages.blocks import overflow, section
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, listing

MOST_OPEN = 4
USUALLY = (Remedy.KEEP, Remedy.PARK, Remedy.REPOINT, Remedy.RETIRE)
FIRST = {
    Trigger.STORE_DELETE_BLOCKED: (Remedy.KEEP, Remedy.RELEASE, Remedy.RETIRE),
    Trigger.CLUSTER_TAKEN: (Remedy.KEEP, Remedy.RELEASE),
    Trigger.STORE_DOWN: (Remedy.RESCUE, Remedy.KEEP),
    Trigger.CLUSTER_LOST: (Remedy.RESCUE, Remedy.KEEP),
}
"""What each trigger offers first, in this order."""
COPY = (Remedy.KEEP, Remedy.REPOINT, Remedy.RELEASE)
ORDER = tuple(Remedy)
LABELS = {
    Remedy.KEEP: "Keep…: leave it as it is",
    Remedy.RESCUE: "Rescue…: make the keys work again",
    Remedy.PARK: "Park…: stop the cost, keep the keys",
    Remedy.REPOINT: "Repoint…: move the keys to another cluster",
    Remedy.RELEASE: "Release…: delete keys and store, keep the cluster",
    Remedy.RETIRE: "Retire…: delete keys, store and cluster",
}


def divided(
    trigger: Trigger, possible: Sequence[Remedy], *, is_copy: bool
) -> tuple[list[Remedy], list[Remedy]]:
    """Those that stand open, and those of the menu. A menu of one is never shown.

    `is_copy`: the new key store was wanted on another cluster of the same backup history.
    """
    first = COPY if is_copy else FIRST.get(trigger, USUALLY)
    stand = [remedy for remedy in first if remedy in possible]
    rest = [remedy for remedy in ORDER if remedy in possible and remedy not in stand]
    if len(rest) == 1 and len(stand) < MOST_OPEN:
        return _sorted(trigger, [*stand, *rest]), []
    if len(rest) == 1:
        rest = [remedy for remedy in ORDER if remedy in (stand[-1], *rest)]
        return stand[:-1], rest
    return stand, rest


def _sorted(trigger: Trigger, stand: list[Remedy]) -> list[Remedy]:
    """Keep first, the final ones last; in an outage what ends it stays first."""
    return stand if trigger.is_outage else [remedy for remedy in ORDER if remedy in stand]


def menu(shown: Shown, rest: Sequence[Remedy], *, is_copy: bool) -> list[Block]:
    if not rest:
        return []
    options = [(LABELS[remedy], f"{shown.value}:{remedy}") for remedy in rest]
    named = listing(remedy.value for remedy in rest).replace(" and ", " or ")
    which = f"{named} {shown.cluster if is_copy else 'this cluster'}"
    if shown.case.trigger.is_outage:
        which = f"{named}. None of them makes the keys work again"
    words = f"*More ways*: {which}"
    return [section(words, overflow("more", options))]
