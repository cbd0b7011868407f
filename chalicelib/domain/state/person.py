"""What Slack says of somebody who decides. Holds no judgement: approval.py has them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """What Slack says of somebody now. `is_approver` None: Slack can't say now.

    `is_refused`: it refuses to say who this is. `unread`: approver groups whose members it did not tell.

    `teams`: all workspaces of theirs, if their organisation `org_id` has several.
    """

    user_id: str
    team_id: str = ""
    org_id: str = ""
    teams: tuple[str, ...] = ()
    name: str = ""
    email: str = ""
    is_guest: bool = False
    is_bot: bool = False
    is_gone: bool = False
    is_stranger: bool = False
    is_approver: bool | None = False
    is_refused: bool = False
    unread: tuple[str, ...] = ()
