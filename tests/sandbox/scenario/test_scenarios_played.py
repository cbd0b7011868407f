"""Every shipped scenario comes as it expects, on the real path from the event to the last call."""

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.permissions.page import PAGE, read, scenario_of
from sandbox.permissions.record import open_recorded, recorded
from sandbox.permissions.rights import Key
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.command import play_file
from sandbox.scenario.model import Scenario
from sandbox.scenario.scenario_sandbox import ScenarioSandbox
from tests.sandbox.scenario.ways import TOLD

PROJECT = Path(__file__).parents[3]
SCENARIOS = sorted((PROJECT / "sandbox" / "scenarios").glob("*.yaml"))
Told = dict[str, Any]


def play(path: Path, rights: Path) -> Told:
    """In this process: a new one would take seconds to import what all plays share."""
    out, err, missed = io.StringIO(), io.StringIO(), list[Any]()

    @contextmanager
    def opened(scenario: Scenario) -> Iterator[tuple[ScenarioSandbox, StoredCases]]:
        with open_recorded(scenario, file=rights) as (sandbox, cases):
            yield sandbox, cases
            missed.extend(sandbox.aws.faults.missed())

    code = play_file(path, opened, out=out, err=err, as_json=True)
    assert out.getvalue().startswith("{"), err.getvalue()
    assert missed == [], "a fault that met nobody proves nothing"
    told: Told = json.loads(out.getvalue())
    assert (code == 0) is told["expect"]["passed"]
    return told


def statuses(told: Told) -> list[Any]:
    return [response["status"] for response in told["slack"]["responses"]]


def key_states(told: Told) -> Counter[str]:
    return Counter(key["state"] for key in told["world"]["keys"])


def outsiders_are_told_alone(told: Told) -> None:
    told_to = {whisper["user"] for whisper in told["slack"]["ephemerals"]}
    assert told_to >= {"mallory", "gus", "robo", "dora", "carol"}
    assert statuses(told).count("skipped") == 5
    assert told["cases"][0]["approvals"] == []
    homes = {who: json.dumps(home) for who, home in told["slack"]["homes"].items()}
    assert {who for who, home in homes.items() if "2a3b4c5d6e7" in home} == {"carol"}
    assert {who for who, home in homes.items() if "No case is shown" in home} == {"mallory", "gus"}


def unsigned_requests_are_refused(told: Told) -> None:
    assert statuses(told)[:3] == [401, 401, 401]


def nonsense_is_answered(told: Told) -> None:
    assert all(100 <= status < 500 for status in statuses(told))


def keys_are_back_as_they_were(told: Told) -> None:
    assert key_states(told) == {"Enabled": 1, "Disabled": 1}
    assert told["world"]["key_stores"][0]["state"] == "CONNECTED"


def the_innocent_are_untouched(told: Told) -> None:
    assert told["world"]["clusters"][1] == {
        "id": "cluster-7e6d5c4b3a2",
        "state": "ACTIVE",
        "hsms": 2,
        "from_backup": None,
    }
    assert key_states(told) == {"Enabled": 2}
    assert told["world"]["other_keys"] == 250


def the_wrong_id_counts_for_nothing(told: Told) -> None:
    assert [approval["by"] for approval in told["cases"][0]["approvals"]] == ["alice"]


def the_park_is_undone(told: Told) -> None:
    assert told["world"]["clusters"][0]["hsms"] == 2
    assert told["world"]["key_stores"][0]["state"] == "CONNECTED"
    assert key_states(told) == {"Enabled": 1}


def the_second_attempt_folds(told: Told) -> None:
    assert told["cases"][0]["attempts"] == 2
    assert told["cases"][0]["remedy"] == "keep"


def replays_do_not_count(told: Told) -> None:
    assert told["cases"][0]["attempts"] == 1


def the_other_account_is_acted_in(told: Told) -> None:
    roles = {call["role"].split(":")[4] for call in told["calls"]}
    assert roles == {"444455556666"}
    assert [c["state"] for c in told["world"]["clusters"]] == ["ACTIVE", "DELETED"]


