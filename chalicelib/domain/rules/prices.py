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


LIST = "AWS's Price List of 2026-09-03, as a public cost calculator keeps it"
EXAMPLE = "the example on AWS's KMS pricing page, 2 HSMs × 1.60 × 744 hours, says the same"
OLD_TYPE = "hsm1.medium"
PRICES = {
    (USUAL_REGION, USUAL_TYPE): Price(1.60, f"{LIST}; {EXAMPLE}"),
    (USUAL_REGION, OLD_TYPE): Price(1.60, LIST),
    ("us-west-2", USUAL_TYPE): Price(1.45, LIST),
    ("us-west-2", OLD_TYPE): Price(1.45, LIST),
    ("eu-central-1", USUAL_TYPE): Price(1.92, LIST),
    ("eu-central-1", OLD_TYPE): Price(1.92, LIST),
    ("ap-northeast-1", USUAL_TYPE): Price(1.81, LIST),
    ("ap-northeast-1", OLD_TYPE): Price(1.81, LIST),
    ("ap-northeast-2", USUAL_TYPE): Price(1.54, LIST),
    ("ap-northeast-2", OLD_TYPE): Price(1.54, LIST),
}
"""Of other Regions none was found. Prices are on aws.amazon.com/cloudhsm/pricing and in AWS's Price List
API: service CloudHSM, usage type ending in CloudHSMv2Usage (hsm1.medium) or CloudHSMv2Usage-hsm2m.m."""


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
