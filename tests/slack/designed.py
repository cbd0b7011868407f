"""What we say, held word for word against how it was designed; what we say otherwise has its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.domain.worlds import Play


@dataclass(frozen=True)
class Moment:
    """`said`, `labels` and `asks` word for word; `different` are words of the design that we don't say, and why.

    `asks` is what each button's question says: title, pieces of its text, yes and no.
    """

    play: Callable[[], Play]
    said: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    different: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, tuple[str, str, str, str]] = field(default_factory=dict)


def joined(text: str) -> str:
    """Words alone: bold and plain pieces of one sentence stand side by side."""
    return text.replace(" .", ".").replace(" :", ":").replace(" ,", ",").replace(" ;", ";")


def held(told: str, said: Sequence[str], different: Mapping[str, str]) -> None:
    """`different` are words of the design that we don't say, and why; a row that is said by now has to go."""
    told = joined(" ".join(told.split()))
    for sentence in said:
        assert joined(sentence) in told, f"{sentence!r} is not in {told!r}"
    for sentence, why in different.items():
        assert joined(sentence) not in told, f"not different any more: {why}"
        assert why
