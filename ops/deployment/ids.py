"""What ids and ARNs look like, so that a wrong one is told before anything happens. Looks nothing up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

SLACK_HOSTS = ("slack.com", "slack-gov.com")
ACCOUNT, OU = r"\d{12}", r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}"
ALL = "all"
OF_AWS = {
    "ACCOUNTS": (rf"{ACCOUNT}|{OU}|{ALL}", "12 digits, an organisation unit (ou-…, r-…), or all"),
    "REGIONS": (r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}", "like eu-west-1"),
    "PEOPLE": (
        r"arn:[\w-]+:(?:iam|sts)::\d{12}:.+=\S+",
        "like arn:aws:iam::111122223333:user/ann=U0ANN",
    ),
    "STEP_UP_ROLES": (
        r"arn:[\w-]+:iam::\d{12}:role/.+",
        "like arn:aws:iam::111122223333:role/Approver",
    ),
    "OPERATOR_ROLES": (
        r"arn:[\w-]+:iam::\d{12}:role/.+",
        "like arn:aws:iam::111122223333:role/Operator",
    ),
    "ERROR_CODES": (r"\w+", "a code, like CloudHsmClusterInUseException"),
}
OF_SLACK = {
    "SLACK_CHANNEL": (
        r"[CG][A-Z0-9]+",
        "a channel’s id, like C0123ABCD (in Slack: the channel’s details, at the bottom)",
    ),
    "SLACK_TEAM_IDS": (r"[TE][A-Z0-9]+", "an id like T0123ABCD, or E0123ABCD of an organisation"),
    "APPROVERS": (
        r"[UWS][A-Z0-9]+",
        "ids like U0123ABCD of a person, or S0123ABCD of a user group",
    ),
    "PEOPLE": (r".+=[UW][A-Z0-9]+", "each with a person’s id, like U0123ABCD, after the last ="),
}


def wrong_ids(variables: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each value that can’t be right. Slack’s ids count if the API is Slack’s own."""
    yield from _wrong(OF_AWS, variables)
    host = urlsplit(variables.get("SLACK_API_URL") or "https://slack.com").hostname or ""
    if any(host == name or host.endswith(f".{name}") for name in SLACK_HOSTS):
        yield from _wrong(OF_SLACK, variables)


def _wrong(looks: Mapping[str, tuple[str, str]], variables: Mapping[str, str]) -> Iterator[str]:
    for name, (pattern, like) in looks.items():
        for word in variables.get(name, "").split(","):
            value = word.strip()
            if value and not re.fullmatch(pattern, value):
                yield f"{name}: {value} is not right: {like}"
