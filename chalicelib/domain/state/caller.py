"""Who made the failed call, and with which tool, told from a CloudTrail record's own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLACK_USER = "SlackUser"
"""Kind of a caller who started the case by hand in Slack; its session name is the user id."""


class Tool(StrEnum):
    """The program behind a userAgent, as a person would name it."""

    TERRAFORM = "Terraform"
    CLOUDFORMATION = "CloudFormation"
    CONSOLE = "the AWS console"
    CLI = "the AWS CLI"
    SDK = "an AWS SDK"
    UNLATCH = "Unlatch"
    UNKNOWN = "an unknown tool"


@dataclass(frozen=True)
class Caller:
    """`name` is fit for people (a role's or person's name); `email` only if Identity Center or Slack vouches for it.

    `session_name`, `source_identity` and `web_identity` may have been chosen by the caller: they bar
    a person, they never map one. `issuer_arn` is the user or role that a federated user's session came
    from; `web_identity` is what an identity provider said of whoever signed in there.
    """

    arn: str
    name: str
    kind: str
    session_name: str = ""
    email: str = ""
    tool: Tool = Tool.UNKNOWN
    source_identity: str = ""
    issuer_arn: str = ""
    web_identity: tuple[str, ...] = ()

    @property
    def behind(self) -> tuple[str, ...]:
        """Who else may stand behind the call, as names: the source identity, the issuer, who signed in."""
        issuer = self.issuer_arn.rpartition("/")[2]
        named = (self.source_identity, issuer, *self.web_identity)
        same = {self.name.lower(), self.session_name.lower(), ""}
        return tuple(dict.fromkeys(name for name in named if name.lower() not in same))

    @property
    def words(self) -> str:
        """The name, with who stands behind it if that is somebody else."""
        return f"{self.name} (for {', '.join(self.behind)})" if self.behind else self.name

    @property
    def marks(self) -> frozenset[str]:
        """All names of whoever may stand behind the call, to compare with a person's; see `marks`."""
        return marks(self.email, self.session_name, self.name, *self.behind)

    @property
    def is_person(self) -> bool:
        """Known to be one particular human being, vouched for by AWS IAM Identity Center."""
        return bool(self.email)


def marks(*names: str) -> frozenset[str]:
    """These names and e-mails as they are compared: in lower case, without what follows a plus.

    An e-mail's own name stands beside it: ann+ci@example.com gives ann@example.com and ann.
    """
    found: set[str] = set()
    for name in names:
        local, at, domain = name.strip().lower().partition("@")
        local = local.partition("+")[0]
        found |= {local, f"{local}{at}{domain}"}
    return frozenset(found - {""})


TOOLS = (
    ("terraform", Tool.TERRAFORM),
    ("cloudformation", Tool.CLOUDFORMATION),
    ("unlatch", Tool.UNLATCH),
    ("console", Tool.CONSOLE),
    ("aws internal", Tool.CONSOLE),
    ("aws-internal", Tool.CONSOLE),
    ("aws-cli", Tool.CLI),
    ("boto3", Tool.SDK),
    ("botocore", Tool.SDK),
    ("aws-sdk", Tool.SDK),
)
SSO_ROLE = "AWSReservedSSO_"


def tool_of(user_agent: str) -> Tool:
    """The first word of the table that the userAgent contains; order matters (Terraform uses the SDK)."""
    lowered = user_agent.lower()
    return next((tool for word, tool in TOOLS if word in lowered), Tool.UNKNOWN)


def caller_of(*, arn: str, kind: str, user_name: str = "", tool: Tool = Tool.UNKNOWN) -> Caller:
    """Reads the last parts of an ARN: role and session of an assumed role, name of a user."""
    resource = arn.split(":", 5)[-1]
    parts = resource.split("/")
    if parts[0] == "assumed-role" and len(parts) >= 3:
        role, session = parts[-2], parts[-1]
        is_sso = parts[1].startswith(SSO_ROLE) and "@" in session
        name = session if is_sso else f"role {role}"
        return Caller(arn, name, kind, session, session if is_sso else "", tool)
    name = "the root user" if resource == "root" else user_name or parts[-1] or "somebody unknown"
    return Caller(arn, name, kind, "", "", tool)
