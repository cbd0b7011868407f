"""Sessions in target accounts: assumes the reader, executor or restorer role for one case."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from chalicelib.aws.errors import translated
from chalicelib.domain.state.case import Case

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

    from chalicelib.aws.clients import Clients, MakesClients


NOT_IN_TAGS = re.compile(r"[^\w +=.:/@-]")
NOT_IN_IDENTITY = re.compile(r"[^\w+=,.@-]")


def source_identity(by: str) -> str:
    """Who decided, as the session bears it: a person's id; of an AWS principal the session's name."""
    name = by.rpartition("/")[2] if by.startswith("arn:") else by
    return NOT_IN_IDENTITY.sub("_", name)[:64].ljust(2, "_")


@dataclass(frozen=True)
class Accounts:
    """`client(service, region, credentials)` makes a client; `sts` belongs to the hub."""

    sts: STSClient
    client: MakesClients
    partition: str = "aws"

    def clients(
        self,
        role: str,
        *,
        account: str,
        region: str,
        session_name: str,
        case: Case | None = None,
        only: Sequence[Mapping[str, Any]] = (),
    ) -> Clients:
        """A maker of clients that act as this role. With a case, AWS's own trail names its approvers.

        `only` are the policy statements that narrow the session to one call.
        """
        request: dict[str, Any] = {"RoleSessionName": session_name, "DurationSeconds": 900}
        request |= identity_of(case) if case else {}
        if only:
            request["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": only})
        arn = f"arn:{self.partition}:iam::{account}:role/{role}"
        with translated("sts:AssumeRole", role=role, account=account):
            credentials = self.sts.assume_role(RoleArn=arn, **request)["Credentials"]
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
        return cast("Clients", lambda service: self.client(service, region, keys))


def identity_of(case: Case) -> dict[str, Any]:
    """Source identity: who decided last. Tags: case, plan hash, all approvers."""
    people = [click.by for click in case.approved]
    decider = case.ending.by if case.ending else (people[-1] if people else "unlatch")
    plan = case.current_plan
    tags = {
        "case": case.case_id,
        "plan_hash": plan.plan_hash if plan else "none",
        "approvers": " ".join(people or [decider]),
    }
    return {
        "SourceIdentity": source_identity(decider),
        "Tags": [{"Key": k, "Value": NOT_IN_TAGS.sub("_", v)[:256]} for k, v in tags.items()],
    }
