"""What `unlatch` ends with, so that scripts can tell one end from another. Decides nothing."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """Each with the sentence that docs/operate.md gives for it."""

    about: str

    def __new__(cls, code: int, about: str) -> Self:
        made = int.__new__(cls, code)
        made._value_ = code  # as enum wants it
        made.about = about
        return made

    DONE = 0, "Done, and all is well"
    FOUND = 1, "Done, and it found something that needs a person"
    USAGE = 2, "The command was not understood; nothing was done"
    FAILED = 3, "It could not be done; the message says why and what helps"
    NOT_SIGNED_IN = 4, "AWS does not know you, or your session has expired"
    NOT_DEPLOYED = 5, "This stage is not deployed in this account and Region"
    DECLINED = 6, "Nothing was done: nobody confirmed it, or it would be unsafe now"
    UNANCHORED = (
        7,
        "Nothing wrong was found, but nothing outside the file says that it is the whole log",
    )
    INTERRUPTED = 130, "Interrupted; every command can be repeated"
