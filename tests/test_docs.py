"""What the documents say is true: their links, commands, examples, settings and reasons hold against the code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib import __version__
from chalicelib.config import Settings
from chalicelib.domain.state.case import Outcome
from ops.__main__ import main as ops
from sandbox.__main__ import main as sandbox
from sandbox.scenario.load import load
from sandbox.scenario.schema import validator
from scripts.write_docs import PARTS, Part, with_part
from tests.docs.reasons import of_source, plainly, reasons
from tests.each import each

ROOT = Path(__file__).parents[1]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"^(?:\.venv/bin/)?(?:python -m )?(unlatch|sandbox) (.+)$")

every_page = each(PAGES)


@cache
def text_of(page: Path) -> str:
    return page.read_text()


def fenced(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text_of(page)) if kind == language]


def commands(page: Path) -> set[str]:
    """Lines of shell blocks, and code in a sentence; without comments."""
    lines = [line for block in fenced(page, "sh") for line in block.splitlines()]
    prose = FENCE.sub("", text_of(page))
    return {line.split("#")[0].strip() for line in (*lines, *INLINE.findall(prose))}


# ---- links -------------------------------------------------------------------------------------


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if link.startswith(("https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link}: there is no {target}"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    """Code spans that look like a path from the root."""
    roots = (
        "chalicelib/",
        "sandbox/",
        "infra/",
        "ops/",
        "tests/",
        "docs/",
        "scripts/",
        ".chalice/",
    )
    for span in INLINE.findall(FENCE.sub("", text_of(page))):
        is_path = span.startswith(roots) and re.fullmatch(r"[\w./-]+", span)
        if is_path:
            assert (ROOT / span).exists(), f"there is no {span}"


@every_page
def test_names_stand_in_the_file_that_is_named(page: Path) -> None:
    for name, file in re.findall(r"`(\w+)` in `([\w./-]+\.py)`", text_of(page)):
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text()), f"{file} has no {name}"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = set(LINK.findall(text_of(folder / "README.md")))
    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_every_decision_has_its_status_and_date() -> None:
    status = r"\*(Accepted|Rejected|Superseded) \d{4}-\d\d-\d\d(, revised \d{4}-\d\d-\d\d)?\.\*"
    for page in (ROOT / "docs/decisions").glob("*.md"):
        if page.name != "README.md":
            assert re.fullmatch(status, text_of(page).splitlines()[1]), page.name


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    found = re.findall(r"^## (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    released = [name for name in found if name != "Unreleased"]
    assert found in (released, ["Unreleased", *released])
    assert re.fullmatch(re.escape(__version__) + r" - \d{4}-\d\d-\d\d", released[0])


def test_the_index_has_every_page() -> None:
    listed = set(LINK.findall(text_of(ROOT / "docs/README.md")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= listed


def test_the_way_from_an_event_to_a_call_of_aws_leads_from_file_to_file() -> None:
    (way,) = re.findall(
        r"^From an event to a call of AWS, in five files: (.+?)\. What",
        text_of(ROOT / "README.md"),
        re.MULTILINE,
    )
    files = LINK.findall(way)
    assert len(files) == 5
    for file, following in pairwise(files):
        names = re.findall(r"def (\w+)", (ROOT / following).read_text())
        assert any(f"{name}(" in (ROOT / file).read_text() for name in names), (
            f"{file} → {following}"
        )


def test_notes_that_the_code_names_exist() -> None:
    for file in (ROOT / "pyproject.toml", *(ROOT / "chalicelib").rglob("*.py")):
        for note in re.findall(r"docs/[\w/-]+\.md", file.read_text()):
            assert (ROOT / note).exists(), f"{file.name} names {note}"


# ---- commands ----------------------------------------------------------------------------------


@every_page
def test_make_knows_its_targets(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in commands(page):
        if command.startswith("make "):
            target = command.split()[1]
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target: {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_their_options(page: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for command in commands(page):
        found = COMMAND.match(command)
        if not found or not re.match(r"[a-z]", found[2]):
            continue
        words = shlex.split(found[2])
        verbs = [*words[:1], *(w for w in words[1:2] if words[0] == "audit" and w[0] != "-")]
        said = _help(found[1], verbs, capfd)
        for option in (word for word in words if word.startswith("--")):
            assert option in said, f"{command}: there is no {option}"


def _help(program: str, verbs: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    if program == "unlatch":
        assert ops([*verbs, "--help"]) == 0, f"no such command: unlatch {verbs}"
    else:
        with pytest.raises(SystemExit) as ended:
            sandbox([*verbs, "--help"])
        assert not ended.value.code, f"no such command: sandbox {verbs}"
    return capfd.readouterr().out


def test_the_command_line_of_the_sandbox_names_files_that_exist() -> None:
    for page in PAGES:
        for file in re.findall(r"-m sandbox play (\S+\.yaml)", text_of(page)):
            assert (ROOT / file).exists(), f"{page.name} plays {file}"


# ---- scenarios ---------------------------------------------------------------------------------

SCENARIOS = ROOT / "docs/scenarios.md"
EXAMPLES: list[dict[str, Any]] = [
    yaml.load(block, yaml.BaseLoader) for block in fenced(SCENARIOS, "yaml")
]


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda n: "-".join(EXAMPLES[n])[:40])
def test_an_example_can_be_played(number: int, tmp_path: Path) -> None:
    """A part stands in the place of the same part of the whole one, which comes first."""
    blocks = fenced(SCENARIOS, "yaml")
    file = tmp_path / "example.yaml"
    whole = _parts(blocks[0]) | _parts(blocks[number])
    file.write_text("\n".join(whole.values()))
    load(file)


def _parts(block: str) -> dict[str, str]:
    """Top-level keys, each with its own lines."""
    starts = [m.start() for m in re.finditer(r"^\w", block, re.MULTILINE)]
    pieces = [block[a:b] for a, b in zip(starts, [*starts[1:], len(block)], strict=True)]
    return {piece.partition(":")[0]: piece.rstrip() for piece in pieces}


def test_the_page_names_all_that_a_scenario_may_hold() -> None:
    text = text_of(SCENARIOS)
    for word in sorted(_words(validator().schema)):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text), f"{word} is missing"


def _words(schema: Any) -> Iterator[str]:
    """Keys and closed choices, but the settings' own names and the states that AWS names."""
    if isinstance(schema, list):
        for item in schema:
            yield from _words(item)
    if not isinstance(schema, dict):
        return
    choices = schema.get("enum", ())
    if not any(str(choice).isupper() for choice in choices):
        yield from (str(choice) for choice in choices if choice is not None)
    for name, inner in schema.items():
        if name == "properties":
            yield from inner
        if name not in ("config", "default"):
            yield from _words(inner)


