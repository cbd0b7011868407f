"""Writes infra/example.env, the settings file to copy, from the settings themselves. Run by `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import Settings
from ops.deployment.settings import NEEDED

FILE = Path(__file__).parents[1] / "infra/example.env"
HEAD = """\
# All settings of a stage, for: unlatch deploy --stage prod --settings prod.env
# Copy it, take the # away before what you set, and keep the copy under version control: it holds
# no secret. What is left out has its default. A list has commas between.
"""
SAMPLES = {
    "SLACK_CHANNEL": "C0123ABCD",
    "SLACK_TEAM_IDS": "T0123ABCD",
    "APPROVERS": "U0123ABCD,U0456ABCD,S0789ABCD",
    "ACCOUNTS": "all",
}


def text() -> str:
    by_name = {item.name.upper(): item for item in fields(Settings)}
    needed = [by_name.pop(name) for name in NEEDED]
    names = [item for item in by_name.values() if item.metadata["read"] is config.required]
    others = [item for item in by_name.values() if item not in names]
    parts = (
        ("needed: without these the bot runs and nobody can decide anything", needed, ""),
        ("as you like it", others, "#"),
        ("names of what the stack makes; .chalice/config.json has them", names, "#"),
    )
    return "".join([HEAD, *(line for part in parts for line in _part(*part))])


def _part(title: str, items: list[Any], mark: str) -> Iterator[str]:
    yield f"\n# ---- {title}\n"
    for item in items:
        name = item.name.upper()
        yield f"# {item.metadata['about']}\n{mark}{name}={SAMPLES.get(name, _text(item.default))}\n"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
