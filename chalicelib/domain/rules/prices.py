"""What an HSM costs an hour, by Region and type, with where that is known from. The setting goes before it."""

from __future__ import annotations

from dataclasses import dataclass

KNOWN_ON = "2026-11-30"
USUAL_REGION, USUAL_TYPE = "us-east-1", "hsm2m.medium"


@dataclass(frozen=True)
class Price:
    """US dollars an hour, before taxes and discounts. `is_known` False: another Region's stands for it."""

    dollars: float
    source: str
    is_known: bool = True


PRICES = {
    (USUAL_REGION, USUAL_TYPE): Price(
        1.60,
        "the example on AWS's KMS pricing page: 2 HSMs × 1.60 × 744 hours = 2,380.80; as quoted on 2026-09-30",
    ),
}
"""Of other Regions and of hsm1.medium none was found. Prices are on aws.amazon.com/cloudhsm/pricing and in
AWS's Price List API: service CloudHSM, usage type ending in CloudHSMv2Usage-hsm2m.m."""


def hsm_hour(region: str, hsm_type: str = USUAL_TYPE, *, setting: float = 0) -> Price:
    """The setting's price, the table's, or that of the usual Region if the table has none."""
    if setting:
        return Price(setting, "HSM_HOUR_PRICE")
    known = PRICES.get((region, hsm_type))
    if known:
        return known
    usual = PRICES[USUAL_REGION, USUAL_TYPE]
    return Price(
        usual.dollars,
        f"no price of {hsm_type} in {region} is known; that of {USUAL_REGION} stands for it",
        is_known=False,
    )
