"""What people call things: looked up once an hour, and left out if Slack does not tell."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from chalicelib.aside import beside, in_turn
from chalicelib.config import read
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.slack.naming import REMEMBER_SECONDS, Naming
from chalicelib.slack.people import addresses
from chalicelib.slack.replies import SlackError
from tests.domain.worlds import case, cluster, world
from tests.slack.test_gateway import Slack
from tests.test_config import NEEDED


def slack(**answers: Any) -> Slack:
    made = Slack()
    made.answers |= {
        "auth.test": {"url": "https://example.slack.com/", "user_id": "U0"},
        "users.info": {"user": {"id": "U0ANN", "name": "ann", "profile": {"display_name": "Ann"}}},
        "usergroups.list": {"usergroups": [{"id": "S0KEYS", "handle": "kms-approvers"}]},
        "users.lookupByEmail": {"user": {"id": "U0PRIYA"}},
    } | answers
    return made


def owned_by(tag: str) -> Any:
    return case(snapshot=world(cluster=cluster("1a", tags=(("owner", tag),))))


def test_names_are_those_of_slack_and_are_remembered() -> None:
    asked, clock = slack(), [0.0]
    naming = Naming(asked, owner_tag="owner", clock=lambda: clock[0])
    for _ in range(2):
        names = naming.names(owned_by("priya@example.com"), ("S0KEYS", "U0ANN"))
        assert names.plainly(("S0KEYS", "U0ANN")) == "@kms-approvers and @Ann"
        assert names.owners == ("U0PRIYA",)
        assert names.link("C1", "1.2") == "https://example.slack.com/archives/C1/p12"
    assert len(asked.asked) == 4
    clock[0] = REMEMBER_SECONDS + 1
    naming.names(None, ("U0ANN",))
    assert len(asked.asked) == 6


def test_slack_is_asked_for_all_names_side_by_side() -> None:
    asked, together = slack(), threading.Barrier(4, timeout=20)

    def met(method: str, **arguments: Any) -> Any:
        together.wait()
        return asked(method, **arguments)

    names = Naming(met, aside=beside).names(None, ("S0KEYS", "U0ANN", "U0BEN"))
    assert names.plainly(("S0KEYS", "U0ANN")) == "@kms-approvers and @Ann"
    assert names.home


def test_what_slack_does_not_tell_is_left_out() -> None:
    refused = {name: SlackError("missing_scope") for name in slack().answers}
    names = Naming(slack(**refused), owner_tag="owner").names(
        owned_by("a@b.example"), ("S0KEYS", "U0ANN")
    )
    assert names.plainly(("S0KEYS", "U0ANN")) == "S0KEYS and U0ANN"
    assert not names.owners
    assert not names.link("C1", "1.2")
    odd = slack(**{"auth.test": {"url": "http://evil.example/|x"}})
    assert not Naming(odd).names(None, ()).home


def test_an_owner_is_an_address_a_user_or_a_group() -> None:
    naming = Naming(slack(), owner_tag="owner")
    assert naming.names(owned_by("U0DAVE, S0TEAM"), ()).owners == ("U0DAVE", "S0TEAM")
    for team in ("platform team", "SRE", "WEBTEAM", "SALES2", "<!here>", "U0", "u0dave"):
        owners = naming.names(owned_by(team), ()).owners
        assert owners == (("SALES2",) if team == "SALES2" else ()), "it has the form of an id"
    assert naming.names(replace(owned_by("U0DAVE"), snapshot=None), ()).owners == ()


def test_the_owners_of_keys_are_told_behind_that_of_the_cluster() -> None:
    naming = Naming(slack(), owner_tag="owner")
    of_keys = KeyOwners(("S0TEAM, U0DAVE", "<!here>", "<!channel>@x.example"))
    both = replace(owned_by("U0DAVE"), key_owners=of_keys)
    assert naming.names(both, ()).owners == ("U0DAVE", "S0TEAM")
    many = KeyOwners(tuple(f"U0USER{number}" for number in range(30)))
    assert len(naming.names(replace(both, key_owners=many), ()).owners) == 5


def test_a_second_domain_is_tried_too() -> None:
    answers = [SlackError("users_not_found"), {"user": {"id": "U7"}}]
    asked = slack(**{"users.lookupByEmail": answers})
    assert Naming(asked, domains=("second.example",)).user_of("ann@first.example") == "U7"
    assert asked.asked[-1][1] == {"email": "ann@second.example"}
    assert addresses("ann", ("x.example",)) == ()


def test_the_settings_say_what_is_looked_up() -> None:
    settings = read({**NEEDED, "ACCOUNT_NAMES": "111122223333=prod", "OWNER_TAG": "team"})
    naming = Naming.of(slack(), settings, aside=in_turn)
    assert (naming.accounts, naming.owner_tag) == ({"111122223333": "prod"}, "team")
