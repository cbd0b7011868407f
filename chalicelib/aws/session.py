"""A botocore session that starts fast and believes only whole replies: the one maker of all clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class AnyService:
    """Stands for the list of AWS's services, and holds every name.

    botocore makes that list anew for each kind of file that a client needs, from some 900 folders,
    only to name the services in the error for one that does not exist.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())


def fast_session() -> Any:
    """botocore itself: boto3 around it costs a cold function 20 ms more, boto3's Table as much again."""
    from botocore.session import get_session  # noqa: PLC0415  # 110 ms that a refused request does not pay

    from chalicelib.aws.whole import demand_whole  # noqa: PLC0415  # imports botocore

    session = get_session()
    loader = session.get_component("data_loader")
    loader.list_available_services = lambda type_name: AnyService()  # noqa: ARG005  # botocore's name
    demand_whole(session)
    return session
