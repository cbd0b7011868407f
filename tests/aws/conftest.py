"""The flows' fixtures: the store over a table in memory, and on moto."""

from tests.flows.conftest import bench, moto_store, store

__all__ = ["bench", "moto_store", "store"]
