"""What is deployed can be built again: locked, hashed, the same bytes, with its bill of materials."""

import hashlib
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest

from ops.command_context import PROJECT
from ops.deployment import bytecode, lock
from ops.deployment.build import make_reproducible
from ops.deployment.runtime import OFFERED_UNTIL, about, runtime
from ops.deployment.sbom import sbom
from ops.errors import OperatorError
from ops.exits import Exit

TODAY = date(2026, 12, 1)


@pytest.mark.parametrize("version", [(3, 15), (3, 16), (3, 10)])
def test_a_python_that_lambda_does_not_offer_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(OperatorError) as caught:
        runtime(version, TODAY)
    assert caught.value.code is Exit.DECLINED
    assert "make setup PYTHON=python3.13" in caught.value.advice[0]
    assert ("previews" in caught.value.reason) == (version == (3, 15))


def test_a_python_is_taken_until_its_end_and_warned_of_before() -> None:
    until = OFFERED_UNTIL[3, 11]
    assert runtime((3, 11), until) == "python3.11"
    assert "Move to" not in about((3, 13), TODAY)
    assert "Move to Python 3.13" in about((3, 11), date(2027, 3, 1))
    with pytest.raises(OperatorError, match="ended on 2027-06-30"):
        runtime((3, 11), date(2027, 7, 1))


def test_the_lock_names_every_version_with_its_hashes() -> None:
    text = (PROJECT / "requirements.txt").read_text()
    lock.check(text)
    named = (PROJECT / "pyproject.toml").read_text().split("dependencies = [")[1].split("]")[0]
    for line in named.split():
        requirement = line.strip('",')
        assert f"\n{requirement} " in text, "run: make lock"


@pytest.mark.parametrize(
    "text", ["boto3\n", "boto3==1.0\n", "boto3>=1 --hash=sha256:aa\n", "-r other.txt\n"]
)
def test_a_lock_that_leaves_anything_open_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"# ours\n{text}")
    with pytest.raises(OperatorError, match="does not lock"):
        lock.install(file, tmp_path / "vendor", say=print)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index with one small wheel in it, and no other."""
    wheel = tmp_path / "index/tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    about = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\nLicense: MIT\n"
    record = "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\n"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("tiny.py", "")
        made.writestr("tiny-1.0.dist-info/METADATA", about)
        made.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        made.writestr("tiny-1.0.dist-info/RECORD", record)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel


def locked(folder: Path, digest: str) -> Path:
    file = folder / "requirements.txt"
    file.write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    return file


@pytest.mark.usefixtures("index")
def test_a_wheel_of_another_hash_is_refused(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    with pytest.raises(OperatorError, match="can’t be built from its lock") as caught:
        lock.install(locked(tmp_path, "0" * 64), vendor, say=print)
    assert "make lock" in caught.value.advice[0]
    assert list(vendor.iterdir()) == []


def test_what_is_locked_is_installed_once_and_listed(index: Path, tmp_path: Path) -> None:
    digest, said = hashlib.sha256(index.read_bytes()).hexdigest(), list[str]()
    vendor = tmp_path / "vendor"
    for _ in range(2):
        installed = lock.install(locked(tmp_path, digest), vendor, say=said.append)
    assert len(said) == 1
    assert (vendor / "tiny.py").exists()
    assert not list(vendor.glob("*/RECORD")), "it would hold this machine’s paths"
    bill = sbom(installed, digest="ab" * 32)
    (component,) = bill["components"]
    assert component["purl"] == "pkg:pypi/tiny@1.0"
    assert component["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert component["licenses"] == [{"license": {"name": "MIT"}}]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["hashes"][0]["content"] == "ab" * 32
    assert bill == sbom(installed, digest="ab" * 32), "it says nothing that differs from run to run"


def test_a_package_is_the_same_whenever_it_is_zipped(tmp_path: Path) -> None:
    digests = set()
    for number, names in enumerate((("a.py", "b.py"), ("b.py", "a.py"))):
        package = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(package, "w") as made:
            for name in names:
                made.writestr(zipfile.ZipInfo(name, (2020 + number, 1, 1, 0, 0, 0)), name)
            made.writestr("__pycache__/a.cpython-311.pyc", f"built in {tmp_path}/{number}")
        make_reproducible(package)
        digests.add(hashlib.sha256(package.read_bytes()).hexdigest())
        compiled = [f"__pycache__/{name}.{sys.implementation.cache_tag}.pyc" for name in "ab"]
        assert zipfile.ZipFile(package).namelist() == [*compiled, "a.py", "b.py"]
    assert len(digests) == 1


MODULE = b"""
NAMES = {"one", "two", "three"} | frozenset(("four", "five"))
def is_known(name):
    return name in {"six", "seven", "eight", __file__}
"""


def test_python_takes_the_bytecode_for_the_module(tmp_path: Path) -> None:
    made = bytecode.compiled("inner/a.py", b"VALUE = 'compiled'")
    assert made
    (tmp_path / made[0]).parent.mkdir(parents=True)
    (tmp_path / made[0]).write_bytes(made[1])
    (tmp_path / "inner/a.py").write_text("VALUE = 'source'")
    program = "from inner import a; print(a.VALUE, a.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == ["compiled", str(tmp_path / "inner/a.py")]


def test_bytecode_is_the_same_in_each_process() -> None:
    program = (
        "import sys, hashlib; from ops.deployment.bytecode import compiled; "
        "loaded = __import__(sys.argv[1]); source = sys.stdin.buffer.read(); "
        "print(hashlib.sha256(compiled('a.py', source)[1]).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, loaded],
            cwd=PROJECT,
            input=MODULE,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed, loaded in (("1", "json"), ("2", "decimal"), ("3", "logging"))
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [("a.txt", b"1"), ("a.py", b"print 'old'"), ("a.py", b"a = '\xff'"), ("a.py", b"\0")],
)
def test_what_is_no_module_is_left_as_it_is(name: str, source: bytes) -> None:
    assert bytecode.compiled(name, source) is None
