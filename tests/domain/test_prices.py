"""A price is known, or another's stands for it and says so; the setting goes before both."""

from __future__ import annotations

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.prices import hsm_hour


def test_a_known_price_has_its_source() -> None:
    price = hsm_hour("us-east-1")
    assert price.is_known
    assert price.dollars == 1.6
    assert "KMS pricing page" in price.source


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
