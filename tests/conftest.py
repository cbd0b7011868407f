"""What all tests share: AWS's models, and a garbage collector that leaves alone what stays anyway."""

from __future__ import annotations

import gc
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import create_loader

from chalicelib.aws.store import codec
from tests import said
from tests.flows.stand import Stand
from tests.held import is_written
from tests.reliability.profiles import THOROUGH

# Thousands of tests and the libraries they import stay until the end. To go through them again and
# again in search of garbage takes a sixth of all the time.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, help="play one row in so many of each matrix")
    parser.addoption("--seed", type=int, default=datetime.now(UTC).toordinal(), help="draws them")


def pytest_report_header(config: pytest.Config) -> list[str]:
    share, seed = config.getoption("--one-in"), config.getoption("--seed")
    return [f"one row in {share} of each matrix, drawn with --seed {seed}"] if share > 1 else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A sample of each test that is marked as a matrix: all workers draw the same one."""
    share = config.getoption("--one-in")
    matrices: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("matrix"):
            matrices[item.nodeid.partition("[")[0]].append(item)
    left: set[pytest.Item] = set()
    for rows in matrices.values():
        drawn = random.Random(config.getoption("--seed"))
        left |= {*rows} - {*drawn.sample(rows, -(-len(rows) // share))}
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Find what the tests left; pytest, which reports it, then looks at the rest twice more."""
    if is_written() and not hasattr(session.config, "workerinput"):
        said.tidy()
    gc.collect()
    gc.freeze()


LISTENER = said.Listener()
Stand.log = staticmethod(LISTENER.log)  # type: ignore[method-assign]  # listened to
TESTS = Path(__file__).parent
PLAYED = ("sandbox", "ops", "infra", "bench", "foreign", "browser")
"""What is said there depends on the threads of whole plays."""
FREE = ("any_words", "slow", "browser")


@pytest.fixture(autouse=True)
def _nothing_is_said_that_nobody_has_read(request: pytest.FixtureRequest) -> Iterator[None]:
    room = request.path.relative_to(TESTS).parts[0]
    is_free = THOROUGH or room in PLAYED or any(map(request.node.get_closest_marker, FREE))
    LISTENER.listens = not is_free
    LISTENER.heard.clear()
    yield
    if is_free:
        return
    new = LISTENER.unread()
    if is_written():
        said.add(new)
    else:
        assert not new, "if it is meant, add it: see tests/said.py"


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Every session of boto3 reads megabytes of JSON, and moto wants a new session each time."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda _search_path=None: loader)
        yield


@pytest.fixture(scope="session", autouse=True)
def _bodies_are_packed_quickly() -> Iterator[None]:
    """To pack a body well takes a quarter of a play; packed worse, it weighs more than what is deployed.

    Thousands of keys fit only as they are deployed.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not THOROUGH:
            patch.setattr(codec, "PRESET", 0)
        yield
