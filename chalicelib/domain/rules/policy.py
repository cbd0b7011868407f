"""The rules in force, as one value that the domain takes as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.rules.prices import USUAL_TYPE, hsm_hour


@dataclass(frozen=True)
class Policy:
    """Numbers and lists of the settings that decisions depend on; see config.py for each name."""

    approvers: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    quorum_irreversible: int = 2
    quorum_reversible: int = 1
    quorum_rescue: int = 1
    quorum_by_tag: tuple[tuple[str, int], ...] = ()
    expiry_hours: int = 24
    remind_hours: int = 4
    pending_window_days: int = 30
    recent_use_days: int = 30
    quarantine_days: int = 0
    repoint_soak_days: int = 7
    go_again_after: int = 0
    quiet_minutes: int = 5
    keep_closed_days: int = 0
    dry_run: bool = False
    hsm_hour_price: float = 0
    step_up_roles: tuple[str, ...] = field(default=())
    operator_roles: tuple[str, ...] = field(default=())
    mention: tuple[str, ...] = ("approvers",)
    route: str = ""

    def hour_price(self, region: str, hsm_type: str = "") -> float:
        """US dollars an HSM costs an hour: as set, else as known."""
        return hsm_hour(region, hsm_type or USUAL_TYPE, setting=self.hsm_hour_price).dollars
