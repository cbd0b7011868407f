"""The answer to one question about a deployment. Knows no AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chalicelib.aws.errors import DENIED, code_of
from ops.errors import OperatorError
from ops.expected import EXPECTED, trouble_of
from ops.hub import Hub


@dataclass(frozen=True)
class Finding:
    """`ok` None: it could not be found out from here. `warns`: it works, and still. `account`: another one than the hub’s. `do` is what helps."""

    name: str
    ok: bool | None
    says: str
    do: str = ""
    warns: bool = False
    account: str = ""


class PrerequisiteError(OperatorError):
    """What a check needs is wrong itself, and another check says so."""


Check = Callable[[Hub], Iterable[Finding]]


def asked(name: str, check: Check, hub: Hub) -> list[Finding]:
    """The findings of a check; trouble while asking is one too."""
    try:
        return list(check(hub))
    except EXPECTED as error:
        trouble = trouble_of(error)
        unknown = isinstance(error, PrerequisiteError) or code_of(error) in DENIED
        return [
            Finding(name, None if unknown else False, trouble.reason, "; ".join(trouble.advice))
        ]
