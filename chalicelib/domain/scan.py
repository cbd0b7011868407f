"""What a look at all accounts found, as one value that can be kept, and what differs from the last one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.fleet import Concern, Remark, Survey, judge, monthly_cost
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.snapshot import Cluster

MOST_FINDINGS = 300
WORTH_A_CASE = (Concern.IDLE, Concern.HOLDS_NOTHING)
BAD = (Concern.BROKEN_STORE, Concern.CLUSTER_LOST)


@dataclass(frozen=True)
class Finding(Remark):
    """A remark with its place, and what the cluster costs a month."""

    account: str = ""
    region: str = ""
    keys: int = 0
    hsms: int = 0
    dollars: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is about: the same finding a week later has the same."""
        unread = self.detail if self.concern is Concern.UNREAD else ""
        about = self.key_store_id or self.cluster_id or unread
        return self.account, self.region, self.concern, about, self.cluster_id

    @property
    def place(self) -> tuple[str, str, str]:
        return self.account, self.region, self.cluster_id

    @property
    def is_worth_a_case(self) -> bool:
        return self.concern in WORTH_A_CASE and bool(self.cluster_id)


@dataclass(frozen=True)
class Scan:
    """`clusters` are ids with their place; `unseen`: findings that are left out, as there were too many."""

    at: datetime
    accounts: int = 0
    regions: int = 0
    clusters: tuple[str, ...] = ()
    hsms: int = 0
    dollars: float = 0.0
    findings: tuple[Finding, ...] = ()
    unseen: int = 0

    def of(self, *concerns: Concern) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.concern in concerns)


@dataclass(frozen=True)
class Changes:
    """Between two scans. `gone` are clusters that are no more."""

    new: tuple[Finding, ...] = ()
    over: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return len(self.new) + len(self.over) + len(self.gone)


def scan_of(surveys: Iterable[Survey], *, policy: Policy, now: datetime) -> Scan:
    """The worst first, as in each survey."""
    surveyed = list(surveys)
    order = list(Concern)
    found = [
        _finding(survey, remark, policy)
        for survey in surveyed
        for remark in judge(survey, idle_days=policy.recent_use_days)
    ]
    found.sort(key=lambda finding: (order.index(finding.concern), finding.key))
    clusters = [(survey, cluster) for survey in surveyed for cluster in survey.clusters]
    return Scan(
        at=now,
        accounts=len({survey.account for survey in surveyed}),
        regions=len({survey.region for survey in surveyed}),
        clusters=tuple(f"{s.account}/{s.region}/{c.cluster_id}" for s, c in clusters),
        hsms=sum(len(cluster.live_hsms) for _, cluster in clusters),
        dollars=sum(_monthly(survey, cluster, policy) for survey, cluster in clusters),
        findings=tuple(found[:MOST_FINDINGS]),
        unseen=max(len(found) - MOST_FINDINGS, 0),
    )


def _monthly(survey: Survey, cluster: Cluster, policy: Policy) -> float:
    price = policy.hour_price(survey.region, cluster.hsm_type)
    return monthly_cost(cluster, hour_price=price)


def _finding(survey: Survey, remark: Remark, policy: Policy) -> Finding:
    cluster = next((c for c in survey.clusters if c.cluster_id == remark.cluster_id), None)
    held = survey.on(cluster) if cluster else ()
    return Finding(
        **vars(remark),
        account=survey.account,
        region=survey.region,
        keys=sum(len(one.keys) for one in held),
        hsms=len(cluster.live_hsms) if cluster else 0,
        dollars=_monthly(survey, cluster, policy) if cluster else 0.0,
    )


def changes(before: Scan | None, now: Scan) -> Changes:
    """A place that could not be read this time has not changed: what it held before still counts."""
    if before is None:
        return Changes(new=now.findings)
    known = {finding.key for finding in before.findings}
    still = {finding.key for finding in now.findings}
    blind = {(f.account, f.region) for f in now.of(Concern.UNREAD)}
    return Changes(
        new=tuple(f for f in now.findings if f.key not in known),
        over=tuple(
            f for f in before.findings if f.key not in still and (f.account, f.region) not in blind
        ),
        gone=tuple(
            one
            for one in before.clusters
            if one not in now.clusters and tuple(one.split("/")[:2]) not in blind
        ),
    )
