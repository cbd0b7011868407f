"""The flows' fixtures: the store over a table in memory, and on moto."""

from tests.flows.conftest import moto_store, stand, store

__all__ = ["moto_store", "stand", "store"]
