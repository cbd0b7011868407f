"""Spoils well-formed JSON a little: the odd, the old and the hostile, the same for the same seed."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

ODD: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 10**30, 1.5, float("inf"), "", " ", "0", "null", [], {}, [[]]),
    *([None], [{}], {"": None}, {"id": 5}, "x" * 5_000, "\x00", "\ud800", "’«ß漢🔑", "../../etc"),
    *("2026-02-30T99:00:00Z", "case-aaaaaaaaaa:1", "<@U1>", "a:b:c:d:e:f", "%00", "٣", "1e999"),
)


class Mutator:
    """Each call gives another variation; `chance` decides everything."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def spoiled(self, value: Any) -> Any:
        """A copy with one to four changes anywhere in it."""
        value = deepcopy(value)
        for _ in range(self.chance.choice((1, 1, 1, 2, 4))):
            value = self._change(value)
        return value

    def _change(self, value: Any) -> Any:
        """Down into the value at random, then something else in its place."""
        if isinstance(value, dict) and value and self.chance.random() < 0.9:
            name = self.chance.choice(sorted(value, key=str))
            match self.chance.randrange(8):
                case 0:
                    del value[name]
                case 1:
                    value[str(self.odd())[:40]] = self.odd()
                case _:
                    value[name] = self._change(value[name])
            return value
        if isinstance(value, list) and value and self.chance.random() < 0.8:
            place = self.chance.randrange(len(value))
            match self.chance.randrange(6):
                case 0:
                    del value[place]
                case 1:
                    value.append(deepcopy(value[place]))
                case _:
                    value[place] = self._change(value[place])
            return value
        return self._other(value)

    def _other(self, value: Any) -> Any:
        if isinstance(value, str) and value and self.chance.random() < 0.5:
            return self._worded(value)
        return self.odd()

    def _worded(self, text: str) -> str:
        place = self.chance.randrange(len(text))
        match self.chance.randrange(5):
            case 0:
                return text[:place]
            case 1:
                return text[:place] + self.chance.choice(string.printable) + text[place + 1 :]
            case 2:
                return text + text
            case 3:
                return text.swapcase()
        return text[place:] + self.chance.choice(("", " ", "\n", "\ud800", "é", "\x00"))

    def odd(self) -> Any:
        return deepcopy(self.chance.choice(ODD))

    def raw(self, text: bytes) -> bytes:
        """Bytes cut, doubled or with some of them changed."""
        body = bytearray(text)
        for _ in range(self.chance.randrange(4)):
            if not body:
                break
            place = self.chance.randrange(len(body))
            match self.chance.randrange(3):
                case 0:
                    body[place] = self.chance.randrange(256)
                case 1:
                    del body[place:]
                case _:
                    body[place:place] = self.chance.randbytes(3)
        return bytes(body)


def as_json(value: Any) -> str:
    """JSON as careless programs write it: NaN and lone surrogates included."""
    return json.dumps(value, ensure_ascii=True)
