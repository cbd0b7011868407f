"""What stored cases depend on: the value of every state, and every default, which a stored body leaves out.

A change here needs a migration, or a reason why none is needed. Then: `WRITE_CATALOGUE=1 pytest tests/domain/test_shape.py`.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from chalicelib import domain
from tests.held import as_it_was

FILE = Path(__file__).parent / "shape.txt"


def _shapes() -> Iterator[str]:
    for found in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        module = importlib.import_module(found.name)
        own = (one for one in vars(module).values() if getattr(one, "__module__", "") == found.name)
        for one in own:
            if isinstance(one, type) and issubclass(one, Enum):
                yield f"{one.__qualname__}: {[(m.name, m.value) for m in one]}"
            elif isinstance(one, type) and dataclasses.is_dataclass(one):
                yield f"{one.__qualname__}: {[_field(each) for each in dataclasses.fields(one)]}"


def _field(field: dataclasses.Field[object]) -> str:
    made = field.default_factory
    given = field.default if made is dataclasses.MISSING else made()
    return field.name if given is dataclasses.MISSING else f"{field.name}={given!r}"


def test_stored_cases_keep_their_meaning() -> None:
    as_it_was("\n".join(sorted(_shapes())) + "\n", FILE)
