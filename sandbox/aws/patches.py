"""Where the sandbox stands in for a part of moto, for as long as one sandbox lives."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any


class Patches:
    """Attributes replaced in other people's modules and classes; `close` puts all of them back."""

    def __init__(self) -> None:
        self._undo = ExitStack()

    def replace(self, owner: Any, name: str, value: Any) -> None:
        inherited = name not in vars(owner)
        before = getattr(owner, name)
        setattr(owner, name, value)
        if inherited:
            self._undo.callback(delattr, owner, name)
        else:
            self._undo.callback(setattr, owner, name, before)

    def item(self, owner: Any, name: str, value: Any) -> None:
        """The same for an item of a dictionary that has it."""
        self._undo.callback(owner.__setitem__, name, owner[name])
        owner[name] = value

    def method(self, owner: type, name: str, function: Callable[..., Any]) -> None:
        """Replace a method by a function, bound or not, that gets the instance first."""

        def method(this: Any, *args: Any, **kwargs: Any) -> Any:
            return function(this, *args, **kwargs)  # a plain function, so that it binds

        self.replace(owner, name, method)

    def wrap(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Any]) -> None:
        """Replace a function by what `make` builds around it."""
        self.replace(owner, name, make(getattr(owner, name)))

    def close(self) -> None:
        self._undo.close()
