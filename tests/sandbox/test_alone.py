"""`python -m sandbox aws` serves a world to programs that know nothing of this project."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.__main__ import main
from sandbox.aws.callers import client
from sandbox.aws.identity import Credentials
from sandbox.scenario.document import UnusableError
from sandbox.scenario.load import load_world

CLUSTER, STORE = "cluster-2a3b4c5d6e7", "cks-1234567890abcdef0"
WORLD = f"""\
clusters:
  - {{id: {CLUSTER}, region: eu-west-1}}
key_stores:
  - {{id: {STORE}, name: payments, cluster: {CLUSTER}}}
keys:
  - {{store: {STORE}, aliases: [alias/payments]}}
"""


@contextmanager
def serving(*arguments: str) -> Iterator[dict[str, str]]:
    """What the command exports, while it runs."""
    command = [sys.executable, "-m", "sandbox", "aws", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        exported = {}
        try:
            for line in process.stdout:
                if found := re.fullmatch(r"export (\w+)=(.*)\n", line):
                    exported[found[1]] = found[2]
                if line.startswith("export AWS_SESSION_TOKEN"):
                    break
            yield exported
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.mark.slow
def test_its_exports_are_all_that_a_client_needs(tmp_path: Path) -> None:
    seed = tmp_path / "world.yaml"
    seed.write_text(WORLD)
    with serving("--seed", str(seed), "--speed", "1000") as exported:
        found = Credentials(
            exported["AWS_ACCESS_KEY_ID"],
            exported["AWS_SECRET_ACCESS_KEY"],
            exported["AWS_SESSION_TOKEN"],
        )
        url, region = exported["AWS_ENDPOINT_URL"], exported["AWS_REGION"]
        kms = client(url, "kms", found, region=region)
        (store,) = kms.describe_custom_key_stores()["CustomKeyStores"]
        assert (store["CustomKeyStoreId"], store["CloudHsmClusterId"]) == (STORE, CLUSTER)
        kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
        while store["ConnectionState"] != "DISCONNECTED":
            (store,) = kms.describe_custom_key_stores()["CustomKeyStores"]
        port = url.rsplit(":", 1)[-1]
        taken = subprocess.run(
            [sys.executable, "-m", "sandbox", "aws", "--port", port],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert taken.returncode == 2
    assert "in use" in taken.stderr
    assert "Traceback" not in taken.stderr


@pytest.mark.parametrize("text", [WORLD, "world:\n" + re.sub("^", "  ", WORLD, flags=re.MULTILINE)])
def test_a_world_alone_is_a_seed(tmp_path: Path, text: Any) -> None:
    (tmp_path / "seed.yaml").write_text(text)
    scenario = load_world(tmp_path / "seed.yaml")
    assert scenario.regions == ("eu-west-1",)
    assert scenario.world["clusters"][0]["hsms"] == 2


def test_a_wrong_world_says_where(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(WORLD + "  - {store: cks-0}\n")
    with pytest.raises(UnusableError, match=r"seed\.yaml:7: no key store is called"):
        load_world(tmp_path / "seed.yaml")
    (tmp_path / "seed.yaml").write_text("- 7\n")
    with pytest.raises(UnusableError, match=r"seed\.yaml:1: "):
        load_world(tmp_path / "seed.yaml")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "a port is a number from 0 to 65535"),
        (["--port", "x"], "a port is a number"),
        (["--speed", "0"], "0 is not a number above 0"),
        (["--speed", "fast"], "fast is not a number"),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    arguments: list[Any], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["aws", *arguments])
    assert ended.value.code == 2
    assert words in capfd.readouterr().err


def test_a_seed_that_is_not_there_is_refused_in_words(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["aws", "--seed", os.devnull + "/none.yaml"]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "can't be read" in capfd.readouterr().err
