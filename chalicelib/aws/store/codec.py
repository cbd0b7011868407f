"""Domain values to JSON and back. Stored bodies carry a schema number; old ones migrate on read."""

from __future__ import annotations

import functools
import json
import lzma
from datetime import UTC, datetime
from typing import Any, TypeVar

from chalicelib.aws.store.migrations import SCHEMA, migrate

T = TypeVar("T")
UNREADABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(EOFError, RecursionError, lzma.LZMAError),
)
"""What a stored value can be wrong in."""
COMPRESS_FROM = 3_000
"""Bytes of JSON from which a body is compressed: each write pays by the kilobyte, an item holds 400."""
PRESET = 4
"""A fifth smaller than preset 1, as most of a large body is ids; higher ones gain nothing on it."""


@functools.cache
def _converter() -> Any:
    from cattrs import Converter  # 40 ms that only functions with a case pay

    converter = Converter(detailed_validation=False, omit_if_default=True)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda text, _: moment(text))
    return converter


def moment(text: str) -> datetime:
    """Always with a zone: times are compared with aware ones."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def plain(value: Any) -> Any:
    """A domain value as JSON's own types; defaults are left out."""
    return _converter().unstructure(value)


def dump(value: Any) -> str:
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)


def load(text: str, kind: type[T]) -> T:
    result: T = _converter().structure(json.loads(text), kind)
    return result


def text(body: Any) -> str:
    """The JSON of a case body, with the schema's number."""
    return json.dumps({"schema": SCHEMA, **body}, separators=(",", ":"), ensure_ascii=False)


def packed(text: str) -> str | bytes:
    """A DynamoDB string, or compressed bytes if it is long."""
    raw = text.encode()
    return text if len(raw) < COMPRESS_FROM else lzma.compress(raw, preset=PRESET)


def text_of(stored: Any) -> str:
    """What `packed` was given; boto3 gives bytes as Binary."""
    return stored if isinstance(stored, str) else lzma.decompress(bytes(stored)).decode()


def body_of(text: str) -> dict[str, Any]:
    """The body in today's schema."""
    return migrate(json.loads(text))


def unpack(stored: Any) -> dict[str, Any]:
    return body_of(text_of(stored))


def structure(body: dict[str, Any], kind: type[T]) -> T:
    result: T = _converter().structure(body, kind)
    return result
