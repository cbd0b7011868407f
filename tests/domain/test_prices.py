"""A price is known, or another's stands for it and says so; the setting goes before both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.prices import KNOWN_ON, PRICES, hsm_hour

PACKAGE = Path(__file__).parents[2] / "chalicelib"


def test_a_known_price_has_its_source() -> None:
    price = hsm_hour("us-east-1")
    assert price.is_known
    assert price.dollars == 1.6
    assert "KMS pricing page" in price.source
    assert hsm_hour("eu-central-1", "hsm1.medium").dollars == 1.92


@pytest.mark.parametrize(("place", "price"), PRICES.items(), ids=str)
def test_each_price_of_the_table_is_dated_and_not_newer_than_the_table(
    place: tuple[str, str], price: object
) -> None:
    known = hsm_hour(*place)
    assert known == price
    (dated,) = set(re.findall(r"\d{4}-\d\d-\d\d", known.source))
    assert dated <= KNOWN_ON
    assert known.is_known


def test_elsewhere_the_usual_one_stands_for_it() -> None:
    price = hsm_hour("eu-west-1", "hsm1.medium")
    assert not price.is_known
    assert price.source == (
        "no price of hsm1.medium in eu-west-1 is known; that of us-east-1 stands for it"
    )


def test_the_setting_goes_before_the_table() -> None:
    assert hsm_hour("us-east-1", setting=2.5).dollars == 2.5
    assert Policy(hsm_hour_price=2.5).hour_price("us-east-1") == 2.5
    assert Policy().hour_price("us-east-1") == Policy().hour_price("us-east-1", "hsm2m.medium")


def test_nobody_reckons_with_the_setting_alone() -> None:
    """It is 0 unless set, and the messages would say that HSMs cost nothing."""
    readers = [
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"\.hsm_hour_price\b", file.read_text())
    ]
    assert readers == ["domain/rules/policy.py"]
