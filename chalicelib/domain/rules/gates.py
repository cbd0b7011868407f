"""Checks that must hold before anything irreversible. Each says what it found and what would help."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.rules.approval import keys_in_use
from chalicelib.domain.rules.sessions import other_use_known
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.dates import day, moment
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Snapshot


@dataclass(frozen=True)
class Gate:
    """A check that does not hold. If `can_override`, the approvers may say that they know."""

    check: str
    found: str
    helps: str
    can_override: bool = False


def closed_gates(remedy: Remedy, situation: Situation) -> tuple[Gate, ...]:
    """The checks that keep this remedy from its irreversible steps in this world."""
    snapshot = situation.snapshot
    if remedy is Remedy.KEEP:
        return ()
    hidden = everything_read(replace(snapshot, keys=()))
    if remedy is Remedy.RESCUE:
        return (hidden,) if hidden else ()
    gates = [everything_read(snapshot), _backup(remedy, snapshot)]
    if remedy is Remedy.PARK:
        # Its store is disconnected first. One that nobody let us see would lose its HSMs instead.
        gates = [] if snapshot.holder else [hidden]
    if remedy.deletes_keys:
        gates.append(_keys_unused(situation))
    others = others_gate(snapshot) if remedy.deletes_hsms else ()
    return (*(gate for gate in gates if gate), *others)


def hard_gates(remedy: Remedy, situation: Situation) -> tuple[Gate, ...]:
    """Those that nobody can override."""
    return tuple(gate for gate in closed_gates(remedy, situation) if not gate.can_override)


def everything_read(snapshot: Snapshot) -> Gate | None:
    """Closed if AWS refused to tell something."""
    refused = [f"{key.name}: {key.unread}" for key in snapshot.keys if key.unread]
    refused += snapshot.unread
    if not refused:
        return None
    more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
    return Gate(
        "Everything could be read",
        "; ".join(refused[:3]) + more,
        "Allow the role unlatch-reader these calls, then check again",
    )


def _backup(remedy: Remedy, snapshot: Snapshot) -> Gate | None:
    if snapshot.cluster is None or snapshot.cluster.was_never_activated:
        return None
    newest = snapshot.cluster.newest_backup
    check = "A backup newer than the newest key"
    helps = "AWS makes one within 24 h while the cluster has an HSM. Check again then"
    if newest is None:
        return Gate("A backup that is ready", "There is none", helps)
    created = [key.created_at for key in snapshot.live_keys if key.created_at]
    if remedy.deletes_keys and created and max(created) >= newest.created_at:
        found = f"Newest backup {moment(newest.created_at)}, newest key {moment(max(created))}"
        return Gate(check, found, helps)
    return None


def _keys_unused(situation: Situation) -> Gate | None:
    days = situation.policy.recent_use_days
    used = keys_in_use(situation)
    if not used:
        return None
    key = used[0]
    more = f", and {len(used) - 1} more" if len(used) > 1 else ""
    if key.last_use.at:
        found = f"{key.name} was used on {moment(key.last_use.at)}{more}"
        helps = "Find out what uses it. The override says that you know"
    else:
        since = key.last_use.tracked_since
        found = f"{key.name}: AWS kept no record"
        found += f" before {day(since)}{more}" if since else more
        helps = (
            f"Wait until {day(since + timedelta(days=days))}: then {days} days are on record"
            if since
            else "Allow kms:GetKeyLastUsage"
        )
    return Gate(f"No key used in {days} days", found, helps, can_override=True)


def others_gate(snapshot: Snapshot) -> tuple[Gate, ...]:
    """Closed while programs other than KMS use the HSMs, or may: DeleteHsm would kill them."""
    found = other_use_known(snapshot)
    if not found:
        return ()
    return (
        Gate(
            "No other program uses the HSMs",
            found,
            "Stop what uses them, or say with the override that you know",
            can_override=True,
        ),
    )
