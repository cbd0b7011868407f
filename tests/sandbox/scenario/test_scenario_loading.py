"""A scenario that can't be played is refused with its line and with what is allowed there."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.ages import parse_age
from sandbox.scenario.document import UnusableError
from sandbox.scenario.load import load
from sandbox.scenario.model import Home, parse_moment
from tests.sandbox.scenario.conftest import WORLD

PLAYED = f"{WORLD}play: []\n"


def refused(path: Path) -> str:
    with pytest.raises(UnusableError) as caught:
        load(path)
    return str(caught.value).replace(f"{path}:", "")


def test_a_file_of_play_alone_is_a_scenario_with_defaults(write: Callable[..., Path]) -> None:
    scenario = load(write("play: []\n", name="short.yaml"))
    assert scenario.title == "short"
    assert scenario.now == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert scenario.accounts == ("111122223333",)
    assert scenario.regions == ("us-east-1",)
    assert scenario.blocked_by == "key_store"
    assert scenario.world["durations"]["delete_hsm"] == "6m"


def test_the_optional_parts_of_the_world_are_filled_in(write: Callable[..., Path]) -> None:
    scenario = load(write(PLAYED))
    assert scenario.world["clusters"][0] == {
        "id": "cluster-2a3b4c5d6e7",
        "account": "111122223333",
        "region": "us-east-1",
        "state": "ACTIVE",
        "hsms": 2,
        "certificate": "certificate of cluster-2a3b4c5d6e7",
        "backups": [{"age": "2h"}],
        "tags": {},
        "clients": 0,
    }
    assert scenario.world["key_stores"][0]["state"] == "CONNECTED"
    assert scenario.world["keys"][1]["last_used"] == "never"
    assert scenario.home_of_store["cks-1"] == Home("111122223333", "us-east-1")
    assert scenario.approvers == ("alice", "bob")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02T09:00:00Z", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02 10:00:00 +01:00", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("20260302T090000Z", datetime(2026, 3, 2, 9, tzinfo=UTC)),
    ],
)
def test_now_is_a_string_or_a_yaml_timestamp(
    write: Callable[..., Path], written: str, meant: Any
) -> None:
    assert parse_moment(written) == meant
    assert load(write(f"now: {written}\nplay: []\n")).now == meant
    assert load(write(f"now: '{written}'\nplay: []\n")).now == meant


def test_settings_become_the_text_of_environment_variables(write: Callable[..., Path]) -> None:
    text = "config: {dry_run: true, pending_window_days: 7, approvers: [S0KEYS, alice]}\nplay: []\n"
    assert load(write(text)).config == {
        "dry_run": "true",
        "pending_window_days": "7",
        "approvers": "S0KEYS,alice",
    }


def test_ages_may_be_of_several_parts() -> None:
    assert parse_age("1d12h") == parse_age("36h") == parse_age("2160m")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("play: [\n", "2: not YAML: while parsing a flow node"),
        ("a: b: c\n", "1: not YAML: mapping values are not allowed here"),
        ("", "1: the file is empty"),
        ("# nothing\n", "1: the file is empty"),
        ("- 1\n", "1: a list is not a mapping"),
        ("title: x\n", "1: needs play"),
        ("play: []\nplay: []\n", "2: 'play' stands here twice"),
        ("play: []\nno: 1\n", "2: 'no' is read as no text here: quote it"),
        ("play: !!python/object:os.system []\n", "1: not YAML: could not determine"),
        ("x: &x [*x]\nplay: []\n", "1: unknown key 'x'"),
        ("title: t\nplay:\n  - hop: 3\n", "3: play[0]: unknown key 'hop'; allowed here: advance,"),
        (
            "play:\n  - until: waiting\n    advance: 3h\n",
            "2: play[0]: needs exactly one key, but has 2: until, advance; split it",
        ),
        ("play:\n  - {}\n", "2: play[0]: needs one of these keys: advance, click"),
        ("play:\n  - advance: 3\n", "2: play[0].advance: 3 is not a length of time such as"),
        ("play:\n  - until: over\n", '2: play[0].until: "over" is not one of "waiting"'),
        ("play:\n  - redeliver: 0\n", "2: play[0].redeliver: 0 is too small; the least is 1"),
        ("play: []\nnow: soon\n", "2: now: 'soon' is no moment such as"),
        ("play: []\ntitle: 3\n", "2: title: 3 is not text: put it in quotes"),
        ("accounts: [111122223333]\nplay: []\n", "1: accounts[0]: 111122223333 is not an account"),
        ("people:\n  ci: {}\nplay: []\n", '2: people: "ci" is not a name of letters'),
        ("people:\n  al: {boss: true}\nplay: []\n", "2: people.al: unknown key 'boss'; allowed"),
        ("config: {quorum: 1}\nplay: []\n", "1: config: unknown key 'quorum'; allowed here:"),
        (
            "config:\n  expiry_hours: soon\nplay: []\n",
            "2: config.expiry_hours: must be a number from 1",
        ),
        ("config: {pending_window_days: 5}\nplay: []\n", "1: config.pending_window_days: must be"),
        (
            "expect:\n  calls: [DeleteHsm]\nplay: []\n",
            '2: expect.calls[0]: "DeleteHsm" is not a call such as',
        ),
        (
            "faults:\n  - {call: kms, kind: error}\nplay: []\n",
            '2: faults[0].call: "kms" is not a call',
        ),
        ("world:\n  keys:\n    - {}\nplay: []\n", "3: world.keys[0]: needs store"),
        (
            "config:\n  routes: [{name: a}, {name: a}]\nplay: []\n",
            "2: routes: two rules are named a",
        ),
        (
            "play:\n  - deploy: {routes: [{name: a, approvers: []}]}\n",
            "2: routes: rule 1 (a): approvers must be a list",
        ),
        ("play:\n  - deploy: {quiet_minutes: 5}\n", "2: play[0].deploy: unknown key"),
        (
            "play: []\nfaults:\n  - {call: 'kms:*', kind: cut, from: 1h, until: 2h, times: 2}\n",
            "3: times: a fault with from and until has none",
        ),
        (
            "play: []\nfaults:\n  - {call: 'kms:*', kind: cut, from: 2h, until: 1h}\n",
            "3: until 1h is not after from 2h",
        ),
        (
            "play: []\nfaults:\n  - {call: 'kms:*', kind: cut, until: 1h}\n",
            "3: from and until go together",
        ),
    ],
)
def test_a_broken_file_is_told_with_its_line(
    write: Callable[..., Path], text: str, problem: str
) -> None:
    assert refused(write(text)).startswith(problem)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (
            "- click: {by: zoe, button: retire}",
            "no person is called 'zoe'; there are: alice, bob, carol",
        ),
        ("- command: {by: zoe, text: help}", "no person is called 'zoe'"),
        ("- home: {by: zoe}", "no person is called 'zoe'"),
        ("- click: {by: alice, button: boom}", 'play[0].click.button: "boom" is not one of'),
        ("- delete_cluster: {cluster: c, by: ci}", "no cluster is called 'c'; there are: cluster-"),
        ("- delete_cluster: {cluster: cluster-2a3b4c5d6e7, by: zoe}", "'zoe' is nobody; by is ci"),
        ("- event: {file: none.json}", "event file "),
        ("- outside: {connect: {store: cks-2}}", "no key store is called 'cks-2'"),
        ("- outside: {use_key: {alias: alias/x}}", "no alias is called 'alias/x'"),
        ("- outside: {use_key: {index: 2}}", "index 2: world.keys has 2, counted from 0"),
        ("- connect_key_store: {store: cks-2, by: ci}", "no key store is called 'cks-2'"),
        ("- create_key_store: {cluster: c, name: n, by: ci}", "no cluster is called 'c'"),
        ("- delete_key_store: {store: cks-1, by: zoe}", "'zoe' is nobody; by is ci"),
        ("- tamper: {put_back: before}", "put_back: nothing was kept as 'before' before"),
        ("- request: {signature: bad}", "request: needs body, unless it is a replay"),
    ],
)
def test_a_name_that_points_at_nothing_is_told_with_its_line(
    write: Callable[..., Path], item: str, problem: str
) -> None:
    line = WORLD.count("\n") + 2
    assert refused(write(f"{WORLD}play:\n  {item}\n")).startswith(f"{line}: {problem}")


@pytest.mark.parametrize(
    ("world", "problem"),
    [
        ("key_stores: [{id: s, cluster: c}]", "no cluster is called 'c'; there are: none"),
        ("keys: [{store: s}]", "no key store is called 's'; there are: none"),
        (
            "clusters: [{id: c}]\n  key_stores: [{id: s, cluster: c, error: NETWORK_ERRORS}]",
            "error: only a store whose state is FAILED has one",
        ),
        ("interfaces: [{cluster: c}]", "no cluster is called 'c'; there are: none"),
        ("clusters: [{id: c}, {id: c}]", "cluster 'c' stands here 2 times"),
        (
            'clusters: [{id: c, account: "999988887777"}]',
            "account '999988887777' is not in accounts: 111122223333",
        ),
    ],
)
def test_a_world_that_hangs_in_the_air_is_told(
    write: Callable[..., Path], world: str, problem: str
) -> None:
    text = f'accounts: ["111122223333"]\nworld:\n  {world}\nplay: []\n'
    assert problem in refused(write(text))


def test_an_event_file_must_hold_an_event(write: Callable[..., Path]) -> None:
    write("not json", name="event.json")
    assert "is not JSON" in refused(write("play:\n  - event: {file: event.json}\n"))
    write("[]", name="event.json")
    assert "holds no JSON object" in refused(write("play:\n  - event: {file: event.json}\n"))


def test_every_problem_is_told_at_once_in_the_order_of_lines(write: Callable[..., Path]) -> None:
    lines = refused(write("title: 1\nplay:\n  - hop: 1\n  - advance: 2\n")).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["1", "3", "4"]


def test_a_file_that_is_missing_or_no_text_is_told(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    assert "can't be read" in refused(tmp_path / "none.yaml")
    path = write("")
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in refused(path)


def test_accounts_may_be_left_to_the_clusters(write: Callable[..., Path]) -> None:
    text = 'world: {clusters: [{id: c, account: "444455556666"}]}\nplay: []\n'
    assert load(write(text)).accounts == ("444455556666",)


def test_a_cluster_that_was_never_activated_has_no_backups_unless_it_says_so(
    write: Callable[..., Path],
) -> None:
    world = (
        "clusters: [{id: a, state: INITIALIZED}, {id: b, state: INITIALIZED, backups: [{age: 1h}]}]"
    )
    scenario = load(write(f"world: {{{world}}}\nplay: []\n"))
    assert [len(cluster["backups"]) for cluster in scenario.world["clusters"]] == [0, 1]


def test_the_teams_are_said_once(write: Callable[..., Path]) -> None:
    assert load(write("slack: {team_ids: [E0ORG]}\nplay: []\n")).team_ids == ("E0ORG",)
    twice = "slack: {team_ids: [E0ORG]}\nconfig: {slack_team_ids: T1}\nplay: []\n"
    assert "slack.team_ids: config.slack_team_ids says it as well" in refused(write(twice))
