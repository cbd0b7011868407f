"""What a probe found out, as a file for people and one for machines. Names no account and no person.

Both files say of each assumption whether it held; the records stand there as AWS sent them, with
other words for accounts and people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from chalicelib import __version__
from ops.probing.assumptions import ASSUMPTIONS, BY_ID, Probe
from ops.probing.names import replaced

FORM = "unlatch-reality-1"


class Verdict(StrEnum):
    HELD = "held"
    DIFFERS = "differs"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Observation:
    """`says`: what AWS did or, if it was not tried, why. `set_to`: values that settings should have."""

    id: str
    verdict: Verdict
    says: str
    set_to: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Duration:
    """How long AWS took for something; `usual` is what the table assumes."""

    what: str
    took: timedelta
    usual: timedelta | None = None


@dataclass
class Findings:
    """What has been seen so far. The last thing that is said of an assumption counts; differing stays."""

    observations: dict[str, Observation] = field(default_factory=dict)
    durations: list[Duration] = field(default_factory=list)
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def held(self, name: str, says: str) -> None:
        self._say(Observation(name, Verdict.HELD, says))

    def differs(self, name: str, says: str, **set_to: str) -> None:
        self._say(Observation(name, Verdict.DIFFERS, says, set_to))

    def not_tried(self, name: str, why: str) -> None:
        if name not in self.observations:
            self._say(Observation(name, Verdict.NOT_TRIED, why))

    def judge(self, name: str, *, holds: bool, says: str, **set_to: str) -> None:
        if holds:
            self.held(name, says)
        else:
            self.differs(name, says, **set_to)

    def keep(self, record: Mapping[str, Any]) -> None:
        """A record as it came, once."""
        if record.get("eventID") not in {one.get("eventID") for one in self.records}:
            self.records.append(record)

    def _say(self, said: Observation) -> None:
        assert said.id in BY_ID, f"{said.id} is no assumption"
        before = self.observations.get(said.id)
        if before is None or before.verdict is not Verdict.DIFFERS:
            self.observations[said.id] = said


@dataclass(frozen=True)
class Report:
    """Every assumption is in it, in the table's order."""

    probe: str
    at: str
    version: str
    observations: tuple[Observation, ...]
    durations: tuple[Duration, ...]
    records: tuple[Mapping[str, Any], ...]

    @property
    def differing(self) -> tuple[Observation, ...]:
        return tuple(one for one in self.observations if one.verdict is Verdict.DIFFERS)


def report_of(found: Findings, probe: Probe, *, now: datetime) -> Report:
    said = tuple(found.observations.get(one.id) or _unsaid(one.id, probe) for one in ASSUMPTIONS)
    at = now.replace(microsecond=0).isoformat()
    records = tuple(found.records)
    return Report(str(probe), at, __version__, said, tuple(found.durations), records)


def _unsaid(name: str, probe: Probe) -> Observation:
    one = BY_ID[name]
    if probe.tries(one):
        return Observation(name, Verdict.NOT_TRIED, "it did not come to that")
    return Observation(name, Verdict.NOT_TRIED, f"{one.found_out_by} tries it")


def write(report: Report, folder: Path, *, known: Iterable[str]) -> tuple[Path, Path]:
    """The paths of both files. `known`: words that name an account or a person."""
    stamp = report.at[:16].replace(":", "").replace("-", "")
    kind = report.probe.removeprefix("unlatch ").replace(" --", "-").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    told = replaced(as_json(report), records=report.records, known=known)
    machine, people = (folder / f"unlatch-{kind}-{stamp}{end}" for end in (".json", ".md"))
    machine.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    people.write_text(as_markdown(from_json(told)), encoding="utf-8")
    return machine, people


def as_json(report: Report) -> dict[str, Any]:
    durations = [
        {
            "what": one.what,
            "seconds": int(one.took.total_seconds()),
            "usual_seconds": int(one.usual.total_seconds()) if one.usual else None,
        }
        for one in report.durations
    ]
    told = asdict(report)
    return {"form": FORM, **told, "durations": durations, "records": list(report.records)}


def from_json(told: Mapping[str, Any]) -> Report:
    """Raises ValueError for what is no report."""
    try:
        if told["form"] != FORM:
            raise ValueError(f"its form is {told['form']}, not {FORM}")
        observations = tuple(
            Observation(o["id"], Verdict(o["verdict"]), o["says"], dict(o["set_to"]))
            for o in told["observations"]
        )
        durations = tuple(_duration(one) for one in told["durations"])
        return Report(
            str(told["probe"]), str(told["at"]), str(told["version"]),
            observations, durations, tuple(told["records"]),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks {error}") from error


def _duration(told: Mapping[str, Any]) -> Duration:
    usual = told["usual_seconds"]
    of_table = timedelta(seconds=usual) if usual is not None else None
    return Duration(told["what"], timedelta(seconds=told["seconds"]), of_table)


def as_markdown(report: Report) -> str:
    return "\n".join([*_head(report), *_body(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"# {report.probe}, {report.at}"
    yield f"Unlatch {report.version}. Accounts and people go by other names here."
    yield ""
    yield "| assumption | | what was seen |"
    yield "|---|---|---|"
    for one in report.observations:
        change = "".join(f". Set `{name}={value}`" for name, value in one.set_to.items())
        yield f"| {one.id} | {one.verdict} | {_cell(one.says)}{change} |"


def _body(report: Report) -> Iterator[str]:
    if report.durations:
        yield from ("", "## Durations", "| what | took | assumed |", "|---|---|---|")
        for one in report.durations:
            usual = span(one.usual) if one.usual else "-"
            yield f"| {one.what} | {span(one.took)} | {usual} |"
    if report.records:
        yield from ("", "## Records of CloudTrail")
    for record in report.records:
        yield from ("```json", json.dumps(record, indent=2, ensure_ascii=False), "```")


def span(took: timedelta) -> str:
    minutes, seconds = divmod(int(took.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def settings_to_change(observations: Sequence[Observation]) -> dict[str, str]:
    """Of differing assumptions: each setting with the value that it should have, if that is known."""
    found: dict[str, str] = {}
    for one in observations:
        if one.verdict is Verdict.DIFFERS:
            found |= {name: found.get(name, "") for name in BY_ID[one.id].settings}
            found |= one.set_to
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
