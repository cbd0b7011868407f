"""Which accounts `ACCOUNTS` means: ids as they are, organisation units and `all` as the organisation has them now. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from ops.deployment.ids import ACCOUNT, ALL
from ops.errors import OperatorError
from ops.hub import Hub

NO_ORGANISATION = frozenset({"AWSOrganizationsNotInUseException", *DENIED})


def accounts(hub: Hub, words: Iterable[str]) -> tuple[str, ...]:
    """All active accounts that are meant, without the hub’s own."""
    found: set[str] = set()
    for word in words:
        found |= {word} if re.fullmatch(ACCOUNT, word) else _asked(hub, word)
    return tuple(sorted(found - {hub.account}))


def _asked(hub: Hub, word: str) -> set[str]:
    organisation = hub.client("organizations")
    try:
        if word == ALL:
            return set(_active(organisation.get_paginator("list_accounts").paginate()))
        return set(_below(organisation, word))
    except ClientError as error:
        if code_of(error) not in NO_ORGANISATION:
            raise
        raise OperatorError(
            f"ACCOUNTS names {word}, and Organizations can’t be read from account {hub.account}.",
            "Deploy once where it can (the management account, or a delegated administrator’s), "
            "or list the account ids",
        ) from error


def _below(organisation: Any, parent: str) -> Iterator[str]:
    """The accounts of this unit and of all units in it."""
    pages = organisation.get_paginator("list_accounts_for_parent").paginate(ParentId=parent)
    yield from _active(pages)
    units = organisation.get_paginator("list_organizational_units_for_parent")
    for page in units.paginate(ParentId=parent):
        for unit in page["OrganizationalUnits"]:
            yield from _below(organisation, unit["Id"])


def _active(pages: Iterable[Any]) -> Iterator[str]:
    for page in pages:
        yield from (a["Id"] for a in page["Accounts"] if a.get("Status", "ACTIVE") == "ACTIVE")
