"""CloudTrail's records of refused deletions, held against what is assumed of them. Reads what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.probing.report import Findings


def judge_codes(
    found: Findings,
    record: Mapping[str, Any],
    *,
    cluster_id: str,
    full: str,
    error_codes: tuple[str, ...],
) -> None:
    """A record of a failed DeleteCluster. `full`: what AWS answered."""
    found.keep(record)
    named = named_in(record)
    code = str(record.get("errorCode"))
    says = f"the record names {'the cluster' if named == cluster_id else 'no cluster'}"
    known = code in (full, full.removesuffix("Exception"))
    found.judge(
        "A-FAILED-DELETE-RECORD",
        holds=named == cluster_id and known,
        says=f"{says} and the code {code}",
    )
    says = f"{full} is recorded as {code}"
    if code == full:
        found.held("A-CODE-IN-FULL", says)
    else:
        found.differs("A-CODE-IN-FULL", says, ERROR_CODES=_with_short(error_codes))


def judge_refused_store(
    found: Findings, record: Mapping[str, Any], store_id: str, *, full: str
) -> None:
    """A record of a refused DeleteCustomKeyStore. `full`: what AWS answered."""
    found.keep(record)
    named = (record.get("requestParameters") or {}).get("customKeyStoreId")
    code = record.get("errorCode")
    what = "the store" if named == store_id else "no store"
    says = f"the record of a refused DeleteCustomKeyStore names {what} and the code {code}"
    holds = named == store_id and code == full
    found.judge("A-REFUSED-STORE-RECORD", holds=holds, says=says)


def named_in(record: Mapping[str, Any]) -> str:
    """The cluster that a record of DeleteCluster names."""
    return str((record.get("requestParameters") or {}).get("clusterId") or "")


def _with_short(codes: tuple[str, ...]) -> str:
    """The setting, with each code also as CloudTrail shortens it."""
    both = [form for code in codes for form in (code, code.removesuffix("Exception"))]
    return ",".join(dict.fromkeys(both))
