"""A botocore session that starts fast and believes only whole replies: the one maker of all clients."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session


MAKING = threading.Lock()
"""A session makes one client at a time; what it makes serves many threads."""


class AnyService:
    """Stands for the list of AWS's services, and holds every name.

    botocore makes that list anew for each kind of file that a client needs, from some 900 folders,
    only to name the services in the error for one that does not exist.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())


def make_client(
    service: str,
    region: str,
    credentials: Mapping[str, str] | None,
    /,
    *,
    acts: bool = False,
    profile: str | None = None,
) -> Any:
    """A client with these credentials, or the process's own, or a profile's. `acts`: it changes AWS."""
    given: dict[str, Any] = {**(credentials or {})}
    config = _acts() if acts else _reads()
    with MAKING:
        return own_session(profile).create_client(
            service, region_name=region, config=config, **given
        )


def _reads() -> Config:
    """Reads and our own table may be asked again; the time-outs leave room in a turn."""
    from botocore.config import Config

    return Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=3,
        read_timeout=10,
        max_pool_connections=64,
        # botocore builds its own long name afresh for each request: a fifth of a call's CPU time.
        user_agent="unlatch",
    )


def _acts() -> Config:
    """Mutations are never retried by the SDK: only a new look at the world may repeat one."""
    from botocore.config import Config

    return Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=3,
        read_timeout=30,
        user_agent_extra="unlatch",
    )


@functools.cache
def own_session(profile: str | None) -> Session:
    """The one of this process; an operator may name an AWS profile."""
    return fast_session(profile)


def fast_session(profile: str | None = None) -> Session:
    """botocore itself: boto3 around it costs a cold function 20 ms more, boto3's Table as much again."""
    from botocore.session import Session  # 110 ms that a refused request does not pay

    from chalicelib.aws.whole import demand_whole  # imports botocore

    session = Session(profile=profile)
    loader = session.get_component("data_loader")
    loader.list_available_services = lambda type_name: AnyService()  # noqa: ARG005  # botocore's name
    demand_whole(session)
    return session