def each_acts_in_its_own_place_alone(told: Told) -> None:
    acted = [(call["role"].split(":")[4], call["operation"]) for call in told["calls"]]
    assert [account for account, _ in acted] == ["444455556666"] * 3 + ["777788889999"] * 6
    targets = [str(call["params"]) for call in told["calls"]]
    assert all("5d6e7f2a3b4" in t or "5555555555555555a" in t for t in targets[:3])
    places = [(case["account"], case["region"], case["outcome"]) for case in told["cases"]]
    assert places == [
        ("111122223333", "us-east-1", "rejected"),
        ("444455556666", "eu-central-1", "parked"),
        ("777788889999", "eu-central-1", "retired"),
    ]
    hsms = {
        cluster["id"]: (cluster["state"], cluster["hsms"]) for cluster in told["world"]["clusters"]
    }
    assert hsms == {
        "cluster-2a3b4c5d6e7": ("ACTIVE", 2),
        "cluster-3b4c5d6e7f2": ("ACTIVE", 2),
        "cluster-4c5d6e7f2a3": ("ACTIVE", 2),
        "cluster-5d6e7f2a3b4": ("ACTIVE", 0),
        "cluster-6e7f2a3b4c5": ("ACTIVE", 2),
        "cluster-7f2a3b4c5d6": ("DELETED", 0),
    }
    stores = {store["id"][4]: store["state"] for store in told["world"]["key_stores"]}
    assert stores == dict.fromkeys("2346", "CONNECTED") | {"5": "DISCONNECTED"}


def everything_is_gone_but_other_peoples_keys(told: Told) -> None:
    assert told["world"]["clusters"][0]["state"] == "DELETED"
    assert told["world"]["key_stores"] == []
    assert told["world"]["keys"] == []
    assert told["world"]["other_keys"] == 250
    assert {call["source_identity"] for call in told["calls"]} == {"bob"}


def the_body_is_refused_and_alarms(told: Told) -> None:
    assert told["cases"][0]["tampered"]
    assert "unlatch-dev-tampering" in told["alarms"]
    assert {(c["state"], c["hsms"]) for c in told["world"]["clusters"]} == {("ACTIVE", 2)}


def a_crypto_officer_is_needed_for_the_way_back(told: Told) -> None:
    connects = [c for c in told["calls"] if c["operation"] == "ConnectCustomKeyStore"]
    assert len(connects) == 3
    assert told["world"]["key_stores"][0]["state"] == "CONNECTED"


def mentioned(told: Told) -> set[str]:
    """By messages that notify: those about a use of a key."""
    messages = told["slack"]["messages"]
    return {who for m in messages if "just used" in m["text"] for who in m["mentions"]}


def the_owner_and_who_called_are_mentioned(told: Told) -> None:
    assert mentioned(told) == {"carol", "dave"}
    assert "unlatch-dev-keys-used" in told["alarms"]


def the_owner_of_the_key_is_mentioned(told: Told) -> None:
    assert mentioned(told) == {"dave"}
    assert told["reads"]["kms:ListResourceTags"] < 12, "once a case, and again what was torn"


def it_is_asked_in_the_channel_of_its_route(told: Told) -> None:
    assert {message["channel"] for message in told["slack"]["messages"]} == {"C0PAYMENTS"}
    assert [approval["by"] for approval in told["cases"][0]["approvals"]] == ["frank", "grace"]
    assert [whisper["user"] for whisper in told["slack"]["ephemerals"]] == ["alice", "bob"]


def the_new_route_asks_anew(told: Told) -> None:
    tops = [m for m in told["slack"]["messages"] if m["thread_ts"] is None]
    assert [m["channel"] for m in tops] == ["C0UNLATCH", "C0PAYMENTS"]
    assert "is shown in <#C0PAYMENTS> now" in tops[0]["text"]
    assert [whisper["user"] for whisper in told["slack"]["ephemerals"]] == ["alice"]
    assert {call["source_identity"] for call in told["calls"]} == {"frank"}


def it_is_shown_in_the_new_channel(told: Told) -> None:
    tops = [m for m in told["slack"]["messages"] if m["thread_ts"] is None]
    assert [m["channel"] for m in tops] == ["C0UNLATCH", "C0NEWPLACE"]
    assert "is shown in <#C0NEWPLACE> now" in tops[0]["text"]


def the_channel_rings(told: Told) -> None:
    assert "unlatch-dev-channel" in told["alarms"]


