"""Writes the parts of the documents that the code knows better. Run by `make docs`; touches nothing else."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import Settings
from chalicelib.domain.diagnosis import MODULES
from chalicelib.domain.forecast import Foreseen, forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.prices import KNOWN_ON, PRICES
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.caller import caller_of
from chalicelib.domain.state.case import Attempt, Case
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import Backup, Key, Snapshot
from chalicelib.domain.state.trigger import Trigger
from ops.probing import assumptions
from sandbox.sample import ACCOUNT, CLUSTER, NOW, REGION, cluster, key, sibling, world
from scripts import example_env

ROOT = Path(__file__).parents[1]
POLICY = Policy()


@dataclass(frozen=True)
class Part:
    """A stretch of a document between `<!-- name: … -->` and `<!-- end of name -->`."""

    file: str
    name: str
    text: Callable[[], str]


def settings_table() -> str:
    rows = (_setting(item) for item in fields(Settings))
    return "\n".join(("| setting | default | meaning |", "|---|---|---|", *rows))


def _setting(item: Any) -> str:
    needed = item.metadata["read"] is config.required
    default = "in `.chalice/config.json`" if needed else _default(item.default)
    return f"| `{item.name.upper()}` | {default} | {item.metadata['about']} |"


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def prices_table() -> str:
    rows = (
        f"| {region} | {hsm_type} | {price.dollars:.2f} | {price.source} |"
        for (region, hsm_type), price in PRICES.items()
    )
    head = (
        f"As known on {KNOWN_ON}:",
        "",
        "| Region | type | dollars | source |",
        "|---|---|---|---|",
    )
    return "\n".join((*head, *rows, "| all others | all | not known | |"))


def timeline(name: str) -> str:
    """What the forecast says of this remedy in the example's world."""
    plan, situation = _planned(name)
    foreseen = forecast(plan, situation)
    assert foreseen.end, f"the example runs to its end: {foreseen.why}"
    lines = [*_lines(foreseen.calls), f"{_at(foreseen.end)}  {foreseen.why}"]
    return "\n".join(("```text", *lines, "```"))


def _lines(calls: tuple[Foreseen, ...]) -> Iterator[str]:
    """One line for each run of the same call."""
    for operation, same in groupby(calls, key=lambda call: call.operation):
        made = list(same)
        times = f" × {len(made)}" if len(made) > 1 else ""
        yield f"{_at(made[0].at)}  {operation}{times}"


def _at(when: datetime) -> str:
    passed = when - NOW
    minutes = passed.seconds // 60
    return f"day {passed.days:2}, {minutes // 60:02}:{minutes % 60:02}"


def _planned(name: str) -> tuple[Plan, Situation]:
    module = MODULES[Remedy(name.partition(" ")[0])]
    keys = () if name.endswith("empty") else tuple(map(key, "abc"))
    seen = LOST[name](keys) if name in LOST else world(*keys, siblings=(sibling(),))
    situation = Situation(_lost() if name in LOST else _case(), seen, {}, POLICY, NOW)
    plan = module.plan(situation)
    assert isinstance(plan, Plan), plan
    return plan, situation


def _case() -> Case:
    ci = caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-ci/ci", kind="AssumedRole")
    attempt = Attempt("event-1", NOW, "CloudHsmClusterInUseException", ci)
    return Case("case-1", ACCOUNT, REGION, CLUSTER, NOW, attempts=(attempt,))


SUBNETS = (("us-east-1a", "subnet-a"), ("us-east-1b", "subnet-b"))
BACKUP = Backup("backup-1", BackupState.READY, NOW, mode="FIPS")
LOST: dict[str, Callable[[tuple[Key, ...]], Snapshot]] = {
    "rescue": lambda keys: world(*keys, cluster=None, backups=(BACKUP,)),
    "rescue in place": lambda keys: world(*keys, cluster=cluster(subnets=SUBNETS)),
}
"""The same world after somebody deleted the cluster, or its HSMs."""


def _lost() -> Case:
    case = _case()
    told = replace(case.attempts[0], trigger=Trigger.CLUSTER_LOST, subnets=SUBNETS)
    return replace(case, trigger=Trigger.CLUSTER_LOST, attempts=(told,))


PARTS = (
    Part("README.md", "settings", settings_table),
    Part("docs/aws-reality.md", "assumptions", assumptions.table),
    Part("docs/aws-reality.md", "prices", prices_table),
    *(
        Part("docs/remedies.md", f"timeline of {name}", partial(timeline, name))
        for name in (
            "rescue",
            "rescue in place",
            "park",
            "repoint",
            "release",
            "retire",
            "retire empty",
        )
    ),
)


def with_part(document: str, part: Part) -> str:
    """The document with this part as it should be. ValueError if it has no place for it."""
    pattern = rf"(<!-- {part.name}: [^>]*-->\n).*?(<!-- end of {part.name} -->)"
    found, count = re.subn(
        pattern, lambda m: f"{m[1]}{part.text()}\n{m[2]}", document, count=1, flags=re.DOTALL
    )
    if not count:
        raise ValueError(f"{part.file} has no place for {part.name}")
    return found


def main() -> int:
    for part in PARTS:
        file = ROOT / part.file
        before = file.read_text()
        after = with_part(before, part)
        if after != before:
            file.write_text(after)
            sys.stdout.write(f"{part.file}: {part.name}\n")
    example_env.FILE.write_text(example_env.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
