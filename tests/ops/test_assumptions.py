"""Each assumption has an id of its own, and names what depends on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.config import Settings
from ops.probing import samples
from ops.probing.assumptions import ASSUMPTIONS, Assumption, Probe, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/aws-reality.md"
SETTINGS = {name.upper() for name in Settings.__dataclass_fields__}


def test_ids_are_short_and_each_stands_for_one_thing() -> None:
    ids = [one.id for one in ASSUMPTIONS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"A(-[A-Z0-9]+)+", name) and len(name) <= 24 for name in ids)


@pytest.mark.parametrize("one", ASSUMPTIONS, ids=lambda one: one.id)
def test_what_depends_on_it_is_there(one: Assumption) -> None:
    named = re.findall(r"`([^`]+)`", one.relied_on_in)
    assert [name for name in named if name in SETTINGS or (ROOT / name).exists()]


def test_the_page_has_the_table_and_names_no_other_ids() -> None:
    text = PAGE.read_text()
    assert table() in text
    assert set(re.findall(r"\bA-[A-Z0-9-]+\b", text)) == {one.id for one in ASSUMPTIONS}


def test_each_rule_on_events_has_samples_that_the_doctor_tries() -> None:
    named = re.findall(r'on_cw_event\(\s*[\w.]+, name="(\w+)"', (ROOT / "app.py").read_text())
    assert named
    assert set(named) == set(samples.BY_FUNCTION)


@pytest.mark.parametrize("one", ASSUMPTIONS, ids=lambda one: one.id)
def test_each_is_found_out_by_something(one: Assumption) -> None:
    assert one.probes
    assert len(set(one.probes)) == len(one.probes)


def test_the_sandbox_can_be_made_to_differ_in_each() -> None:
    """But in those that a caller's name, a refusal of Slack, a made-up log and made-up records show."""
    text = "".join(file.read_text() for file in (ROOT / "sandbox").rglob("*.py"))
    missing = {one.id for one in ASSUMPTIONS if f'"{one.id}"' not in text}
    shown_otherwise = {"A-SSO-SESSION", "A-SLACK-BLOCKS", "A-HSM-SERVES-AGAIN", "A-SILENT-FAILURE"}
    assert missing == shown_otherwise


def test_a_rehearsal_with_a_copy_tries_what_one_without_it_tries() -> None:
    tried = {one.id for one in ASSUMPTIONS if Probe.KEY_STORE.tries(one)}
    with_copy = {one.id for one in ASSUMPTIONS if Probe.COPY.tries(one)}
    assert with_copy - tried == {one.id for one in ASSUMPTIONS if Probe.COPY in one.probes}
    assert tried < with_copy
