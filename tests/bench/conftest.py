"""The sandbox's AWS, beside which the benchmarks' own is held."""

from tests.sandbox.aws.conftest import stand

__all__ = ["stand"]