def test_every_metric_is_explained() -> None:
    source = "".join(file.read_text() for file in (ROOT / "chalicelib").rglob("*.py"))
    names = set(re.findall(r'count\("([A-Za-z_]+)"', source))
    names |= {f"CasesClosed_{outcome}" for outcome in Outcome}
    assert len(names) > 20
    page = text_of(ROOT / "docs/operate.md")
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


# ---- settings and other written parts ----------------------------------------------------------


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_what_the_code_knows_is_written_as_it_is(part: Part) -> None:
    page = text_of(ROOT / part.file)
    assert page == with_part(page, part), "run: make docs"


def test_every_setting_is_in_the_readme() -> None:
    readme = text_of(ROOT / "README.md")
    for item in fields(Settings):
        assert f"| `{item.name.upper()}` |" in readme
        assert item.metadata["about"]


def test_settings_that_the_pages_name_exist() -> None:
    known = {item.name.upper() for item in fields(Settings)}
    likely = re.compile(r"[A-Z]{2,}(?:_[A-Z]+)+")
    for page in PAGES:
        for span in INLINE.findall(text_of(page)):
            if likely.fullmatch(span) and span not in AWS_WORDS:
                assert span in known, f"{page.name}: {span} is no setting"


AWS_WORDS = {"CLUSTER_NOT_FOUND", "INVALID_CREDENTIALS", "NO_COLOR"}


