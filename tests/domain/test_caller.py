"""Who made the failed call, and with which tool: as CloudTrail writes it."""

import pytest

from chalicelib.domain.state.caller import Caller, Tool, caller_of, tool_of
from tests.domain.worlds import ACCOUNT

TOOLS = [
    ("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) aws-sdk-go-v2/1.30", Tool.TERRAFORM),
    ("cloudformation.amazonaws.com", Tool.CLOUDFORMATION),
    ("aws-cli/2.15.30 md/awscrt#0.19.19 ua/2.0 os/linux#6.1 botocore/1.34", Tool.CLI),
    ("Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux", Tool.SDK),
    ("aws-sdk-java/2.20", Tool.SDK),
    ("AWS Internal", Tool.CONSOLE),
    ("aws-internal/3", Tool.CONSOLE),
    ("console.amazonaws.com", Tool.CONSOLE),
    ("Boto3/1.34 unlatch/0.1", Tool.UNLATCH),
    ("curl/8.0", Tool.UNKNOWN),
    ("", Tool.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "tool"), TOOLS)
def test_the_tool(agent: str, tool: Tool) -> None:
    assert tool_of(agent) is tool


STS, IAM = f"arn:aws:sts::{ACCOUNT}", f"arn:aws:iam::{ACCOUNT}"
SSO = "AWSReservedSSO_Admin_0123456789abcdef"
CALLERS = [
    ("a pipeline's role", f"{STS}:assumed-role/deploy-ci/ci", "", "role deploy-ci", "ci", ""),
    ("a person by SSO", f"{STS}:assumed-role/{SSO}/alice@example.com", "", "alice@example.com", "alice@example.com", "alice@example.com"),
    ("SSO without an e-mail", f"{STS}:assumed-role/{SSO}/alice", "", f"role {SSO}", "alice", ""),
    ("an e-mail in a role of one's own proves nothing", f"{STS}:assumed-role/Dev/alice@example.com", "", "role Dev", "alice@example.com", ""),
    ("a user", f"{IAM}:user/team/alice", "", "alice", "", ""),
    ("a user by the record's name", f"{IAM}:user/alice", "Alice", "Alice", "", ""),
    ("root", f"{IAM}:root", "", "the root user", "", ""),
    ("a service, without an ARN", "", "", "somebody unknown", "", ""),
    ("a federated user", f"{STS}:federated-user/bob", "", "bob", "", ""),
    ("a session with a colon", f"{STS}:assumed-role/deploy-ci/run:7", "", "role deploy-ci", "run:7", ""),
    ("a role with a path", f"{STS}:assumed-role/team/deploy-ci/ci", "", "role deploy-ci", "ci", ""),
    ("a broken ARN", "assumed-role/x", "", "x", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("why", "arn", "user", "name", "session", "email"), CALLERS, ids=[r[0] for r in CALLERS])  # fmt: skip
def test_the_caller(  # noqa: PLR0917  # the columns of the table
    why: str, arn: str, user: str, name: str, session: str, email: str
) -> None:
    caller = caller_of(arn=arn, kind="AssumedRole", user_name=user, tool=Tool.CLI)
    assert caller == Caller(arn, name, "AssumedRole", session, email, Tool.CLI), why
    assert caller.is_person is bool(email)


def test_a_caller_of_whom_only_the_arn_is_known() -> None:
    caller = caller_of(arn=f"{IAM}:user/alice", kind="IAMUser")
    assert caller == Caller(f"{IAM}:user/alice", "alice", "IAMUser", tool=Tool.UNKNOWN)
