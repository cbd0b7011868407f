"""STS AssumeRole and GetCallerIdentity: sessions that remember who asked, why and for what.

Issues no session for a role that doesn't exist. Trust policies are the guard's business (iam/guard.py).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.identity import Credentials, Identities

ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/(.+)")
WHOLE = re.compile(r"[0-9]{1,9}")
NAME = re.compile(r"[\w+=,.@-]{2,64}")
TAG_VALUE = re.compile(r"[\w\s.:/=+\-@]{0,256}")
TAG_KEY = re.compile(r"[\w\s.:/=+\-@]{1,128}")
TAG_MEMBER = re.compile(r"Tags\.member\.(\d+)\.(Key|Value)")
MOST_TAGS = 50
LONGEST_POLICY = 2048  # characters
SHORTEST, LONGEST, LONGEST_CHAINED = 900, 43_200, 3_600  # seconds


class Sts:
    """Answers AssumeRole and GetCallerIdentity; the rest is moto's."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def answer(self, visit: RequestContext) -> dict[str, Any] | None:
        """The result, or None if moto answers. Raises AwsError."""
        match visit.request.operation:
            case "AssumeRole":
                return self._assume_role(visit)
            case "GetCallerIdentity":
                caller = visit.identity
                user_id = caller.principal_id if caller.role_arn else caller.account
                return {"UserId": user_id, "Account": caller.account, "Arn": caller.arn}
        return None

    def _assume_role(self, visit: RequestContext) -> dict[str, Any]:
        params, role_arn = visit.params, visit.params.get("RoleArn", "")
        name, seconds, tags = _checked_name(params), _seconds(visit), tags_of(params)
        if ROLE.fullmatch(role_arn) is None:
            raise AwsError("ValidationError", f"Value {role_arn!r} at 'roleArn' is not valid.")
        account = _account_of(role_arn)
        if account is None:
            raise _denied(visit, role_arn)
        session = f"arn:aws:sts::{account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{name}"
        # Once set, it stays through all further sessions.
        source = visit.identity.source_identity or params.get("SourceIdentity")
        issued = self._identities.register(
            account,
            session,
            role_arn=role_arn,
            source_identity=source,
            tags=tags,
            policy=params.get("Policy"),
        )
        return {
            "Credentials": _told(issued, visit.now + timedelta(seconds=seconds)),
            "AssumedRoleUser": {
                "AssumedRoleId": self._identities.find(issued.access_key_id).principal_id,
                "Arn": session,
            },
            "PackedPolicySize": 6,
            **({"SourceIdentity": source} if source else {}),
        }


def _told(issued: Credentials, expiration: datetime) -> dict[str, Any]:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "SessionToken": issued.session_token,
        "Expiration": expiration,
    }


def _account_of(role_arn: str) -> str | None:
    """The account of a role that exists."""
    matched = ROLE.fullmatch(role_arn)
    if matched is None:
        return None
    roles = list(iam_backends[matched[1]]["aws"].roles.values())
    return matched[1] if any(role.arn == role_arn for role in roles) else None


def _denied(visit: RequestContext, role_arn: str) -> AwsError:
    text = (
        f"User: {visit.identity.arn} is not authorized to perform: sts:AssumeRole "
        f"on resource: {role_arn}"
    )
    return AwsError("AccessDenied", text, status=403)


def _checked_name(params: dict[str, Any]) -> str:
    """The session's name, once it, the source identity and the session policy are valid."""
    name: str = params.get("RoleSessionName", "")
    for member, value in (
        ("roleSessionName", name),
        ("sourceIdentity", params.get("SourceIdentity")),
    ):
        if value is not None and not NAME.fullmatch(value):
            raise AwsError("ValidationError", f"Value {value!r} at {member!r} is not valid.")
    if len(params.get("Policy", "")) > LONGEST_POLICY:
        raise AwsError("PackedPolicyTooLarge", "The session policy is too long.")
    return name


def _seconds(visit: RequestContext) -> int:
    asked = str(visit.params.get("DurationSeconds", LONGEST_CHAINED))
    seconds = int(asked) if WHOLE.fullmatch(asked) else 0
    longest = LONGEST_CHAINED if visit.identity.role_arn else LONGEST
    if not SHORTEST <= seconds <= longest:
        raise AwsError("ValidationError", f"DurationSeconds is {SHORTEST} to {longest} here.")
    return seconds


def tags_of(params: dict[str, Any]) -> dict[str, str]:
    pairs: dict[int, dict[str, str]] = {}
    for name, value in params.items():
        if member := TAG_MEMBER.fullmatch(name):
            pairs.setdefault(int(member[1]), {})[member[2]] = value
    tags = {pair["Key"]: pair.get("Value", "") for pair in pairs.values()}
    if len(tags) > MOST_TAGS:
        raise AwsError("ValidationError", f"At most {MOST_TAGS} session tags are allowed.")
    for key, value in tags.items():
        if not TAG_KEY.fullmatch(key) or not TAG_VALUE.fullmatch(value):
            raise AwsError("ValidationError", f"Session tag {key!r} has a character not allowed.")
    return tags
