"""Replies that don't arrive whole: what goes out of one, and what its headers promise. Sends nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

TORN = frozenset({"cut", "dropped", "empty"})
CHECKSUM = "x-amz-crc32"
NOTHING = b"{}"
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Torn:
    """`length` is what Content-Length says; if it is more than the body, the line breaks."""

    body: bytes
    length: int
    headers: Headers = ()

    @property
    def breaks_off(self) -> bool:
        return self.length > len(self.body)


def tear(kind: str, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> Torn:
    """A whole reply as a fault of this kind lets it through.

    cut: half, with length and checksum of that half. dropped: half, with those of the whole.
    empty: `{}` with the checksum of the whole.
    """
    half, kept = body[: len(body) // 2], tuple(headers)
    match kind:
        case "cut":
            return Torn(half, len(half), _checked_again(kept, half))
        case "dropped":
            return Torn(half, len(body), kept)
        case "empty":
            return Torn(NOTHING, len(NOTHING), kept)
    raise ValueError(f"{kind!r} is no way to tear a reply: {', '.join(sorted(TORN))}")


def _checked_again(headers: Headers, body: bytes) -> Headers:
    made = str(zlib.crc32(body))
    return tuple((n, made if n.lower() == CHECKSUM else v) for n, v in headers)
