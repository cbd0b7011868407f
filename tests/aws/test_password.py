"""What CloudHSM and CloudTrail tell of kmsuser's password on other clusters, as they spell it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.password import MOST_PAGES, connects, with_times
from chalicelib.domain.state.snapshot import Connects, Copy
from chalicelib.failures import TemporaryError
from tests.domain.worlds import CLUSTER, DAY, NOW, STORE, sibling

ROLE = {"role": "unlatch-reader", "account": "111122223333"}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "LookupEvents")


def event(age: timedelta, store: str = STORE, **more: str) -> dict[str, Any]:
    record = {"requestParameters": {"customKeyStoreId": store}, **more}
    return {"EventTime": NOW - age, "CloudTrailEvent": json.dumps(record)}


class Trail:
    """Pages of events; an error in their place is raised."""

    def __init__(self, *pages: Any) -> None:
        self.pages, self.asked = pages, list[dict[str, Any]]()

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        page = self.pages[min(len(self.asked), len(self.pages)) - 1]
        if isinstance(page, Exception):
            raise page
        return {"Events": page, **({"NextToken": "t"} if len(self.asked) < len(self.pages) else {})}


def told(trail: Any) -> Connects:
    return connects(trail, STORE, now=NOW, pace=lambda: None, **ROLE)


OTHERS = [event(DAY, "cks-other"), event(DAY, errorCode="CloudHsmClusterNotActiveException")]


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        ([[event(2 * DAY), event(9 * DAY)]], Connects(are_read=True, last=NOW - 2 * DAY)),
        ([OTHERS], Connects(are_read=True)),
        ([OTHERS, [event(9 * DAY)]], Connects(are_read=True, last=NOW - 9 * DAY)),
        ([refusal("AccessDenied")], Connects()),
        ([OTHERS] * (MOST_PAGES + 1), Connects()),
    ],
    ids=["the newest", "none of this store", "on a later page", "refused", "too many to read"],
)
def test_the_last_connect_that_aws_took(pages: list[Any], found: Connects) -> None:
    trail = Trail(*pages)
    assert told(trail) == found
    assert trail.asked[0]["StartTime"] == NOW - 90 * DAY


def test_trouble_is_tried_later() -> None:
    with pytest.raises(TemporaryError):
        told(Trail(refusal("ThrottlingException")))
    with pytest.raises(TemporaryError):
        told(Trail([{"EventTime": NOW, "CloudTrailEvent": "{"}]))


class Hsms:
    def __init__(self, *backups: dict[str, Any], code: str = "") -> None:
        self.backups, self.code = backups, code

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_backups"
        return SimpleNamespace(paginate=self.pages)

    def pages(self, *, Filters: dict[str, Any]) -> Iterator[dict[str, Any]]:  # noqa: N803  # AWS's name
        assert Filters == {"backupIds": ["backup-1", "backup-2"]}
        if self.code:
            raise refusal(self.code)
        yield {"Backups": list(self.backups)}


MADE = (
    replace(sibling("cluster-a"), source_backup="backup-1"),
    replace(sibling("cluster-b"), source_backup="backup-2"),
    sibling("cluster-c"),
)


def timed(clusters: Any, hsms: Any) -> Any:
    return with_times(clusters, hsms, **ROLE)


def test_each_cluster_has_the_time_of_its_backup_if_that_is_still_there() -> None:
    there = {"BackupId": "backup-1", "ClusterId": CLUSTER, "CreateTimestamp": NOW}
    copies = [cluster.copy for cluster in timed(MADE, Hsms(there))]
    assert copies == [Copy(CLUSTER, NOW), None, None]
    assert timed(MADE, Hsms(code="AccessDenied")) == MADE
    gone = "CloudHsmResourceNotFoundException"  # the API reference lists it for DescribeBackups
    assert timed(MADE, Hsms(code=gone)) == MADE, "or no look would ever be whole again"
    with pytest.raises(TemporaryError):
        timed(MADE, Hsms(code="ThrottlingException"))
    assert timed(MADE[2:], Hsms(code="asks nothing")) == MADE[2:]
