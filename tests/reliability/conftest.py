"""The flows' fixtures."""

from tests.flows.conftest import bench, moto_store, store

__all__ = ["bench", "moto_store", "store"]
