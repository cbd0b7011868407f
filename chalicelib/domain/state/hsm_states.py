"""States of clusters, HSMs and backups, as CloudHSM spells them. What a state allows is said by the rules."""

from __future__ import annotations

from enum import StrEnum


class Spelled(StrEnum):
    """A state that CloudHSM has learnt since is UNKNOWN: such a thing lives, and is not ready."""

    @classmethod
    def _missing_(cls, value: object) -> Spelled:  # noqa: ARG003  # any other
        return cls["UNKNOWN"]


class ClusterState(Spelled):
    """State of a cluster."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    UNINITIALIZED = "UNINITIALIZED"
    INITIALIZE_IN_PROGRESS = "INITIALIZE_IN_PROGRESS"
    INITIALIZED = "INITIALIZED"
    ACTIVE = "ACTIVE"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    MODIFY_IN_PROGRESS = "MODIFY_IN_PROGRESS"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"
    DEGRADED = "DEGRADED"
    UNKNOWN = "UNKNOWN"


GOING = (ClusterState.DELETE_IN_PROGRESS, ClusterState.DELETED)


class HsmState(Spelled):
    """State of an HSM."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    ACTIVE = "ACTIVE"
    DEGRADED = "DEGRADED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


class BackupState(Spelled):
    """BackupState of a backup."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    READY = "READY"
    DELETED = "DELETED"
    PENDING_DELETION = "PENDING_DELETION"
    UNKNOWN = "UNKNOWN"
