"""Holds a request against botocore's service model before anybody answers it, as AWS's front door does.

Knows shapes alone, and nothing of what exists: whatever needs a look at the world is the service's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sandbox.aws.calls import AwsError, Request
from sandbox.aws.replies import CHECKED, model_of, operation_model

# The error in which a service says that a value is not allowed; CloudTrail has one a parameter.
USUAL_WORD = "ValidationException"
WORDS = {
    "cloudhsm": "CloudHsmInvalidRequestException",
    "cloudwatch": "ValidationError",
    "servicequotas": "IllegalArgumentException",
}
WORDS_OF_LOOKUP = {
    "LookupAttributes": "InvalidLookupAttributesException",
    "StartTime": "InvalidTimeRangeException",
    "EndTime": "InvalidTimeRangeException",
    "EventCategory": "InvalidEventCategoryException",
    "MaxResults": "InvalidMaxResultsException",
    "NextToken": "InvalidNextTokenException",
}
# Java's names of kinds of letters, which AWS's patterns use, and Python's.
JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
LATEST = 253_402_300_799  # the last second of the year 9999
NUMBERS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


def check_request(request: Request, *, differs: frozenset[str] = frozenset()) -> None:
    """Raise what AWS says of a request that is not of its model's form; other services pass."""
    if request.service not in CHECKED or request.protocol != "json":
        return
    if request.operation not in _operations(request.service):
        raise AwsError("UnknownOperationException", f"There is no operation {request.name}.")
    if request.broken:
        raise _unreadable("The request body is not a JSON object.")
    shape = operation_model(request.service, request.operation).input_shape
    wrong = list(_walk(shape, request.params, "")) if shape is not None else []
    if wrong:
        count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected: "
        word = USUAL_WORD if "A-INVALID-REQUEST" in differs else _word(request, wrong[0])
        raise AwsError(word, count + "; ".join(wrong))


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(model_of(service).operation_names)


def _word(request: Request, sentence: str) -> str:
    if request.name == "cloudtrail:LookupEvents":
        place = sentence.split(" at '", 1)[1]
        return next(word for name, word in WORDS_OF_LOOKUP.items() if place.startswith(_low(name)))
    return WORDS.get(request.service, USUAL_WORD)


def _walk(shape: Shape, value: Any, place: str) -> Iterator[str]:
    """A sentence for each constraint that the value breaks. Raises if its type is wrong."""
    match shape:
        case StructureShape():
            yield from _walk_structure(shape, value, place)
        case ListShape():
            if not isinstance(value, list):
                raise _unreadable(f"{_kind(value)} found where a list was expected at '{place}'.")
            yield from _out_of_bounds(shape, value, place, size=len(value), of="length")
            for number, item in enumerate(value, start=1):
                yield from _walk(shape.member, item, f"{place}.{number}.member")
        case MapShape():
            if not isinstance(value, dict):
                raise _unreadable(f"{_kind(value)} found where a map was expected at '{place}'.")
            yield from _out_of_bounds(shape, value, place, size=len(value), of="length")
            for key, item in value.items():
                yield from _walk(shape.key, key, f"{place}.key")
                yield from _walk(shape.value, item, f"{place}.{key}")
        case _:
            yield from _walk_scalar(shape, value, place)


def _walk_structure(shape: StructureShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _unreadable(f"{_kind(value)} found where a structure was expected at '{place}'.")
    given = {name: item for name, item in value.items() if item is not None}
    for name, member in shape.members.items():
        inner = f"{place}.{_low(name)}".lstrip(".")
        if name in given:
            yield from _walk(member, given[name], inner)
        elif name in shape.required_members:
            yield _sentence(shape, None, inner, must="not be null")


def _walk_scalar(shape: Shape, value: Any, place: str) -> Iterator[str]:
    numbers = NUMBERS.get(shape.type_name)
    if numbers is not None:
        if type(value) not in numbers:  # a bool is no number here
            raise _inconvertible(shape, value)
        if shape.type_name == "timestamp" and not 0 <= value <= LATEST:
            raise _unreadable("This is no moment that a clock shows.")
        yield from _out_of_bounds(shape, value, place, size=float(value), of="value")
    elif shape.type_name == "boolean":
        if not isinstance(value, bool):
            raise _inconvertible(shape, value)
    elif not isinstance(value, str):
        raise _inconvertible(shape, value)
    elif LONE_SURROGATE.search(value):
        raise _unreadable("A string holds half a character.")
    elif shape.type_name == "blob":
        yield from _out_of_bounds(shape, value, place, size=_bytes_in(value), of="length")
    else:
        yield from _out_of_bounds(shape, value, place, size=len(value), of="length")
        yield from _walk_text(shape, value, place)


def _walk_text(shape: Shape, value: str, place: str) -> Iterator[str]:
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        must = f"satisfy enum value set: [{', '.join(shape.enum)}]"
        yield _sentence(shape, value, place, must=must)
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        must = f"satisfy regular expression pattern: {pattern}"
        yield _sentence(shape, value, place, must=must)


def _out_of_bounds(shape: Shape, value: Any, place: str, *, size: float, of: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _sentence(shape, value, place, must=f"have {of} greater than or equal to {least}")
    if most is not None and size > most:
        yield _sentence(shape, value, place, must=f"have {of} less than or equal to {most}")


def _sentence(shape: Shape, value: Any, place: str, *, must: str) -> str:
    told = "null" if value is None else f"'{value}'"
    secret = shape.metadata.get("sensitive") or shape.type_name == "blob"
    return (
        f"Value{'' if secret and value is not None else ' ' + told} at '{place}' "
        f"failed to satisfy constraint: Member must {must}"
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _bytes_in(text: str) -> int:
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _unreadable("A binary value is not Base64.") from error


def _unreadable(text: str) -> AwsError:
    return AwsError("SerializationException", text)


def _inconvertible(shape: Shape, value: Any) -> AwsError:
    return _unreadable(f"{_kind(value)} can not be converted to {shape.type_name}.")


def _kind(value: Any) -> str:
    match value:
        case bool():
            return f"{str(value).upper()}_VALUE"
        case int() | float():
            return "NUMBER_VALUE"
        case str():
            return "STRING_VALUE"
        case list():
            return "Start of a list"
        case None:
            return "NULL_VALUE"
    return "Start of a structure"


def _low(name: str) -> str:
    return name[:1].lower() + name[1:]
