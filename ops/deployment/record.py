"""What this deployment was made of and told: kept in AWS beside it, so that any laptop or pipeline knows. Holds no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.hub import APP, Hub


@dataclass(frozen=True)
class Record:
    """`settings` are those that an operator gave, beyond .chalice/config.json."""

    version: str = ""
    code_sha256: str = ""
    runtime: str = ""
    url: str = ""
    by: str = ""
    at: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def parameter(stage: str) -> str:
    return f"/{APP}/{stage}/deployment"


def read(hub: Hub) -> Record | None:
    """None if there is none: nothing is deployed, or it was done without `unlatch`."""
    try:
        found = hub.client("ssm").get_parameter(Name=parameter(hub.stage))["Parameter"]
    except ClientError as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise
    told: dict[str, Any] = json.loads(found["Value"])
    return Record(**{name: told[name] for name in Record.__dataclass_fields__ if name in told})


def keep(hub: Hub, record: Record) -> None:
    hub.client("ssm").put_parameter(
        Name=parameter(hub.stage),
        Description="Unlatch: what is deployed here, and with which settings",
        Value=as_text(record),
        Type="String",
        Tier="Intelligent-Tiering",  # a long list of accounts or people may take more than 4 KB
        Overwrite=True,
    )


def forget(hub: Hub) -> None:
    hub.client("ssm").delete_parameter(Name=parameter(hub.stage))


def as_text(record: Record) -> str:
    return json.dumps(asdict(record), sort_keys=True)
