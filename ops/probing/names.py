"""Puts other words for accounts and people into a report, the same word for the same one. Reads nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CREDENTIAL = re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{8,}\b")
ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
SLACK_USER = re.compile(r"\b[UW][A-Z0-9]{8,}\b")
KINDS = (
    ("account", ACCOUNT),
    ("person", EMAIL),
    ("credential", CREDENTIAL),
    ("address", ADDRESS),
    ("person", SLACK_USER),
)
WHO = ("userName", "sourceIdentity")
AWS_OWN = frozenset({"assumed-role", "role", "user", "aws-reserved", "sso.amazonaws.com", "root"})
"""Words of AWS’s in an ARN."""
SHORTEST = 3
"""Shorter names would be found within other words."""


def replaced(told: Any, *, records: Sequence[Mapping[str, Any]], known: Iterable[str]) -> Any:
    """The same value, in which `known` words and all that looks like an account or a person go by others."""
    text = json.dumps(told, ensure_ascii=False)
    names: dict[str, str] = {}
    counts: dict[str, int] = {}

    def called(kind: str, word: str) -> str:
        if word not in names:
            counts[kind] = counts.get(kind, 0) + 1
            names[word] = f"{kind}-{counts[kind]}"
        return names[word]

    words = dict.fromkeys(_names_in(records), "name") | dict.fromkeys(known, "person")
    for word, kind in sorted(words.items(), key=lambda item: (-len(item[0]), item[0])):
        if len(word) < SHORTEST or any(pattern.fullmatch(word) for _, pattern in KINDS):
            continue
        within = json.dumps(word, ensure_ascii=False)[1:-1]
        whole = re.compile(rf"(?<!\w){re.escape(within)}(?!\w)")
        text = whole.sub(lambda found, kind=kind: called(kind, found[0]), text)  # type: ignore[misc]  # bound at once
    for kind, pattern in KINDS:
        text = pattern.sub(lambda found, kind=kind: called(kind, found[0]), text)  # type: ignore[misc]  # bound at once
    return json.loads(text)


def _names_in(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Names within the identities of records, of sessions and roles alike."""
    for record in records:
        identity = record.get("userIdentity")
        for name, value in _leaves(identity if isinstance(identity, Mapping) else {}):
            if name == "arn":
                path = str(value).split(":", 5)[-1].split("/")
                yield from (word for word in path if word not in AWS_OWN)
            elif name == "principalId":
                yield str(value).partition(":")[2]
            elif name in WHO:
                yield str(value)


def _leaves(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str):
            yield name, value
