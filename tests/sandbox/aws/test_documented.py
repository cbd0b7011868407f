"""docs/sandbox.md lists what the sandbox does not serve: nothing more, and nothing less."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.cloudhsm import CloudHsm
from sandbox.aws.kms import Kms
from sandbox.aws.regions import Regions
from sandbox.aws.replies import model_of
from sandbox.clock import Clock
from tests.sandbox.aws.aws_stand import NOW

PAGE = Path(__file__).parents[3] / "docs/sandbox.md"


@pytest.mark.parametrize(
    ("name", "service", "answers"), [("KMS", "kms", Kms), ("CloudHSM", "cloudhsm", CloudHsm)]
)
def test_the_page_lists_what_is_not_served(name: str, service: str, answers: Any) -> None:
    listed = re.search(rf"^- {name}: (.*)\.$", PAGE.read_text(), re.MULTILINE)
    assert listed is not None
    served = answers(Regions(Clock(NOW), blocked_by="hsms")).handlers
    assert set(served) | set(listed[1].split(", ")) == set(model_of(service).operation_names)
    assert not set(served) & set(listed[1].split(", "))
