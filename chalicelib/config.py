"""The settings: read once from the environment, validated at once, all that is wrong in one message."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.routes import Route, routes_from


class BadSettingsError(ValueError):
    """Lists every setting that is missing or can't be read, each with what it should be."""


def setting(default: Any, about: str, read: Callable[[str], Any] = str) -> Any:
    return field(default=default, metadata={"about": about, "read": read})


def yes_or_no(text: str) -> bool:
    words = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    if text.lower() not in words:
        raise ValueError("true or false")
    return words[text.lower()]


def number(low: float, high: float, kind: type = int) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise ValueError(f"a number from {low} to {high}")
        return value

    return read


def never_or(least: int) -> Callable[[str], int]:
    """Days: 0, or so many at least."""
    days = number(0, 36_500)

    def read(text: str) -> int:
        value = int(days(text))
        if 0 < value < least:
            raise ValueError(f"0, or {least} and more")
        return value

    return read


def words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`arn=U123, arn2=U456`: the last = divides."""
    found = []
    for word in words(text):
        left, sign, right = word.rpartition("=")
        if not sign or not left or not right:
            raise ValueError("pairs like arn:aws:iam::111122223333:user/ann=U0ANN, with commas")
        found.append((left, right))
    return tuple(found)


def tag_counts(text: str) -> tuple[tuple[str, int], ...]:
    """`env=prod:3`: this tag asks for that many people at least."""
    found = []
    for word in words(text):
        tag, _, count = word.rpartition(":")
        if "=" not in tag or not count.isdigit():
            raise ValueError("tags with a number of people, like env=prod:3")
        found.append((tag, int(count)))
    return tuple(found)


def mentioned(text: str) -> tuple[str, ...]:
    """`approvers`, Slack ids, or `nobody`, alone."""
    found = words(text)
    ids = [word for word in found if word not in ("approvers", "nobody")]
    if any(not re.fullmatch(r"[A-Za-z0-9._-]+", word) for word in ids) or (
        "nobody" in found and len(found) > 1
    ):
        raise ValueError("approvers, nobody, or ids of Slack users and groups, with commas")
    return found


def required(text: str) -> str:
    if not text.strip():
        raise ValueError("set in .chalice/config.json; README.md lists all settings")
    return text.strip()


ROUTES = Path(__file__).with_name("routes.json")
"""Written by `unlatch deploy` and `package`; it is part of the code, out of reach of the table."""
BOTH_CODES = ("CloudHsmClusterInUseException", "CloudHsmInvalidRequestException")


READER_ROLE, EXECUTOR_ROLE, RESTORER_ROLE = "unlatch-reader", "unlatch-executor", "unlatch-restorer"
PROBER_ROLE = "unlatch-prober"
"""In each account. No settings: policies and templates name them (docs/decisions/policies-by-hand.md)."""


@dataclass(frozen=True)
class Settings:
    """Every setting, with its default and meaning; the environment variable is the upper-case name."""

    table_name: str = setting("", "The DynamoDB table of the stack", required)
    state_machine_name: str = setting("", "The Step Functions state machine of the stack", required)
    inbox_key_id: str = setting(
        "",
        "ARN or alias of the KMS HMAC key that seals clicks, triggers and uses of keys",
        required,
    )
    body_key_id: str = setting(
        "", "ARN or alias of the KMS HMAC key that seals cases; turns alone use it", required
    )
    brake_parameter: str = setting(
        "",
        "Parameter of Systems Manager that holds the reason while everything is frozen",
        required,
    )
    signing_secret_id: str = setting("", "Secret that holds Slack’s signing secret", required)
    bot_token_secret_id: str = setting("", "Secret that holds the Slack bot token", required)
    slack_channel: str = setting("", "Id of the channel that cases are shown in", str)
    slack_api_url: str = setting("https://slack.com/api/", "Base URL of Slack’s Web API", str)
    slack_team_ids: tuple[str, ...] = setting(
        (), "Workspace (T…) or organisation (E…) ids whose members may decide", words
    )
    approvers: tuple[str, ...] = setting(
        (), "Slack user ids and user group ids that may decide; empty: nobody", words
    )
    people: tuple[tuple[str, str], ...] = setting(
        (), "Which AWS principal is which Slack user, as arn=user id", pairs
    )
    mention: tuple[str, ...] = setting(
        ("approvers",),
        "Whom the worst moments mention in Slack: approvers, ids of users and groups, or nobody",
        mentioned,
    )
    owner_tag: str = setting(
        "owner",
        "Tag of clusters and keys that names who is told too: an e-mail, a Slack user or group id",
        str,
    )
    email_domains: tuple[str, ...] = setting(
        (), "Further e-mail domains of the same people, for finding them in Slack", words
    )
    quorum_irreversible: int = setting(
        2, "People needed to retire, release or repoint", number(1, 20)
    )
    quorum_reversible: int = setting(1, "People needed to park", number(1, 20))
    quorum_rescue: int = setting(
        1, "People needed to rescue; whoever cut the keys off may be one", number(1, 20)
    )
    quorum_by_tag: tuple[tuple[str, int], ...] = setting(
        (), "Cluster tags that ask for more people, as key=value:number", tag_counts
    )
    expiry_hours: int = setting(24, "Hours until an undecided case closes", number(1, 720))
    remind_hours: int = setting(
        4, "Hours before the expiry at which to remind; 0: never", number(0, 719)
    )
    pending_window_days: int = setting(
        30, "Days that KMS makes scheduled keys wait, 7 to 30", number(7, 30)
    )
    recent_use_days: int = setting(
        30, "A key used within so many days counts as in use", number(1, 365)
    )
    quarantine_days: int = setting(
        0, "Days to disable and watch keys before their deletion is scheduled", number(0, 90)
    )
    repoint_soak_days: int = setting(
        7, "Days that repointed keys run on the other cluster before this one goes", number(0, 90)
    )
    go_again_after: int = setting(
        0,
        "Hours after which a point of no return asks for one fresh yes; 0: never",
        number(0, 8760),
    )
    quiet_minutes: int = setting(
        5, "Minutes without sessions of other programs before any HSM is deleted", number(0, 1440)
    )
    health_sessions: int = setting(
        2, "Connections to each HSM that may be AWS’s own health checks", number(0, 100)
    )
    digest: bool = setting(
        False, "A weekly message of what became idle or broke, if anything did", yes_or_no
    )
    keep_closed_days: int = setting(
        0, "Days that the record of a case that is over for good is kept; 0: for ever", never_or(90)
    )
    dry_run: bool = setting(
        False,
        "Play everything, change nothing in AWS; only a cancel of what had begun before still acts",
        yes_or_no,
    )
    hsm_hour_price: float = setting(
        0,
        "US dollars an HSM costs an hour; 0: as docs/aws-reality.md knows it",
        number(0, 1000, float),
    )
    error_codes: tuple[str, ...] = setting(
        BOTH_CODES, "Error codes of DeleteCluster that open a case", words
    )
    accounts: tuple[str, ...] = setting((), "Other accounts that are served", words)
    account_names: tuple[tuple[str, str], ...] = setting(
        (), "What people call accounts, as 111122223333=payments-prod", pairs
    )
    regions: tuple[str, ...] = setting((), "Other Regions that the sweep looks at", words)
    quota_share: float = setting(
        0.25, "Share of AWS’s request quotas that Unlatch takes at most", number(0.01, 1, float)
    )
    step_up_roles: tuple[str, ...] = setting(
        (),
        "Role ARNs that confirm irreversible plans by `unlatch approve`; empty: no step-up",
        words,
    )
    operator_roles: tuple[str, ...] = setting(
        (),
        "Role ARNs that may `unlatch cancel` from a shell, beside STEP_UP_ROLES; empty: nobody else",
        words,
    )

    @property
    def slack_workspace(self) -> str:
        """Where an app that is installed for a whole organisation looks for user groups."""
        return next((team for team in self.slack_team_ids if team.startswith("T")), "")

    def policy(self) -> Policy:
        """The part that decisions depend on."""
        names = {f.name for f in fields(Policy)}
        chosen = {n: getattr(self, n) for n in names if hasattr(self, n)}
        return Policy(**{**chosen, "team_ids": self.slack_team_ids})


READS: dict[str, Callable[[str], Any]] = {
    item.name: item.metadata["read"] for item in fields(Settings)
}


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this environment. BadSettingsError lists all that is wrong, not just the first."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    wrong = []
    for name, reads in READS.items():
        text = environ.get(name.upper(), "").strip()
        if not text and reads is not required:
            continue
        try:
            values[name] = value_of(name, text)
        except ValueError as error:
            wrong.append(f"{name.upper()} {error}")
    if wrong:
        raise BadSettingsError("Unlatch can’t start. " + "; ".join(wrong) + ".")
    return Settings(**values)


def value_of(name: str, text: str) -> Any:
    """What this text sets the setting to. ValueError says what it must be."""
    try:
        return READS[name](text)
    except ValueError as error:
        raise ValueError(f"must be {error}" + (f", not {text!r}" if text else "")) from error


def routes(file: Path = ROUTES) -> tuple[Route, ...]:
    """The rules that were deployed. BadSettingsError if they can’t be read:."""
    if not file.exists():
        return ()
    try:
        return routes_from(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise BadSettingsError(f"Unlatch can’t start. {file.name}: {error}.") from error


def region(environ: Mapping[str, str] | None = None) -> str:
    """The Region that the function runs in; Lambda sets it."""
    environ = os.environ if environ is None else environ
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def trace(environ: Mapping[str, str] | None = None) -> str:
    """Lambda's trace header, anew for each invocation; "" if it does not trace."""
    environ = os.environ if environ is None else environ
    return environ.get("_X_AMZN_TRACE_ID", "")
