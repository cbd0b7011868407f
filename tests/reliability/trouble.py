"""Ports that fail at one chosen call, in one chosen way; all others pass through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.domain.rules.trust import Anchor
from chalicelib.failures import Code, PermanentError, TemporaryError
from chalicelib.ports import Ports
from tests.flows.engine import Died

KINDS = ("die_before", "die_after", "try_later", "unknown", "give_up")
PORTS = ("cases", "inventory", "actions", "runs", "people", "brake", "gateway", "trail")


@dataclass
class Trouble:
    """Counts the calls; `at` is the number, from 0, of the one that fails as `kind` says."""

    at: int = -1
    kind: str = ""
    calls: list[str] = field(default_factory=list)
    dead: bool = False

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        if self.dead:
            raise Died("nothing runs in a dead process")
        self.calls.append(name)
        if len(self.calls) - 1 != self.at:
            return call()
        return self.fail(name, call)

    def fail(self, name: str, call: Callable[[], Any]) -> Any:
        match self.kind:
            case "die_before":
                self.dead = True
                raise Died(name)
            case "die_after":
                call()
                self.dead = True
                raise Died(name)
            case "try_later":
                raise TemporaryError("AWS is busy (ThrottlingException)")
            case "unknown":
                call()
                raise TemporaryError(f"AWS did not answer {name}", unknown=True)
        raise PermanentError(
            f"AWS refused {name}: access denied.",
            "Give the role the permission.",
            code=Code.DENIED,
        )

    def restart(self) -> None:
        self.dead = False


class Port:
    """A port whose every call goes through the trouble."""

    def __init__(self, port: Any, name: str, trouble: Trouble) -> None:
        self._port, self._name, self._trouble = port, name, trouble

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        if not callable(real):
            return real

        def call(*args: Any, **named: Any) -> Any:
            about = f":{args[0].operation.split(':')[1]}" if method == "perform" else ""
            name = f"{self._name}.{method}{about}"
            return self._trouble.around(name, lambda: real(*args, **named))

        return call


def troubled(ports: Ports, trouble: Trouble) -> Ports:
    wrapped: Any = {name: Port(getattr(ports, name), name, trouble) for name in PORTS}

    def for_turn(anchor: Anchor, generation: int) -> Any:
        return Port(ports.for_turn(anchor, generation), "cases", trouble)

    return replace(ports, **wrapped, for_turn=for_turn)