# ---- reasons -----------------------------------------------------------------------------------

OPERATE = ROOT / "docs/operate.md"
TABLE = re.compile(r"^\| It says .*\n\|[-|]+\n((?:\|.*\n?)+)", re.MULTILINE)


def entries() -> list[str]:
    """First cells of the tables; a cell may hold several reasons."""
    rows = [row for table in TABLE.findall(text_of(OPERATE)) for row in table.splitlines()]
    cells = [row.strip("|").split(" | ")[0] for row in rows]
    return [entry.strip() for cell in cells for entry in cell.split("<br>")]


def test_each_reason_has_an_entry() -> None:
    lacking = {plainly(reason.text) for reason in reasons()} - set(entries())
    assert not lacking, "say in docs/operate.md what they mean and what to do"


def test_no_entry_is_left_over() -> None:
    assert set(entries()) <= {plainly(reason.text) for reason in reasons()}


PLANTED = '''
def decide(case):
    why = f"one {case.name}." if case.ok else "two."
    if case.late:
        raise PermanentError(why, "advice is no reason")
    words = "said {} times."
    return Private(words.format(3)) if case.asked else Close(RETIRED, reason="four")

def not_possible(case) -> str:
    """Not this."""
    return ("five five.", "six")[0] if case.over else f"It is {case.phase}, so no."

def wait(case):
    return replace(case, waiting_for="seven"), Difference("The key", f"{case.b}", "gone")
'''


def test_a_new_reason_is_found_however_it_is_written() -> None:
    found = {reason.text for reason in of_source(PLANTED, Path("chalicelib/domain/new.py"))}
    assert found >= {"one ….", "two.", "said … times.", "four", "five five.", "It is …, so no."}
    assert found >= {"seven", "The key: … → gone"}
    assert not found & {"Not this.", "advice is no reason", "six"}


def test_the_reasons_are_found_at_all() -> None:
    """One of each kind, so that a way of saying that moves is noticed."""
    kinds = {reason.kind for reason in reasons()}
    assert kinds >= {
        *(
            "Close",
            "PermanentError",
            "TemporaryError",
            "Gate",
            "Difference",
            "Wait",
            "Call",
            "Private",
            "FieldError",
        ),
        *(
            "said",
            "Cause",
            "NotOursError",
            "UnsignedError",
            "UnreadableError",
            "alarm",
            "sentence",
            "log",
        ),
    }


# ---- habits ------------------------------------------------------------------------------------


def test_ci_runs_pinned_actions_with_few_rights() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    for step in steps:
        assert "uses" not in step or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])
    assert "make ci" in [step.get("run") for step in steps]


def test_there_is_one_ci() -> None:
    """What runs elsewhere is the same target, and it holds all that `make check` does."""
    assert "make ci" in (ROOT / ".ci/run").read_text().splitlines()
    makefile = (ROOT / "Makefile").read_text()
    check, everything = re.findall(r"\$\(call timed,(.*)\)", makefile)
    assert everything.startswith(check)
    assert set(everything.split()) >= {"lint", "layers", "types", "test", "test-slow"}


def test_lint_rules_that_are_off_are_few_and_have_their_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    _, _, rest = text.partition("\nignore = [\n")
    off = rest.partition("\n]")[0].splitlines()
    assert len(off) <= 14
    assert all(re.fullmatch(r' +"[A-Z0-9]+", +# .{12,}', line) for line in off)


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/dependabot.yml"])
def test_the_other_habits_are_yaml(name: str) -> None:
    assert yaml.safe_load((ROOT / name).read_text())
