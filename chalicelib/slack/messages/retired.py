"""A retirement that has ended as meant: what is gone, and the commands that bring the cluster back."""

from __future__ import annotations

from chalicelib.domain.state.case import CallStatus
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.snapshot import Backup, Cluster
from chalicelib.slack.messages import facts, parts
from chalicelib.slack.messages.blocks import (
    CHECK_MARK,
    Piece,
    bold,
    code,
    header,
    line,
    marked_note,
    rich,
    says,
    text,
    typed,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, count, ident, listing, money, the

NEXT_LINE = " \\\n  "
RESTORED_TYPE = "hsm2m.medium"
"""hsm1.medium can't be made any more; its backups are restored to this type."""


def message(shown: Shown) -> Message:
    case = shown.case
    calls = sum(call.status is CallStatus.DONE for call in case.calls)
    plan = case.current_plan
    never = plan is not None and not plan.names(Operation.KEEP_BACKUP)
    more = (
        "It held no keys."
        if never
        else "A backup is kept; how to restore the cluster from it is in the message."
    )
    return Message(
        f"Done: {shown.cluster} is deleted. {more}",
        (
            header(f"Done: {shown.cluster} is deleted", CHECK_MARK),
            says(*_gone(shown), *parts.read_again(case), text(f"\n{saving(shown)}")),
            *([] if never else [restore(shown)]),
            parts.decided(case, f"{count(calls, 'AWS call')}, told in the thread"),
            audit(shown),
        ),
    )


def _gone(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    if plan is None:
        return [text("The cluster is gone.")]
    others = _with_it(plan)
    if plan.key_store_id is None:
        words = listing([*others, "the cluster"])
        return [text(f"{words[:1].upper()}{words[1:]} are gone.")]
    return [
        *parts.store_pieces(shown.case),
        text(f", {listing([*others, 'the cluster'])} are gone."),
    ]


def _with_it(plan: Plan) -> list[str]:
    words = []
    if plan.basis.keys:
        words.append(f"its {count(len(plan.basis.keys), 'key')}")
    if plan.basis.zones:
        words.append(count(len(plan.basis.zones), "HSM"))
    return words


def saving(shown: Shown) -> str:
    plan = shown.case.current_plan
    number = len(plan.basis.zones) if plan else 0
    if not number:
        return "No HSM was running, so nothing is saved."
    return (
        f"This saves about {money(number * 24 * shown.policy.hour_price(shown.case.region))} a day."
    )


def restore(shown: Shown) -> Block:
    """What a person types to get the cluster back, and what does not come back with it."""
    backup = facts.to_restore(shown.case)
    elements = [
        line(bold("To get the cluster back"), text(", about 30 minutes. "), *_backup(shown)),
        typed(commands(shown, backup)),
    ]
    plan = shown.case.current_plan
    keys = len(plan.basis.keys) if plan else 0
    if keys and shown.case.outcome == "retired":
        verb = "does" if keys == 1 else "do"
        words = f"{the(keys, 'KMS key')} {verb} not come back with it."
        elements.append(line(text(words[:1].upper() + words[1:])))
    return rich(*elements)


def _backup(shown: Shown) -> list[Piece]:
    backup = facts.to_restore(shown.case)
    if backup is None:
        return [text("The first command names the newest backup.")]
    kept = " is kept for good." if backup.never_expires else " is the newest."
    return [text("The backup "), code(ident(backup.backup_id)), text(kept)]


def commands(shown: Shown, backup: Backup | None) -> str:
    """Each command as it can be pasted; words in capitals are for the person to fill in."""
    cluster = facts.last_cluster(shown.case)
    tool = f"aws cloudhsmv2 {{}} --region {ident(shown.case.region)}"
    found = []
    if backup is None:
        search = f"--filters clusterIds={shown.cluster} --no-sort-ascending"
        found.append(NEXT_LINE.join([tool.format("describe-backups"), search]))
    subnets = [ident(subnet) for _, subnet in cluster.subnets] if cluster else []
    # Clusters of before AWS had modes are FIPS, and so are their backups.
    mode = (backup and backup.mode) or (cluster and cluster.mode) or "FIPS"
    create = [
        tool.format("create-cluster"),
        f"--source-backup-id {ident(backup.backup_id) if backup else 'BACKUP-ID'}",
        f"--hsm-type {RESTORED_TYPE} --mode {ident(mode)}",
        f"--subnet-ids {' '.join(subnets[:10]) or 'SUBNET-IDS'}",
    ]
    hsms = [
        [
            tool.format("create-hsm"),
            "--cluster-id NEW-CLUSTER-ID",
            f"--availability-zone {zone}",
        ]
        for zone in _two_zones(shown, cluster)
    ]
    found += [NEXT_LINE.join(command) for command in (create, *hsms, *_for_kms(shown))]
    return "\n\n".join(found)


def _two_zones(shown: Shown, cluster: Cluster | None) -> list[str]:
    """KMS takes a cluster with active HSMs in two zones. The second is added once the first is active."""
    plan = shown.case.current_plan
    mapped = [zone for zone, _ in cluster.subnets] if cluster else []
    zones = [ident(zone) for zone in dict.fromkeys((*(plan.basis.zones if plan else ()), *mapped))]
    return [*zones[:2], *("ZONE", "ANOTHER-ZONE")[len(zones) :]]


def _for_kms(shown: Shown) -> list[list[str]]:
    """If the key store is still there: what brings it to the new cluster."""
    store = shown.case.store
    if store is None:
        return []
    tool = f"aws kms {{}}-custom-key-store --region {ident(shown.case.region)}"
    which = f"--custom-key-store-id {ident(store.key_store_id)}"
    return [
        [tool.format("disconnect"), which],
        [tool.format("update"), which, "--cloud-hsm-cluster-id NEW-CLUSTER-ID"],
        [tool.format("connect"), which],
    ]


def audit(shown: Shown) -> Block:
    case_id = ident(shown.case.case_id)
    words = [f"Check the log: `unlatch audit verify {case_id}{shown.option}`"]
    if shown.case.log_head:
        words.insert(0, f"Log head `{ident(shown.case.log_head)[:12]}`")
    return marked_note(" · ".join(words))
