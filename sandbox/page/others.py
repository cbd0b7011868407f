"""Somebody else who acts in AWS behind the bot's back, also on what no scenario names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.aws.regions import TRUST_ANCHOR
from sandbox.scenario.model import Home
from sandbox.scenario.outside import PASSWORD, Outside

NEW_STORE = "their-own"


class Others(Outside):
    """A key is given as {name, key_id, store}. Clusters and stores may be new ones."""

    def _acts(self) -> dict[str, Callable[[Mapping[str, Any]], str]]:
        return {**super()._acts(), "create_key_store": self._create_key_store}

    def _create_key_store(self, on: Mapping[str, Any]) -> str:
        self._client("kms", self._home(on["cluster"])).create_custom_key_store(
            CustomKeyStoreName=NEW_STORE,
            CloudHsmClusterId=on["cluster"],
            TrustAnchorCertificate=TRUST_ANCHOR,
            KeyStorePassword=PASSWORD,
        )
        return f"creates key store {NEW_STORE} on {on['cluster']}"

    def _key(self, on: Mapping[str, Any]) -> tuple[Any, str, str]:
        return self._kms(on["store"]), on["key_id"], on["name"]

    def _kms(self, store: str) -> Any:
        return self._client("kms", self._home(store))

    def _cloudhsm(self, cluster: str) -> Any:
        return self._client("cloudhsmv2", self._home(cluster))

    def _home(self, wanted: str) -> Home:
        """Raises LookupError for what is gone."""
        for region in self.sandbox.aws.regions:
            if wanted in region.clusters or wanted in region.stores:
                return Home(region.account, region.name)
        raise LookupError(f"there is no {wanted} any more")
