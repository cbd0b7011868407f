"""The weekly message about all accounts: what changed since the last one, worst first. Mentions nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chalicelib.domain.fleet import Concern
from chalicelib.domain.scan import Changes, Finding, Scan
from chalicelib.slack.messages.blocks import (
    MOST_BLOCKS,
    bold,
    cell,
    header,
    marked_note,
    note,
    says,
    section,
    table,
    text,
)
from chalicelib.slack.messages.fleet import SHORT, about, cost, name_of, open_button
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.text import (
    DAY,
    Block,
    Message,
    count,
    ident,
    listing,
    marked,
    money,
    upper_first,
    utc,
)

MOST_ROWS, MOST_BUTTONS = 20, 10
HEADS = ("Cluster", "Where", "What changed", "Cost a month")
WORDS = {
    (Concern.BROKEN_STORE,): ("key store", "is down", "are down"),
    (Concern.CLUSTER_LOST,): (
        "cluster",
        "is gone under its key store",
        "are gone under their key stores",
    ),
    (Concern.KEYS_GOING,): (
        "key store",
        "has keys that wait for deletion",
        "have keys that wait for deletion",
    ),
    (Concern.STORE_OFF,): ("key store", "is not connected", "are not connected"),
    (Concern.IDLE, Concern.HOLDS_NOTHING): ("cluster", "has become idle", "have become idle"),
    (Concern.RETIRED,): (
        "cluster",
        "has HSMs of a retired type",
        "have HSMs of a retired type",
    ),
    (Concern.UNKNOWN_USE,): ("cluster", "may be in use or not", "may be in use or not"),
    (Concern.UNREAD,): ("place", "could not be read", "could not be read"),
}
"""What is new since the last message: of one, of several."""
Link = Callable[[Finding], str]


def message(
    scan: Scan, before: Scan | None, changed: Changes, *, names: Names, link: Link
) -> Message:
    """`link` is the address of the open case of this cluster, "" if it has none."""
    number = count(changed.number, "change")
    facts = _facts(changed)
    where = f"{count(scan.accounts, 'account')} · {count(scan.regions, 'Region')}"
    lead = facts[0] if facts else "Nothing changed"
    rest = " ".join(f"{upper_first(one)}." for one in facts[1:])
    blocks = [
        header(f"Fleet, week to {utc(scan.at, DAY)}: {number}"),
        note(f"{where} · scanned {utc(scan.at)}"),
        says(bold(f"{upper_first(lead)}."), text(f" {rest} {_others(scan, changed)}".rstrip())),
        table("changes:1", HEADS, _rows(changed, names), wrapped=3),
        *_ways(scan, changed, link),
        marked_note(f"{_sum(scan, before)} · A week without changes writes nothing."),
    ]
    said = listing(facts, nothing="nothing changed")
    return Message(
        marked(f"Unlatch, week to {utc(scan.at, DAY)}: {said}."), tuple(blocks[:MOST_BLOCKS])
    )


def _facts(changed: Changes) -> list[str]:
    """“1 key store is down”, “2 clusters have become idle”: each kind once."""
    tally = {what: sum(finding.concern in what for finding in changed.new) for what in WORDS}
    rows = [(tally[what], *words) for what, words in WORDS.items()]
    rows.append((len(changed.over), "finding", "is over", "are over"))
    rows.append((len(changed.gone), "cluster", "has been deleted", "have been deleted"))
    return [f"{count(n, noun)} {one if n == 1 else many}" for n, noun, one, many in rows if n]


def _others(scan: Scan, changed: Changes) -> str:
    touched = {f"{f.account}/{f.region}/{f.cluster_id}" for f in (*changed.new, *changed.over)}
    rest = sum(one not in touched for one in scan.clusters)
    if not rest:
        return ""
    return f"The other {rest:,} {'is as it was' if rest == 1 else 'are as they were'}."


def _rows(changed: Changes, names: Names) -> list[list[Block]]:
    rows = [
        _row(
            f,
            names,
            SHORT[f.concern],
            strong=f.concern in (Concern.BROKEN_STORE, Concern.CLUSTER_LOST),
        )
        for f in changed.new
    ]
    rows += [
        _row(f, names, f"Over: {SHORT[f.concern].lower()}", strong=False) for f in changed.over
    ]
    for one in changed.gone:
        account, region, cluster = one.split("/")
        where = f"{names.short(account)}, {ident(region)}"
        rows.append([cell(ident(cluster)), cell(where), cell("Deleted"), cell("-")])
    shown = rows[:MOST_ROWS]
    if len(rows) > MOST_ROWS:
        more = f"{len(rows) - MOST_ROWS} more"
        shown[-1] = [cell(more), cell(" "), cell("/unlatch scan"), cell(" ")]
    return shown


def _row(finding: Finding, names: Names, what: str, *, strong: bool) -> list[Block]:
    where = f"{names.short(finding.account)}, {ident(finding.region)}"
    price = money(finding.dollars) if finding.hsms else "-"
    return [
        cell(name_of(finding), strong=strong),
        cell(where),
        cell(what, strong=strong),
        cell(price),
    ]


def _ways(scan: Scan, changed: Changes, link: Link) -> list[Block]:
    """A link to the case that is open, else a button that opens one: only for clusters that are idle."""
    blocks: list[Block] = []
    seen: set[str] = set()
    for finding in changed.new:
        if not finding.cluster_id or finding.cluster_id in seen or len(blocks) >= MOST_BUTTONS:
            continue
        seen.add(finding.cluster_id)
        name = f"*{name_of(finding)}*"
        if address := link(finding):
            blocks.append(section(f"{name} has a case: <{address}|open it>"))
        elif finding.is_worth_a_case:
            words = f"{name} {marked(about(finding, scan.at))}\n{cost(finding)}"
            blocks.append(section(words, open_button(finding)))
    return blocks


def _sum(scan: Scan, before: Scan | None) -> str:
    number = len(scan.clusters)
    was = f", was {money(before.dollars)}" if before and before.dollars != scan.dollars else ""
    return f"{count(number, 'cluster')} with {count(scan.hsms, 'HSM')}, about {money(scan.dollars)} a month{was}"


def mark(when: datetime) -> str:
    """The mark by which a message that was posted already is found again."""
    return f"digest:{when:%Y-%m-%dT%H}"
