"""Which trails let EventBridge hear what Unlatch needs."""

from typing import Any

import pytest

from ops.checks.events import missing

MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
KMS = "kms.amazonaws.com"


def plain(**more: Any) -> dict[str, Any]:
    return {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, **more}]}


def advanced(*selectors: Any) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(fields)} for fields in selectors]}


@pytest.mark.parametrize(
    ("what", "selectors", "lacking"),
    [
        ("everything", plain(), ""),
        ("writes only", plain(ReadWriteType="WriteOnly"), "reads of kms"),
        ("without KMS", plain(ExcludeManagementEventSources=[KMS]), "writes of kms, reads of kms"),
        (
            "data events only",
            plain(IncludeManagementEvents=False),
            "writes of cloudhsm, writes of kms, reads of kms",
        ),
        ("advanced", advanced([MANAGEMENT]), ""),
        (
            "advanced without KMS",
            advanced([MANAGEMENT, {"Field": "eventSource", "NotEquals": [KMS]}]),
            "writes of kms, reads of kms",
        ),
        (
            "advanced, writes only",
            advanced([MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}]),
            "reads of kms",
        ),
        (
            "two advanced selectors",
            advanced(
                [MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}],
                [MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}],
            ),
            "",
        ),
        (
            "advanced, data events",
            advanced([{"Field": "eventCategory", "Equals": ["Data"]}]),
            "writes of cloudhsm, writes of kms, reads of kms",
        ),
    ],
)
def test_what_a_trail_leaves_out(what: str, selectors: dict[str, Any], lacking: str) -> None:
    assert missing(selectors) == lacking, what
