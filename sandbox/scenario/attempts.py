"""The calls of somebody who is named: what a scenario's cases begin with. A refusal by AWS is no error here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.scenario.model import By, Home, Scenario
from sandbox.scenario.references import CI
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.5"
PASSWORD = "kmsPswd1"  # noqa: S105 - opens nothing but this sandbox


@dataclass(frozen=True)
class Attempts:
    """`tell` gets each sentence, and `warn` those of refusals."""

    scenario: Scenario
    sandbox: ScenarioSandbox
    tell: Callable[[str], None]
    warn: Callable[[str], None]

    def delete_cluster(self, on: Mapping[str, Any]) -> None:
        cluster = on["cluster"]
        hsms = self._client("cloudhsmv2", self.scenario.home_of_cluster[cluster], on)
        accepted = "the cluster is being deleted"
        call = hsms.delete_cluster
        self._try(on, f"to delete {cluster}", accepted, lambda: call(ClusterId=cluster))

    def create_key_store(self, on: Mapping[str, Any]) -> None:
        cluster = on["cluster"]
        kms = self._client("kms", self.scenario.home_of_cluster[cluster], on)
        wanted = {
            "CustomKeyStoreName": on["name"],
            "CloudHsmClusterId": cluster,
            "TrustAnchorCertificate": "trust anchor",
            "KeyStorePassword": PASSWORD,
        }
        call = kms.create_custom_key_store
        trying = f"to create key store {on['name']} on {cluster}"
        self._try(on, trying, "there is a new key store", lambda: call(**wanted))

    def delete_key_store(self, on: Mapping[str, Any]) -> None:
        store = on["store"]
        call = self._kms(on).delete_custom_key_store
        trying, accepted = f"to delete {store}", "the key store is deleted"
        self._try(on, trying, accepted, lambda: call(CustomKeyStoreId=store))

    def connect_key_store(self, on: Mapping[str, Any]) -> None:
        store = on["store"]
        call = self._kms(on).connect_custom_key_store
        trying, accepted = f"to connect {store}", "the key store is being connected"
        self._try(on, trying, accepted, lambda: call(CustomKeyStoreId=store))

    def _try(
        self, on: Mapping[str, Any], trying: str, accepted: str, call: Callable[[], Any]
    ) -> None:
        self.tell(f"{_who(By.read(on['by']))} tries {trying}.")
        try:
            call()
        except ClientError as error:
            self.warn(f"AWS refuses: {error.response['Error']['Code']}.")
        else:
            self.tell(f"AWS accepts: {accepted}.")

    def _kms(self, on: Mapping[str, Any]) -> Any:
        return self._client("kms", self.scenario.home_of_store[on["store"]], on)

    def _client(self, service: str, home: Home, on: Mapping[str, Any]) -> Any:
        by = By.read(on["by"])
        person = self.scenario.people.get(by.name, {})
        return self.sandbox.client(
            service,
            account=home.account,
            region=home.region,
            who=person.get("email", by.name),
            source_identity=by.source_identity,
            user_agent=TERRAFORM if by.name == CI else None,
        )


def _who(by: By) -> str:
    if by.name == CI:
        return "CI (role deploy-ci, with Terraform)"
    return f"{by.name} (for {by.source_identity})" if by.source_identity else by.name
