"""The steps of a plan in words: as a title, and as what goes on while it is under way. Judges nothing."""

from __future__ import annotations

from chalicelib.domain.progress import LongWait, Milestone
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.slack.messages.text import count, ident

CALLS = {
    Operation.CONNECT_KEY_STORE: ("Connect the key store", "connecting the key store"),
    Operation.DISCONNECT_KEY_STORE: ("Disconnect the key store", "disconnecting the key store"),
    Operation.UPDATE_KEY_STORE: ("Point the key store to {to}", "pointing the key store to {to}"),
    Operation.DELETE_KEY_STORE: ("Delete the key store", "deleting the key store"),
    Operation.DISABLE_KEY: (
        "Switch off {keys} and watch for {quarantine}",
        "watching who needs {keys}",
    ),
    Operation.SCHEDULE_KEY_DELETION: (
        "Schedule deletion of {keys}",
        "scheduling the deletion of {keys}",
    ),
    Operation.PROVE_KEY: (
        "Check {keys}{there}",
        "checking {keys}{there}",
    ),
    Operation.DELETE_HSM: ("Delete {hsms}", "deleting {hsms}"),
    Operation.KEEP_BACKUP: ("Keep the newest backup for good", "keeping the newest backup"),
    Operation.RESTORE_BACKUP: ("Take the backup back from deletion", "taking the backup back"),
    Operation.CREATE_CLUSTER: ("Create a new cluster from it", "creating a new cluster"),
    Operation.CREATE_HSM: ("Create an HSM in {where}", "creating the HSM in {where}"),
    Operation.DELETE_CLUSTER: ("Delete the cluster", "deleting the cluster"),
}
WAITS = {
    LongWait.KEYS_GO: ("Wait until the keys are gone", "waiting until the keys are gone"),
    LongWait.SOAK: ("Let the keys run there for {soak}", "letting the keys run there"),
}


def title(milestone: Milestone, plan: Plan) -> str:
    """“Delete 2 HSMs”."""
    return _words(milestone)[0].format(**_numbers(milestone, plan))


def doing(milestone: Milestone, plan: Plan) -> str:
    """“deleting 2 HSMs”."""
    return _words(milestone)[1].format(**_numbers(milestone, plan))


def _words(milestone: Milestone) -> tuple[str, str]:
    if milestone.wait is not None:
        return WAITS[milestone.wait]
    call = milestone.operation
    return CALLS.get(call, (call.value, call.value)) if call else ("", "")


def _numbers(milestone: Milestone, plan: Plan) -> dict[str, str]:
    return {
        "keys": count(len(milestone.targets), "key"),
        "hsms": count(len(milestone.targets), "HSM"),
        "to": ident(plan.target_cluster_id) if plan.target_cluster_id else "the new cluster",
        "there": " on the other cluster" if plan.target_cluster_id else "",
        "where": ident(milestone.targets[0]) if milestone.targets else "",
        "quarantine": count(plan.quarantine_days, "day"),
        "soak": count(plan.soak_days, "day"),
    }
