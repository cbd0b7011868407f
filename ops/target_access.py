"""How an operator reads a target account: with their own credentials, or as Unlatch’s reader role. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.aws.accounts import Accounts
from chalicelib.domain.state.case import Case
from ops.errors import OperatorError
from ops.hub import Hub


@dataclass(frozen=True)
class AsCaller(Accounts):
    """Takes no role: every client acts as the operator."""

    def clients(
        self,
        role: str,  # noqa: ARG002  # the caller’s own rights count
        *,
        account: str,
        region: str,
        session_name: str,  # noqa: ARG002  # same
        case: Case | None = None,  # noqa: ARG002  # same
        only: Sequence[Mapping[str, Any]] = (),  # noqa: ARG002  # same
    ) -> Callable[[str], Any]:
        own = self.sts.get_caller_identity()["Account"]
        if own != account:
            raise OperatorError(
                f"Your credentials are for account {own}, not {account}.",
                f"Use credentials of {account}, or --assume, if OperatorArn of infra/account.yaml names your role",
            )
        return lambda service: self.client(service, region, None)


def accounts(hub: Hub, *, assume: bool) -> Accounts:
    kind = Accounts if assume else AsCaller
    return kind(hub.client("sts"), hub.client_as, hub.partition)