def each_is_told_in_another_way(told: Told) -> None:
    assert [whisper["user"] for whisper in told["slack"]["ephemerals"]] == ["carol"]
    direct = [m["channel"] for m in told["slack"]["messages"] if m["channel"] != "C0UNLATCH"]
    assert direct == ["D0CAROL"]


def only_who_asked_hears_of_no_such_cluster(told: Told) -> None:
    said = [(one["user"], one["text"]) for one in told["slack"]["ephemerals"]]
    (who,) = [user for user, text in said if text.startswith("There is no")]
    assert who == "alice"
    assert "7e6d5c4b3a2" not in json.dumps(told["slack"]["messages"])
    assert "*Waits for you*" in json.dumps(said)
    assert set(told["slack"]["homes"]) == {"alice", "bob"}
    assert [case["outcome"] for case in told["cases"]] == ["explained", "rejected"]


def nobody_has_answered_by_the_reminder(told: Told) -> None:
    assert "unlatch-dev-unanswered" in told["alarms"]


def the_stop_rings(told: Told) -> None:
    assert "unlatch-dev-stopped" in told["alarms"]


def each_person_counts_once_whatever_the_workspace(told: Told) -> None:
    assert [one["by"] for one in told["cases"][0]["approvals"]] == ["alice", "bob"]
    said = [(whisper["user"], whisper["text"]) for whisper in told["slack"]["ephemerals"]]
    assert [user for user, _ in said] == ["mallory", "alice.second", "alice.second"]
    assert "another company" in said[0][1]
    assert all("Your other account has approved" in text for _, text in said[1:])


MORE: dict[str, Callable[[Told], None]] = {
    "archived-channel": the_channel_rings,
    "bad-signature": unsigned_requests_are_refused,
    "cancelled-during-key-wait": keys_are_back_as_they_were,
    "channel-moves": it_is_shown_in_the_new_channel,
    "duplicate-events": replays_do_not_count,
    "flagship": everything_is_gone_but_other_peoples_keys,
    "expired": nobody_has_answered_by_the_reminder,
    "home-and-commands": only_who_asked_hears_of_no_such_cluster,
    "kept": the_second_attempt_folds,
    "mentions": the_owner_and_who_called_are_mentioned,
    "organisation": each_person_counts_once_whatever_the_workspace,
    "outsider-clicks": outsiders_are_told_alone,
    "owner-of-a-key": the_owner_of_the_key_is_mentioned,
    "private-answers-refused": each_is_told_in_another_way,
    "redirected-plan": the_body_is_refused_and_alarms,
    "revived-plan": the_body_is_refused_and_alarms,
    "repoint-undone": a_crypto_officer_is_needed_for_the_way_back,
    "route-changes": the_new_route_asks_anew,
    "routed": it_is_asked_in_the_channel_of_its_route,
    "stopped-halfway": the_stop_rings,
    "three-accounts-two-regions": each_acts_in_its_own_place_alone,
    "two-accounts": the_other_account_is_acted_in,
    "two-clusters-one-innocent": the_innocent_are_untouched,
    "undo-park": the_park_is_undone,
    "unknown-action": nonsense_is_answered,
    "wrong-cluster-id": the_wrong_id_counts_for_nothing,
}


@pytest.mark.slow
@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_comes_as_it_expects(path: Any, tmp_path: Path) -> None:
    told = play(path, tmp_path / "rights.json")
    assert told["expect"]["failures"] == []
    assert told["log_verified"]
    if more := MORE.get(path.stem):
        more(told)
    if way := TOLD.get(path.stem):
        assert [(case["trigger"], case["remedy"]) for case in told["cases"]] == [way]
    used = recorded(tmp_path / "rights.json")
    assert [key for key in shown_by(path.stem) if key not in used] == [], (
        "docs/permissions.md says that it uses these; run: python -m sandbox permissions"
    )


def shown_by(scenario: str) -> list[Key]:
    cells = read(PAGE.read_text()).items()
    return [key for key, cell in cells if scenario_of(cell) == scenario]


@pytest.mark.slow
def test_the_command_plays_a_file() -> None:
    command = [sys.executable, "-m", "sandbox", "play", str(SCENARIOS[0]), "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["expect"]["passed"]
