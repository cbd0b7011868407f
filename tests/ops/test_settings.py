"""Where settings come from, and that all that is wrong with them is said at once."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config
from ops.deployment.ids import wrong_ids
from ops.deployment.settings import chosen, differences
from ops.errors import OperatorError
from scripts import example_env

NAMES = {
    "TABLE_NAME": "t",
    "STATE_MACHINE_NAME": "m",
    "INBOX_KEY_ID": "k",
    "BODY_KEY_ID": "b",
    "BRAKE_PARAMETER": "p",
    "SIGNING_SECRET_ID": "s",
    "BOT_TOKEN_SECRET_ID": "b",
}
SLACK = {"SLACK_CHANNEL": "C1", "SLACK_TEAM_IDS": "T1", "APPROVERS": "U1"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    config: dict[str, Any] = {
        "environment_variables": {"POWERTOOLS_SERVICE_NAME": "unlatch"},
        "stages": {"dev": {"environment_variables": {**NAMES, **SLACK}}, "prod": {}},
    }
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice/config.json").write_text(json.dumps(config))
    return tmp_path


def settings(project: Path, text: str = "", **environ: str) -> dict[str, str]:
    file = project / "dev.env"
    file.write_text(text)
    return chosen(project, "dev", file=file, environ=environ, remembered={}).variables


def test_the_environment_goes_before_the_file_and_the_file_before_config_json(
    project: Path,
) -> None:
    text = 'approvers=U2\nexport SLACK_CHANNEL="C2"\n'
    found = settings(project, text, UNLATCH_APPROVERS="U3", UNLATCH_STAGE="dev", HOME="/")
    assert (found["APPROVERS"], found["SLACK_CHANNEL"], found["SLACK_TEAM_IDS"]) == (
        "U3",
        "C2",
        "T1",
    )
    assert found["POWERTOOLS_SERVICE_NAME"] == "unlatch"
    assert "HOME" not in found


def test_all_that_is_wrong_is_said_at_once(project: Path) -> None:
    text = "slack_channel=\nslack_chanel=C1\nexpiry_hours=soon\nquorum_reversible=0"
    with pytest.raises(OperatorError) as caught:
        settings(project, text)
    told = "\n".join(caught.value.advice)
    for words in ("SLACK_CHANEL is not a setting", "SLACK_CHANNEL is missing", "EXPIRY_HOURS must be",
                  "QUORUM_REVERSIBLE must be", "UNLATCH_NAME"):  # fmt: skip
        assert words in told
    assert "can’t start" not in told, "nothing was to start"


def test_a_line_that_is_no_setting_is_named(project: Path) -> None:
    with pytest.raises(OperatorError, match="line 2") as caught:
        settings(project, f"# fine\n{'nonsense ' * 20}\n")
    assert len(caught.value.reason) < 200, "whatever file was given"


def test_a_stage_that_is_not_there(project: Path) -> None:
    with pytest.raises(OperatorError, match="only dev, prod"):
        chosen(project, "staging", file=None, environ={}, remembered={})


def test_the_example_holds_every_setting_with_its_default(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = example_env.FILE.read_text()
    assert text == example_env.text(), "run: make docs"
    found = settings(project, text)
    assert config.read(found).approvers == ("U0123ABCD", "U0456ABCD", "S0789ABCD")
    everything = settings(project, re.sub(r"^#([A-Z_]+=.)", r"\1", text, flags=re.MULTILINE))
    defaults = {**found, "ACCOUNTS": "all"}
    assert config.read(everything) == config.read(defaults)


def test_what_was_given_before_holds_until_a_file_says_otherwise(project: Path) -> None:
    given = {"EXPIRY_HOURS": "12", "APPROVERS": "U9"}

    def named(file: Path | None, **environ: str) -> dict[str, str]:
        return chosen(project, "dev", file=file, environ=environ, remembered=given).given

    assert named(None) == given
    assert named(None, UNLATCH_APPROVERS="U2") == {"EXPIRY_HOURS": "12", "APPROVERS": "U2"}
    file = project / "dev.env"
    file.write_text("REMIND_HOURS=2\n")
    assert named(file) == {"REMIND_HOURS": "2"}, "a file is the whole truth"


def test_the_differences_name_what_goes_too() -> None:
    before, after = {"A": "1", "B": "2", "C": ""}, {"A": "1", "D": "4"}
    assert list(differences(before, after)) == [("B", "2", ""), ("D", "", "4")]


@pytest.mark.parametrize("api", ["https://slack.com/api/", "https://slack-gov.com/api/"])
def test_slacks_ids_are_checked_where_the_api_is_slacks(api: str) -> None:
    wrong = {"SLACK_API_URL": api, "APPROVERS": "U1,alice"}
    assert ["alice" in sentence for sentence in wrong_ids(wrong)] == [True]
    assert list(wrong_ids({**wrong, "SLACK_API_URL": "http://127.0.0.1:1/"})) == []
    assert list(wrong_ids({**wrong, "SLACK_API_URL": "https://notslack.com/"})) == []


@pytest.mark.parametrize("name", ["STEP_UP_ROLES", "OPERATOR_ROLES"])
def test_roles_are_checked_before_anything_happens(name: str) -> None:
    assert list(wrong_ids({name: "arn:aws:iam::111122223333:role/Operator"})) == []
    for wrong in ("Operator", "arn:aws:iam::111122223333:user/olga"):
        assert [name in sentence for sentence in wrong_ids({name: wrong})] == [True]


@pytest.mark.parametrize("accounts", ["all", "ou-ab12-cdefgh34", "r-ab12,111122223333", ""])
def test_accounts_may_be_units_or_all(accounts: str) -> None:
    assert list(wrong_ids({"ACCOUNTS": accounts})) == []
