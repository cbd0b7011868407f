"""Somebody else who acts in AWS behind the bot's back, also on keys that no scenario names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.scenario.outside import Outside


class Others(Outside):
    """A key is given as {name, key_id, store}."""

    def _key(self, on: Mapping[str, Any]) -> tuple[Any, str, str]:
        return self._kms(on["store"]), on["key_id"], on["name"]
