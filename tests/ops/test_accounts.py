"""Which accounts are served: ids, organisation units with all below them, or the whole organisation."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deployment.organisation import accounts
from ops.errors import OperatorError

HUB = "111111111111"
TREE = {
    "ou-ab12-root0001": (["222222222222", "333333333333"], ["ou-ab12-child001"]),
    "ou-ab12-child001": ([HUB, "444444444444"], []),
}
SUSPENDED = "333333333333"


class Organisation:
    """Answers as AWS Organizations does, a page an item; or refuses."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, name))

    def list_accounts(self) -> Any:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal}}, "ListAccounts")
        return [page for parent in TREE for page in self.list_accounts_for_parent(ParentId=parent)]

    def list_accounts_for_parent(self, **of: str) -> Any:
        ids, _ = TREE[of["ParentId"]]
        states = {SUSPENDED: "SUSPENDED"}
        return [{"Accounts": [{"Id": i, "Status": states.get(i, "ACTIVE")}]} for i in ids]

    def list_organizational_units_for_parent(self, **of: str) -> Any:
        return [{"OrganizationalUnits": [{"Id": unit} for unit in TREE[of["ParentId"]][1]]}]


def hub(organisation: Organisation) -> Any:
    return SimpleNamespace(account=HUB, client=lambda _: organisation)


@pytest.mark.parametrize(
    ("words", "served"),
    [
        ([], ()),
        (["555555555555"], ("555555555555",)),
        (["all"], ("222222222222", "444444444444")),
        (["ou-ab12-root0001"], ("222222222222", "444444444444")),
        (["ou-ab12-child001", "555555555555"], ("444444444444", "555555555555")),
    ],
)
def test_the_hub_and_closed_accounts_are_left_out(words: list[str], served: Any) -> None:
    assert accounts(hub(Organisation()), words) == served


@pytest.mark.parametrize("code", ["AccessDeniedException", "AWSOrganizationsNotInUseException"])
def test_where_nobody_may_ask_it_says_what_helps(code: str) -> None:
    with pytest.raises(OperatorError, match="Organizations can’t be read") as caught:
        accounts(hub(Organisation(code)), ["all"])
    assert "list the account ids" in caught.value.advice[0]


def test_other_trouble_is_not_hidden() -> None:
    with pytest.raises(ClientError):
        accounts(hub(Organisation("TooManyRequestsException")), ["all"])
