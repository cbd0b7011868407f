"""What a scan found, in words: for the digest, App Home and `/unlatch scan`."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.fleet import Concern
from chalicelib.domain.scan import Finding, Scan
from chalicelib.slack.messages.blocks import button, confirm
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.text import (
    DAY,
    Block,
    ago,
    clean,
    count,
    ident,
    money,
    token,
    utc,
)

MOST_LINES = 15
SHORT = {
    Concern.BROKEN_STORE: "Key store down",
    Concern.CLUSTER_LOST: "Cluster gone, keys fail",
    Concern.KEYS_GOING: "Keys wait for deletion",
    Concern.STORE_OFF: "Key store not connected",
    Concern.IDLE: "Idle",
    Concern.HOLDS_NOTHING: "Idle: no key store uses it",
    Concern.RETIRED: "HSMs of a retired type",
    Concern.UNKNOWN_USE: "Nobody can tell whether it is used",
    Concern.UNREAD: "Could not be read",
}
"""In a table."""


def about(finding: Finding, now: datetime) -> str:
    """After the cluster's name: “is idle: 3 keys, last used 94 days ago”."""
    keys = count(finding.number, "key")
    match finding.concern:
        case Concern.BROKEN_STORE:
            return (
                f"its key store is down ({clean(finding.detail or 'FAILED')}), {keys} can’t be used"
            )
        case Concern.CLUSTER_LOST:
            return f"is gone, and {keys} can’t be used without it"
        case Concern.KEYS_GOING:
            when = f", the first on {utc(finding.at, DAY)}" if finding.at else ""
            return f"{keys} will be deleted{when}"
        case Concern.STORE_OFF:
            return f"its key store is not connected, {keys} can’t be used"
        case Concern.IDLE:
            used = f"last used {ago(finding.at, now)}" if finding.at else "never used"
            return f"is idle: {count(finding.keys, 'key')}, {used}"
        case Concern.HOLDS_NOTHING:
            return "is idle: no key store uses it"
        case Concern.RETIRED:
            return f"has HSMs of a retired type ({clean(finding.detail)})"
        case Concern.UNKNOWN_USE:
            return "nobody can tell whether it is used"
    return f"could not be read: {clean(finding.detail, 200)}"


def name_of(finding: Finding) -> str:
    if finding.cluster_id:
        return ident(finding.cluster_id)
    return ident(finding.key_store_id or finding.account)


def cost(finding: Finding) -> str:
    """“2 HSMs, about $2,300 a month”."""
    if not finding.hsms:
        return "No HSM runs"
    return f"{count(finding.hsms, 'HSM')}, about {money(finding.dollars)} a month"


def totals(scan: Scan) -> str:
    """“40 accounts, 4 Regions. 12 clusters with 26 HSMs, about $29,950 a month.”"""
    where = f"{count(scan.accounts, 'account')}, {count(scan.regions, 'Region')}"
    what = f"{count(len(scan.clusters), 'cluster')} with {count(scan.hsms, 'HSM')}"
    return f"{where}. {what}, about {money(scan.dollars)} a month."


def open_button(finding: Finding, *, place: str = "") -> Block:
    """`place` keeps the id apart if a cluster stands twice in one view."""
    cluster = ident(finding.cluster_id)
    words = (
        f"Unlatch looks at {cluster} and asks in the channel what to do. It changes nothing in AWS. "
        "You then count as the one who asked and can’t approve."
    )
    return button(
        "Open a case",
        f"open:{cluster}{place}",
        value=f"{finding.account}/{finding.region}/{finding.cluster_id}",
        spoken=f"Open a case for {cluster}",
        confirm=confirm("Open a case?", words, yes="Open it", no="Go back"),
    )


def told(scan: Scan | None, names: Names) -> str:
    """The private answer to `/unlatch scan`."""
    if scan is None:
        return (
            "No scan has been made yet. Unlatch makes one each week; `unlatch scan` makes one now."
        )
    lines = [f"Scanned {token(scan.at)}: {totals(scan)}"]
    for finding in scan.findings[:MOST_LINES]:
        where = f"{names.short(finding.account)}, {ident(finding.region)}"
        lines.append(f"• *{name_of(finding)}* ({where}): {about(finding, scan.at)}")
    more = len(scan.findings) - MOST_LINES + scan.unseen
    if more > 0:
        lines.append(f"and {more} more: `unlatch scan` shows all.")
    if not scan.findings:
        lines.append("None is idle, none is broken.")
    return "\n".join(lines)
