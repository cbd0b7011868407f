"""Keeps the unpacked code of deployed functions: each package once for all sandboxes of this process.

What Python compiles of it the first time stays with it, so that the next sandbox starts its functions
sooner. Nothing may write to it.
"""

import atexit
import io
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path


class Packages:
    """Folders of packages by the hash of their bytes; all go when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None

    def unpacked(self, digest: str, package: bytes) -> Path:
        """The folder with the files of this ZIP; `digest` is Lambda's, in base64."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="packages-"))
                atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
            code = self._folder / digest.replace("/", "_")
            if not code.exists():
                partial = code.with_suffix(".partial")
                with zipfile.ZipFile(io.BytesIO(package)) as files:
                    files.extractall(partial)
                partial.rename(code)
            return code


PACKAGES = Packages()
