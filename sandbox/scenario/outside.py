"""What somebody else does in AWS while a scenario plays. Acts as a role of operations.

A store breaks by itself: nobody calls AWS for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.scenario.model import Home, Scenario
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

PASSWORD = "kmsPswd2"  # noqa: S105 - opens nothing but this sandbox
GOING = ("DELETE_IN_PROGRESS", "DELETED")


@dataclass(frozen=True)
class Outside:
    """Each act gives the sentence that tells what came of it; a refusal by AWS is no error here."""

    scenario: Scenario
    sandbox: ScenarioSandbox

    def act(self, what: str, on: Mapping[str, Any]) -> str:
        try:
            return f"Somebody else {self._acts()[what](on)}."
        except LookupError as error:
            return f"Somebody else can't: {error}."
        except ClientError as error:
            name = " ".join(what.split("_"))
            target = next(iter(on.values()))
            code = error.response["Error"]["Code"]
            return f"Somebody else tries to {name} ({target}). AWS refuses: {code}."

    def _acts(self) -> dict[str, Callable[[Mapping[str, Any]], str]]:
        return {
            "create_key": self._create_key,
            "connect": self._connect,
            "disconnect": self._disconnect,
            "delete_key_store": self._delete_key_store,
            "use_key": self._use_key,
            "cancel_key_deletion": self._cancel_key_deletion,
            "delete_hsm": self._delete_hsm,
            "delete_cluster": self._delete_cluster,
            "tag": self._tag,
            "break_store": self._break_store,
            "mend_store": self._mend_store,
            "reencrypt_to_key": self._reencrypt_to_key,
            "delete_backup": self._delete_backup,
            "delete_subnet": self._delete_subnet,
            "fill_subnet": self._fill_subnet,
        }

    def _create_key(self, on: Mapping[str, Any]) -> str:
        kms = self._kms(on["store"])
        made = kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=on["store"])
        return f"creates key {made['KeyMetadata']['KeyId']} in {on['store']}"

    def _connect(self, on: Mapping[str, Any]) -> str:
        self._kms(on["store"]).connect_custom_key_store(CustomKeyStoreId=on["store"])
        return f"connects {on['store']}"

    def _disconnect(self, on: Mapping[str, Any]) -> str:
        self._kms(on["store"]).disconnect_custom_key_store(CustomKeyStoreId=on["store"])
        return f"disconnects {on['store']}"

    def _delete_key_store(self, on: Mapping[str, Any]) -> str:
        self._kms(on["store"]).delete_custom_key_store(CustomKeyStoreId=on["store"])
        return f"deletes {on['store']}"

    def _use_key(self, on: Mapping[str, Any]) -> str:
        kms, key_id, name = self._key(on)
        kms.encrypt(KeyId=key_id, Plaintext=b"something of theirs")
        return f"encrypts with {name}"

    def _cancel_key_deletion(self, on: Mapping[str, Any]) -> str:
        kms, key_id, name = self._key(on)
        kms.cancel_key_deletion(KeyId=key_id)
        return f"cancels the deletion of {name}"

    def _delete_hsm(self, on: Mapping[str, Any]) -> str:
        client = self._cloudhsm(on["cluster"])
        described = client.describe_clusters(Filters={"clusterIds": [on["cluster"]]})["Clusters"]
        hsms = [hsm for cluster in described for hsm in cluster.get("Hsms", [])]
        living = [hsm["HsmId"] for hsm in hsms if hsm["State"] not in GOING]
        if not living:
            return f"finds no HSM to delete in {on['cluster']}"
        client.delete_hsm(ClusterId=on["cluster"], HsmId=living[0])
        return f"deletes {living[0]} of {on['cluster']}"

    def _delete_cluster(self, on: Mapping[str, Any]) -> str:
        self._cloudhsm(on["cluster"]).delete_cluster(ClusterId=on["cluster"])
        return f"deletes {on['cluster']}"

    def _tag(self, on: Mapping[str, Any]) -> str:
        tags = [{"Key": on["key"], "Value": on["value"]}]
        self._cloudhsm(on["cluster"]).tag_resource(ResourceId=on["cluster"], TagList=tags)
        return f"tags {on['cluster']} with {on['key']}={on['value']}"

    def _break_store(self, on: Mapping[str, Any]) -> str:
        self.sandbox.break_store(on["store"], error=on["error"])
        return f"breaks something that {on['store']} needs: {on['error']}"

    def _mend_store(self, on: Mapping[str, Any]) -> str:
        store = on["store"]
        self.sandbox.set_password(store)
        self._kms(store).update_custom_key_store(CustomKeyStoreId=store, KeyStorePassword=PASSWORD)
        return f"sets kmsuser's password on the HSMs and in KMS; {store} is disconnected"

    def _reencrypt_to_key(self, on: Mapping[str, Any]) -> str:
        kms, key_id, name = self._key(on)
        theirs = kms.create_key(Description="another key of theirs")["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=theirs, Plaintext=b"something of theirs")["CiphertextBlob"]
        kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=theirs, DestinationKeyId=key_id)
        return f"encrypts again, from another key to {name}"

    def _delete_backup(self, on: Mapping[str, Any]) -> str:
        client = self._cloudhsm(on["cluster"])
        wanted = {"clusterIds": [on["cluster"]], "states": ["READY"]}
        backups = client.describe_backups(Filters=wanted)["Backups"]
        if not backups:
            return f"finds no backup of {on['cluster']} to delete"
        client.delete_backup(BackupId=backups[0]["BackupId"])
        return f"deletes {backups[0]['BackupId']}, the newest of {on['cluster']}"

    def _delete_subnet(self, on: Mapping[str, Any]) -> str:
        name = self.sandbox.delete_subnet(on["cluster"], zone=on["zone"])
        return f"deletes {name}, the subnet of {on['cluster']} in {on['zone']}"

    def _fill_subnet(self, on: Mapping[str, Any]) -> str:
        free = int(on.get("free", 0))
        name = self.sandbox.fill_subnet(on["cluster"], zone=on["zone"], free=free)
        return f"takes the addresses of {name} in {on['zone']}: {free} are free"

    def _key(self, on: Mapping[str, Any]) -> tuple[Any, str, str]:
        """The client, the key's id and its name for people."""
        keys = self.scenario.world["keys"]
        index = on.get("index", -1)
        if index < 0:
            index = next(n for n, key in enumerate(keys) if on["alias"] in key["aliases"])
        key_id = self.sandbox.key_ids[index]
        return self._kms(keys[index]["store"]), key_id, on.get("alias", f"key {index}")

    def _kms(self, store: str) -> Any:
        return self._client("kms", self.scenario.home_of_store[store])

    def _cloudhsm(self, cluster: str) -> Any:
        return self._client("cloudhsmv2", self.scenario.home_of_cluster[cluster])

    def _client(self, service: str, home: Home) -> Any:
        who = f"arn:aws:sts::{home.account}:assumed-role/operations/somebody-else"
        return self.sandbox.client(service, account=home.account, region=home.region, who=who)
