"""The published schema is strict everywhere, valid itself, and knows every setting."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib.config import Settings
from sandbox.scenario.load import load
from sandbox.scenario.schema import SCHEMA_FILE

SCENARIOS = sorted((Path(__file__).parents[3] / "sandbox" / "scenarios").glob("*.yaml"))
OF_THE_SANDBOX = {
    "table_name", "state_machine_name", "inbox_key_id", "body_key_id", "brake_parameter", "signing_secret_id", "bot_token_secret_id",
    "slack_api_url",
}  # fmt: skip
FREE_NAMES = {"people", "tags", "fields"}  # their keys are names that a scenario chooses


def schemas(part: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield name, part
        for key, value in part.items():
            yield from schemas(value, key)
    elif isinstance(part, list):
        for value in part:
            yield from schemas(value, name)


def test_the_schema_is_valid_and_refuses_unknown_keys_everywhere() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    objects = [
        (name, part)
        for name, part in schemas(schema)
        if "object" in part.get("type", ()) and name not in FREE_NAMES
    ]
    loose = [name for name, part in objects if part.get("additionalProperties") is not False]
    assert objects
    assert loose == []


def test_every_pattern_has_the_sentence_that_errors_quote() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    silent = [name for name, p in schemas(schema) if "pattern" in p and "description" not in p]
    assert silent == []


def test_config_knows_every_setting_but_those_that_the_sandbox_makes() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    known = set(schema["$defs"]["config"]["properties"])
    assert known - {"routes"} == {setting.name for setting in fields(Settings)} - OF_THE_SANDBOX


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_shipped_scenario_can_be_played_and_expects_something(path: Any) -> None:
    scenario = load(path)
    assert scenario.title != path.stem
    assert scenario.expect
