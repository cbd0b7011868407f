"""Holds a document against the published schema; says in sentences what is wrong. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from sandbox.scenario.document import Document, Problem

SCHEMA_FILE = Path(__file__).with_name("schema.json")
LONGEST = 60
KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def find_problems(document: Document) -> list[Problem]:
    """All that the schema refuses, each with the line on which it stands."""
    return [
        problem
        for error in validator().iter_errors(document.value)
        for problem in _problems_of(error, document)
    ]


def _problems_of(error: ValidationError, document: Document) -> list[Problem]:
    place = list(error.absolute_path)
    if error.validator == "additionalProperties":
        return _unknown_keys(error, document, place)
    if "propertyNames" in error.absolute_schema_path:
        line = document.line_of_key(place, str(error.instance))
    else:
        line = document.line(place)
    return [Problem(line, f"{_name(place)}{_sentence(error)}")]


def _unknown_keys(error: ValidationError, document: Document, place: list[Any]) -> list[Problem]:
    schema: Any = error.schema
    given: Any = error.instance
    allowed = schema.get("properties", {})
    listed = ", ".join(sorted(allowed)) or "none, write {}"
    return [
        Problem(
            document.line_of_key(place, key),
            f"{_name(place)}unknown key {key!r}; allowed here: {listed}",
        )
        for key in given
        if key not in allowed
    ]


def _sentence(error: ValidationError) -> str:
    """What is wrong, and what would be right."""
    tell = SENTENCES.get(str(error.validator))
    if tell is None:
        return error.message
    return tell(error.instance, error.validator_value, error.schema)


def _not_listed(value: Any, wanted: Any, _: Any) -> str:
    return f"{_shown(value)} is not one of {', '.join(_shown(one) for one in wanted)}"


def _missing_key(value: Any, wanted: Any, _: Any) -> str:
    return f"needs {', '.join(name for name in wanted if name not in value)}"


def _not_of_form(value: Any, _: Any, schema: Any) -> str:
    return f"{_shown(value)} is not {schema['description']}"


def _no_key(_: Any, __: Any, schema: Any) -> str:
    return f"needs one of these keys: {', '.join(sorted(schema['properties']))}"


def _many_keys(value: Any, _: Any, __: Any) -> str:
    return f"needs exactly one key, but has {len(value)}: {', '.join(value)}; split it"


def _wrong_type(value: Any, wanted: Any, schema: Any) -> str:
    if "pattern" in schema:
        return f"{_shown(value)} is not {schema['description']}"
    kinds = [wanted] if isinstance(wanted, str) else wanted
    said = " or ".join(KINDS[kind] for kind in kinds)
    hint = ": put it in quotes" if kinds == ["string"] and isinstance(value, int | float) else ""
    return f"{_shown(value)} is not {said}{hint}"


SENTENCES: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": _wrong_type,
    "enum": _not_listed,
    "required": _missing_key,
    "pattern": _not_of_form,
    "not": _not_of_form,
    "minProperties": _no_key,
    "maxProperties": _many_keys,
    "minimum": lambda value, least, _: f"{_shown(value)} is too small; the least is {least}",
    "maximum": lambda value, most, _: f"{_shown(value)} is too large; the most is {most}",
    "minLength": lambda *_: "must not be empty",
    "minItems": lambda *_: "must not be empty",
    "uniqueItems": lambda *_: "holds the same entry twice",
}


def _shown(value: Any) -> str:
    """A value as it might stand in the file, cut if it is long."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _name(place: list[Any]) -> str:
    """The place as people point at it: `world.keys[0].store: `."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{text.lstrip('.')}: " if text else ""
