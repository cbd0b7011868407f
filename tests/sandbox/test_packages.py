"""One package is unpacked once, and none is another's."""

import base64
import hashlib
import io
import zipfile

import pytest

from sandbox.packages import Packages


def packed(text: str) -> tuple[str, bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        package.writestr("app.py", text)
    digest = hashlib.sha256(made.getvalue()).digest()
    return base64.b64encode(digest).decode(), made.getvalue()


def test_the_same_package_lies_in_one_folder() -> None:
    packages = Packages()
    first = packages.unpacked(*packed("a = 1"))
    (first / "compiled").touch()
    assert packages.unpacked(*packed("a = 1")) == first
    assert (first / "compiled").exists(), "it was unpacked again"


def test_another_package_lies_elsewhere() -> None:
    packages = Packages()
    texts = [
        (packages.unpacked(*packed(text)) / "app.py").read_text() for text in ("a = 1", "a = 2")
    ]
    assert texts == ["a = 1", "a = 2"]


def test_what_cannot_be_unpacked_leaves_no_folder() -> None:
    packages = Packages()
    digest, package = packed("a = 1")
    with pytest.raises(zipfile.BadZipFile):
        packages.unpacked(digest, package[:20])
    folder = packages.unpacked(digest, package)
    assert (folder / "app.py").read_text() == "a = 1"
