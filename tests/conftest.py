"""What all tests share: AWS's models, and a garbage collector that leaves alone what stays anyway."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import botocore.session
import pytest
from botocore.loaders import create_loader

# Thousands of tests and the libraries they import stay until the end. To go through them again and
# again in search of garbage takes a sixth of all the time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """Find what the tests left; pytest, which reports it, then looks at the rest twice more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Every session of boto3 reads megabytes of JSON, and moto wants a new session each time."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda _search_path=None: loader)
        yield
