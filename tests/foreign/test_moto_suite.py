"""moto's own tests of KMS and CloudHSM, against the sandbox: docs/sandbox.md says which fail, and why.

They come from moto's source package and are never part of this project.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from sandbox.alone import running
from sandbox.scenario.load import load_world
from tests.foreign.conftest import BUILD, HERE, run_installer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PAGE = HERE.parents[1] / "docs/sandbox.md"
SEED = 'accounts: ["123456789012"]\nworld: {}\n'  # the account of moto's tests
FILES = (
    "__init__.py",
    "conftest.py",
    "markers.py",
    "test_cloudhsmv2/__init__.py",
    "test_cloudhsmv2/test_cloudhsmv2.py",
    "test_kms/__init__.py",
    "test_kms/test_kms.py",
    "test_kms/test_kms_encrypt.py",
    "test_kms/test_kms_grants.py",
    "test_kms/test_kms_key_rotation.py",
    "test_kms/test_kms_mac.py",
    "test_kms/test_kms_policy_enforcement.py",
)
FAILED = re.compile(r"^FAILED \S+?::(?:\w+::)?(\w+)", re.MULTILINE)
COUNTED = re.compile(r"(\d+) failed, (\d+) passed")


@pytest.fixture
def suite(python_clients: Path, tmp_path: Path) -> Path:
    """A folder with the tests that ask a server."""
    (pin,) = re.findall(r"^moto==\S+", (HERE / "requirements.txt").read_text(), re.MULTILINE)
    archive = BUILD / f"{pin.replace('==', '-')}.tar.gz"
    if not archive.exists():
        pip = [str(python_clients / "python"), "-m", "pip", "--disable-pip-version-check"]
        source = ["--no-deps", "--no-binary", ":all:"]
        run_installer([*pip, "download", "--quiet", *source, "-d", str(BUILD), pin])
    with tarfile.open(archive) as package:
        for name in FILES:
            package.extract(f"{archive.name.removesuffix('.tar.gz')}/tests/{name}", tmp_path)
    return tmp_path / archive.name.removesuffix(".tar.gz")


def test_those_of_motos_tests_fail_that_the_page_lists(suite: Path, python_clients: Path) -> None:
    seed = suite / "seed.yaml"
    seed.write_text(SEED)
    with running(load_world(seed)) as server:
        done = subprocess.run(
            [
                python_clients / "python", "-m", "pytest", "tests", "-q", "--tb=no",
                "-p", "no:cacheprovider", "-o", "addopts=", f"--rootdir={suite}",
            ],
            cwd=suite,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(BUILD),
                "TEST_SERVER_MODE": "true",
                "TEST_SERVER_MODE_ENDPOINT": server.url,
                "AWS_ACCESS_KEY_ID": "any",
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_DEFAULT_REGION": "us-east-1",
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    counted = COUNTED.search(done.stdout)
    assert counted is not None, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(counted[2]) > 100
    rows = PAGE.read_text().partition("| why moto's test fails here |")[2]
    assert set(FAILED.findall(done.stdout)) == set(re.findall(r"`(test_\w+)`", rows))
