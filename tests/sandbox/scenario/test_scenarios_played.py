"""Every shipped scenario comes as it expects, on the real path from the event to the last call."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]
SCENARIOS = sorted((PROJECT / "sandbox" / "scenarios").glob("*.yaml"))
Told = dict[str, Any]


def play(path: Path) -> Told:
    command = [sys.executable, "-m", "sandbox", "play", str(path), "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stderr
    told = json.loads(done.stdout)
    assert (done.returncode == 0) is told["expect"]["passed"]
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


def everything_is_gone_but_other_peoples_keys(told: Told) -> None:
    assert told["world"]["clusters"][0]["state"] == "DELETED"
    assert told["world"]["key_stores"] == []
    assert told["world"]["keys"] == []
    assert told["world"]["other_keys"] == 250
    assert {call["source_identity"] for call in told["calls"]} == {"bob"}


MORE: dict[str, Callable[[Told], None]] = {
    "bad-signature": unsigned_requests_are_refused,
    "cancelled-during-key-wait": keys_are_back_as_they_were,
    "duplicate-events": replays_do_not_count,
    "flagship": everything_is_gone_but_other_peoples_keys,
    "kept": the_second_attempt_folds,
    "outsider-clicks": outsiders_are_told_alone,
    "two-accounts": the_other_account_is_acted_in,
    "two-clusters-one-innocent": the_innocent_are_untouched,
    "undo-park": the_park_is_undone,
    "unknown-action": nonsense_is_answered,
    "wrong-cluster-id": the_wrong_id_counts_for_nothing,
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_comes_as_it_expects(path):
    told = play(path)
    assert told["expect"]["failures"] == []
    assert told["log_verified"]
    MORE.get(path.stem, lambda told: None)(told)
