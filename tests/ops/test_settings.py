"""Where settings come from, and that all that is wrong with them is said at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.deployment.settings import merged
from ops.trouble import Trouble

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
    return merged(project, "dev", file=file, environ=environ)


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
    with pytest.raises(Trouble) as caught:
        settings(project, text)
    told = "\n".join(caught.value.advice)
    for words in ("SLACK_CHANEL is no setting", "SLACK_CHANNEL is missing", "EXPIRY_HOURS must be",
                  "QUORUM_REVERSIBLE must be", "UNLATCH_NAME"):  # fmt: skip
        assert words in told


def test_a_line_that_is_no_setting_is_named(project: Path) -> None:
    with pytest.raises(Trouble, match="line 2"):
        settings(project, "# fine\nnonsense\n")


def test_a_stage_that_is_not_there(project: Path) -> None:
    with pytest.raises(Trouble, match="only dev, prod"):
        merged(project, "staging", file=None, environ={})
