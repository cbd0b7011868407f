"""Clients and environments that act as a caller of the sandbox's AWS. Never takes a proxy."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from sandbox.aws.identity import Credentials


def client(
    url: str, service: str, credentials: Credentials, *, region: str, user_agent: str | None = None
) -> Any:
    """A boto3 client that tries each call once."""
    return _sdk().client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(proxies={}, retries={"total_max_attempts": 1}, user_agent=user_agent),
    )


def as_variables(credentials: Credentials) -> Mapping[str, str]:
    """The environment variables that an SDK finds them in."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }


@cache
def _sdk() -> Any:
    """One for all clients, since it remembers AWS's models, which take long to read."""
    return boto3.Session()
