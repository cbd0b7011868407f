"""The digest, the Home tab and what `/unlatch` answers: words, links, buttons, and Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.fleet import Concern
from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import READERS, Refusal
from chalicelib.domain.scan import Changes, Finding, Scan, changes
from chalicelib.domain.state.case import Case, Keep, Outcome, Phase
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.slack.home import view
from chalicelib.slack.messages import digest, fleet
from chalicelib.slack.messages.names import Names
from chalicelib.slack.naming import Naming
from chalicelib.slack.reach import Reach
from chalicelib.slack.replies import SlackError
from sandbox.slack.limits import check_message, check_view
from tests.domain.worlds import DAY, NOW, POLICY
from tests.slack.every_moment import kept
from tests.slack.moments import asked, one_of_two, waiting_for_keys
from tests.slack.reading import nodes, words
from tests.slack.test_gateway import Slack

NAMES = Names(accounts={"1": "data-dev"}, home="https://example.slack.com/")


def finding(concern: Concern, which: int = 1, **values: Any) -> Finding:
    known: dict[str, Any] = {"cluster_id": f"cluster-{which}", "hsms": 2, "dollars": 2336.0}
    return Finding(concern, **{"account": "1", "region": "eu-west-1", **known, **values})


EVERY = tuple(finding(concern, n, number=3, detail="x") for n, concern in enumerate(Concern))
SCAN = Scan(NOW, 40, 4, tuple(f"1/eu-west-1/cluster-{n}" for n in range(12)), 26, 29_950.0, EVERY)


def told(scan: Scan, before: Scan | None = None, link: str = "") -> Any:
    made = digest.message(scan, before, changes(before, scan), names=NAMES, link=lambda _: link)
    assert not check_message(list(made.blocks), made.text)
    return made


def test_the_digest_says_what_changed_worst_first() -> None:
    made = told(SCAN)
    assert made.text.startswith("Unlatch, week to 2 Mar: 1 key store is down, ")
    assert made.blocks[0]["text"]["text"] == "Fleet, week to 2 Mar: 9 changes"
    assert words(made.blocks[2]).startswith("1 key store is down.")
    assert "data-dev, eu-west-1" in words(made.blocks[3])
    assert "A week without changes writes nothing." in words(made.blocks[-1])
    assert "<@" not in str(made.blocks)


def test_only_idle_clusters_get_a_button_and_others_a_link() -> None:
    buttons = [n for n in nodes(told(SCAN).blocks) if n.get("type") == "button"]
    idle = [f.cluster_id for f in EVERY if f.concern in (Concern.IDLE, Concern.HOLDS_NOTHING)]
    assert [b["value"] for b in buttons] == [f"1/eu-west-1/{one}" for one in idle]
    linked = told(SCAN, link="https://example.slack.com/x")
    assert "has a case: <https://example.slack.com/x|open it>" in str(linked.blocks)


def test_a_digest_of_very_many_changes_stays_short() -> None:
    many = replace(SCAN, findings=tuple(finding(Concern.IDLE, n) for n in range(100)))
    made = told(many)
    table = next(b for b in made.blocks if b["type"] == "table")
    assert len(table["rows"]) == 21
    assert "81 more" in str(table) or "80 more" in str(table)


def test_what_is_over_and_gone_is_told_too() -> None:
    before = replace(SCAN, dollars=31_000.0, findings=EVERY[:-1])
    after = replace(SCAN, clusters=SCAN.clusters[1:], findings=EVERY[1:-1])
    made = told(after, before)
    assert "1 finding is over and 1 cluster has been deleted" in made.text
    assert "was $31,000" in words(made.blocks[-1])
    nothing = digest.message(SCAN, SCAN, Changes(), names=NAMES, link=lambda _: "")
    assert "nothing changed" in nothing.text


def test_every_finding_has_words() -> None:
    for one in EVERY:
        assert fleet.about(one, NOW)
    assert "last used 9 days ago" in fleet.about(finding(Concern.IDLE, at=NOW - 9 * DAY), NOW)
    assert fleet.cost(finding(Concern.IDLE, hsms=0)) == "No HSM runs"
    assert "the first on" in fleet.about(finding(Concern.KEYS_GOING, at=NOW), NOW)
    assert fleet.name_of(finding(Concern.UNREAD, cluster_id="")) == "1"


ABOUT: list[tuple[Concern, dict[str, Any], str]] = [
    (Concern.BROKEN_STORE, {"detail": "INVALID_CREDENTIALS"}, "its key store is down (INVALID_CREDENTIALS), 3 keys can’t be used"),
    (Concern.BROKEN_STORE, {"detail": ""}, "its key store is down (FAILED), 3 keys can’t be used"),
    (Concern.CLUSTER_LOST, {}, "is gone, and 3 keys can’t be used without it"),
    (Concern.KEYS_GOING, {"at": NOW}, "3 keys will be deleted, the first on 2 Mar"),
    (Concern.KEYS_GOING, {}, "3 keys will be deleted"),
    (Concern.STORE_OFF, {}, "its key store is not connected, 3 keys can’t be used"),
    (Concern.IDLE, {"keys": 4, "at": NOW - 9 * DAY}, "is idle: 4 keys, last used 9 days ago"),
    (Concern.IDLE, {"keys": 1}, "is idle: 1 key, never used"),
    (Concern.HOLDS_NOTHING, {}, "is idle: no key store uses it"),
    (Concern.RETIRED, {"detail": "hsm1.medium"}, "has HSMs of a retired type (hsm1.medium)"),
    (Concern.UNKNOWN_USE, {}, "nobody can tell whether it is used"),
    (Concern.UNREAD, {"detail": "x" * 300}, f"could not be read: {'x' * 100}…{'x' * 99}"),
]  # fmt: skip


@pytest.mark.parametrize(("concern", "values", "said"), ABOUT)
def test_what_a_finding_says_of_its_cluster(
    concern: Concern, values: dict[str, Any], said: str
) -> None:
    assert fleet.about(finding(concern, number=3, **values), NOW) == said


def test_a_finding_goes_by_its_cluster_its_store_or_its_account() -> None:
    of_store = finding(Concern.BROKEN_STORE, cluster_id="", key_store_id="cks-1")
    assert fleet.name_of(finding(Concern.IDLE, key_store_id="cks-1")) == "cluster-1"
    assert fleet.name_of(of_store) == "cks-1"
    assert fleet.cost(finding(Concern.IDLE)) == "2 HSMs, about $2,340 a month"


def test_the_answer_to_scan() -> None:
    assert "No scan has been made yet" in fleet.told(None, NAMES)
    assert "None is idle, none is broken." in fleet.told(replace(SCAN, findings=()), NAMES)
    many = replace(SCAN, findings=EVERY * 3, unseen=2)
    assert "and 14 more" in fleet.told(many, NAMES)
    full = replace(SCAN, findings=(EVERY * 2)[: fleet.MOST_LINES])
    assert "more: `unlatch scan`" not in fleet.told(full, NAMES)
    assert "and 1 more: `unlatch scan` shows all." in fleet.told(replace(full, unseen=1), NAMES)


def shown(case: Case, number: int = 1) -> Case:
    return replace(case, case_id=f"case-{number}", message=SlackMessage("C1", f"{number}.5"))


def seen(home: Home) -> list[Any]:
    made = view(home, policy=POLICY, names=NAMES, now=NOW)
    assert not check_view(made, "home")
    return list(made["blocks"])


def test_home_links_to_each_message() -> None:
    mine, going, stays = (
        shown(asked().case),
        shown(waiting_for_keys().case, 2),
        shown(kept().case, 3),
    )
    blocks = seen(
        Home((mine,), (going,), (stays,), SCAN, channel="C1", asked_by=frozenset({"case-2"}))
    )
    said = words(blocks)
    assert "Waits for you: 1" in said
    assert "Open, nothing for you to do: 1" in said
    assert "You made that call, so others decide." in said
    assert "kept until" in said
    for number in (1, 2, 3):
        assert f"https://example.slack.com/archives/C1/p{number}5|" in said
    assert [n["value"] for n in nodes(blocks) if n.get("type") == "button"]
    assert "again every hour and after each click" in said


def test_an_empty_home_says_so_and_a_freeze_stands_first() -> None:
    blocks = seen(Home(frozen="drill, by ann", channel="C1"))
    assert "All changes are frozen:* drill, by ann" in words(blocks[0])
    at_length = words(seen(Home(frozen="drill " * 60, channel="C1"))[0])
    assert at_length.count("drill") == 50, "a reason of any length fits"
    said = words(blocks)
    assert "Nothing waits for you" in said
    assert "writes to <#C1>" in said
    assert "No scan has been made yet" in said
    assert "None is idle, none is broken." in words(seen(Home(scan=replace(SCAN, findings=()))))


def test_an_idle_cluster_with_a_case_leads_to_it() -> None:
    idle = replace(SCAN, findings=(finding(Concern.IDLE, 1), finding(Concern.IDLE, 2)))
    case = replace(
        shown(asked().case), account="1", region="eu-west-1", cluster_id=idle.findings[0].cluster_id
    )
    blocks = seen(Home((case,), scan=idle))
    offered = [n["value"] for n in nodes(blocks) if n.get("type") == "button"]
    assert offered == ["1/eu-west-1/cluster-2"]
    assert "<https://example.slack.com/archives/C1/p15|cluster-1>* is idle" in words(blocks)


@pytest.mark.parametrize("why", [one for one in Refusal if one not in READERS])
def test_a_home_that_is_closed_shows_nothing_but_why(why: Refusal) -> None:
    said = words(seen(Home(closed=why)))
    assert "Fleet" not in said
    assert ("No case is shown here" in said) is (why is not Refusal.NO_APPROVERS)


def test_a_home_that_nobody_could_read_claims_nothing() -> None:
    said = words(seen(Home(is_unread=True)))
    assert "can’t read its cases now" in said
    assert "Nothing waits" not in said


def test_a_full_home_fits() -> None:
    many = tuple(shown(one_of_two().case, n) for n in range(15))
    kept_ones = tuple(shown(kept().case, n) for n in range(15))
    idle = tuple(finding(Concern.IDLE, n) for n in range(40))
    blocks = seen(Home(many, many, kept_ones, replace(SCAN, findings=idle), more=7))
    assert len(blocks) <= 100
    assert "5 more: /unlatch status" in words(blocks)
    assert "again every hour" in words(blocks[-1])


def reach(slack: Slack, scan: Scan | None = None) -> Reach:
    slack.answers |= {
        "auth.test": {"url": "https://example.slack.com/"},
        "users.info": SlackError("user_not_found"),
        "usergroups.list": {"usergroups": []},
        "views.publish": {"view": {"id": "V1"}},
    }
    return Reach(
        slack,
        "C1",
        POLICY,
        Naming(slack),
        lambda what, **_: slack.logged.append(what),
        lambda: scan,
    )


def test_slacks_failures_stop_nothing() -> None:
    slack = Slack()
    here = reach(slack)
    assert here.publish("alice", Home(), NOW)
    slack.answers["views.publish"] = SlackError("not_enabled")
    assert not here.publish("alice", Home(), NOW)
    slack.answers["chat.postMessage"] = SlackError("is_archived")
    assert not here.tell(SCAN, None, changes(None, SCAN), ())
    assert slack.logged == ["Home tab not shown", "digest not posted"]


@pytest.mark.parametrize("code", ["view_too_large", "invalid_blocks", "invalid_arguments"])
def test_a_home_that_slack_does_not_take_is_shown_shorter(code: str) -> None:
    slack = Slack()
    here = reach(slack)
    slack.answers["views.publish"] = [SlackError(code), {"view": {"id": "V1"}}]
    many = tuple(shown(one_of_two().case, n) for n in range(15))
    assert here.publish("alice", Home(many, many, scan=SCAN), NOW)
    whole, short = (sent["view"] for method, sent in slack.asked if method == "views.publish")
    assert not check_view(short, "home")
    assert len(short["blocks"]) < len(whole["blocks"])
    assert short["blocks"][:2] == whole["blocks"][:2]
    assert short["blocks"][-1] == whole["blocks"][-1]
    slack.answers["views.publish"] = SlackError(code)
    assert not here.publish("alice", Home(), NOW)
    assert slack.logged == ["Home tab not shown"]


def test_a_digest_that_a_dead_function_posted_is_not_posted_again() -> None:
    slack = Slack()
    here, differs = reach(slack), changes(None, SCAN)
    case = replace(shown(asked().case), account="1", region="eu-west-1", cluster_id="cluster-4")
    assert here.tell(SCAN, None, differs, (case,))
    _, posted = slack.asked[-1]
    assert "has a case" in str(posted["blocks"])
    slack.answers["conversations.history"] = {
        "messages": [{"ts": "1", "metadata": posted["metadata"]}, {}]
    }
    before = len(slack.asked)
    assert here.tell(SCAN, None, differs, ())
    assert slack.methods[before:] == ["conversations.history"]


def test_the_private_answers() -> None:
    here = reach(Slack(), SCAN)
    assert "`/unlatch scan`" in here.help()
    assert "can approve. Whoever starts a case can’t approve it." in here.help()
    assert "Scanned" in here.scan()
    assert here.status(Home()) == "No case is open."
    mine, ended = (
        shown(asked().case),
        replace(shown(asked().case, 2), outcome=Outcome.KEPT, phase=Phase.CLOSED, waiting_for=""),
    )
    said = here.status(Home((mine,), (), (ended,), frozen="drill", more=3))
    assert "All changes are frozen: drill" in said
    link = "<https://example.slack.com/archives/C1/p15|cluster-2a3b4c5d6e7>"
    here_ = f"• {link} (account 111122223333, us-east-1)"
    assert f"{here_} · *Waits for you* · Closes <!date^" in said
    assert said.count("cluster-2a3b4c5d6e7") == 2, "a kept one that was never shown has no link"
    unlinked = here.status(Home((replace(mine, message=SlackMessage()),) * 50))
    assert "`cluster-2a3b4c5d6e7`" in unlinked
    assert "and 10 more cases." in unlinked


@pytest.mark.parametrize("keep", [None, Keep("U1", "", NOW + DAY, "later")])
def test_a_keep_without_an_owner_is_its_deciders(keep: Keep | None) -> None:
    said = words(seen(Home(kept=(replace(kept().case, keep=keep),))))
    assert "kept" in said
