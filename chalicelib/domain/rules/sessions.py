"""The only judge of whether programs other than KMS use the HSMs, from what was counted on each. Reads nothing.

CloudHSM itself may hold up to two connections to each HSM for its health checks, which never end
(CloudHSM user guide, “Getting CloudWatch metrics”). They can't be told from a program's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto

from chalicelib.domain.state.snapshot import OtherUse, Sessions, Snapshot, StoreState

LATE = 5
"""Minutes by which CloudWatch may be late; data that is missing for longer counts as unknown."""
MINUTE = timedelta(minutes=1)
NO_KMS = (StoreState.DISCONNECTED, StoreState.FAILED)
"""States of the key store in which KMS has no sessions of its own."""
Samples = Mapping[str, Mapping[datetime, tuple[int, int]]]
"""By HSM id and whole minute: the least and the most connections of that minute."""


class Verdict(Enum):
    """UNCLEAR: more connections than AWS's own at times, but not always. UNKNOWN: data is missing."""

    QUIET = auto()
    USE = auto()
    UNCLEAR = auto()
    UNKNOWN = auto()


def counted(samples: Samples, *, now: datetime, minutes: int) -> tuple[tuple[Sessions, ...], int]:
    """Each HSM over the newest whole minutes that CloudWatch has, and how many minutes it is late."""
    end = now.replace(second=0, microsecond=0)
    ends = (late for late in range(LATE + 1) if _all_have(samples, end - (late + 1) * MINUTE))
    late = next(ends, 0)
    window = [end - (late + back) * MINUTE for back in range(1, minutes + 1)]
    return tuple(_over(hsm_id, found, window) for hsm_id, found in samples.items()), late


def _all_have(samples: Samples, minute: datetime) -> bool:
    return all(minute in found for found in samples.values())


def _over(
    hsm_id: str, found: Mapping[datetime, tuple[int, int]], window: list[datetime]
) -> Sessions:
    seen = [found[minute] for minute in window if minute in found]
    return Sessions(
        hsm_id,
        least=min((least for least, _ in seen), default=0),
        most=max((most for _, most in seen), default=0),
        missing=len(window) - len(seen),
    )


def verdict(use: OtherUse) -> Verdict:
    """Of a cluster that no key store is connected to: KMS's own sessions would be in the numbers."""
    if use.interfaces or any(hsm.least > use.own and not hsm.missing for hsm in use.hsms):
        return Verdict.USE
    if use.interfaces is None or not use.hsms or any(hsm.missing for hsm in use.hsms):
        return Verdict.UNKNOWN
    return Verdict.UNCLEAR if any(hsm.most > use.own for hsm in use.hsms) else Verdict.QUIET


def other_use_known(snapshot: Snapshot) -> str:
    """In words, other use of the HSMs that shows already now; "" if none does.

    While a store is connected, the numbers say nothing yet; no number at all always counts as use.
    """
    use, cluster = snapshot.other_use, snapshot.cluster
    if cluster is None or not cluster.live_hsms or cluster.was_never_activated:
        return ""
    if use.interfaces is None:
        return "The network interfaces of this cluster could not be read"
    if use.interfaces:
        many, one = len(use.interfaces), len(use.interfaces) == 1
        what = "1 network interface" if one else f"{many} network interfaces"
        return f"{what} of others {'uses' if one else 'use'} the cluster’s security group"
    if not use.hsms or all(hsm.missing >= use.minutes for hsm in use.hsms):
        return "CloudWatch has no session count for this cluster"
    holder = snapshot.holder
    return _numbers(use, connected=holder is not None and holder.state not in NO_KMS)


def _numbers(use: OtherUse, *, connected: bool) -> str:
    blind = max(use.hsms, key=lambda hsm: hsm.missing)
    if blind.missing >= use.minutes:
        return f"CloudWatch has no session count for {blind.hsm_id}"
    if connected:
        return ""
    own = f"at most {use.own} can be AWS’s own"
    match verdict(use):
        case Verdict.USE:
            busy = max(use.hsms, key=lambda hsm: hsm.least)
            return f"{busy.hsm_id} never had fewer than {busy.least} connections, and {own}"
        case Verdict.UNCLEAR:
            busy = max(use.hsms, key=lambda hsm: hsm.most)
            return f"{busy.hsm_id} had {busy.least} to {busy.most} connections, and {own}"
        case Verdict.UNKNOWN:
            gap = f"{blind.missing} of {use.minutes} minutes"
            return f"CloudWatch has no session count for {blind.hsm_id} in {gap}"
    return ""


def why_quiet(snapshot: Snapshot) -> str:
    """What was counted, and why it was taken for AWS's own; "" if it is not quiet, or did not matter."""
    use, cluster = snapshot.other_use, snapshot.cluster
    if cluster is None or not cluster.live_hsms or cluster.was_never_activated:
        return ""
    if verdict(use) is not Verdict.QUIET:
        return ""
    most = max(hsm.most for hsm in use.hsms)
    if not most:
        return (
            f"No HSM had a connection in {use.minutes} minutes, "
            "and no network interface of others is there."
        )
    return (
        f"No HSM had more than {most} connections in {use.minutes} minutes. AWS itself may hold "
        f"{use.own} for its health checks; a program with no more can’t be told from them. "
        "No network interface of others is there."
    )
