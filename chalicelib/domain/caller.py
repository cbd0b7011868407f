"""Who made the failed call, and with which tool, told from a CloudTrail record's own words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """`name` is fit for people (a role's or person's name); `email` only where SSO vouches for it.

    `session_name` may have been chosen by the caller: it bars a person, it never maps one.
    """

    arn: str
    name: str
    kind: str
    session_name: str = ""
    email: str = ""
    tool: Tool = Tool.UNKNOWN

    @property
    def is_person(self) -> bool:
        """Known to be one particular human being, vouched for by AWS IAM Identity Center."""
        return bool(self.email)


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
