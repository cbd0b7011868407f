"""A release that has ended as meant: what is gone, what stays, and how the next key store is made."""

from __future__ import annotations

from chalicelib.domain.state.case import CallStatus
from chalicelib.slack.messages import facts, parts, retired
from chalicelib.slack.messages.blocks import (
    CHECK_MARK,
    Piece,
    bold,
    code,
    header,
    line,
    rich,
    says,
    text,
    typed,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, count, ident

OFFICER = "A crypto officer sets a new password for kmsuser: KMS has changed the old one. The tool asks for it."
TOOL = """/opt/cloudhsm/bin/cloudhsm-cli interactive
login --username ADMIN-NAME --role admin
user change-password --username kmsuser --role crypto-user
logout
quit"""


def message(shown: Shown) -> Message:
    case = shown.case
    calls = sum(call.status is CallStatus.DONE for call in case.calls)
    title = f"Released: {shown.cluster} is free for a new key store"
    return Message(
        f"{title}. {_old(shown)} gone. {_stays(shown)}",
        (
            header(title, CHECK_MARK),
            says(
                *_gone(shown),
                *parts.read_again(case),
                text(f"\n{_stays(shown)} Nothing else in the HSMs was touched."),
            ),
            _next_store(shown),
            says(
                text("To stop the cost as well, write "),
                code(f"/unlatch {shown.cluster}"),
                text(" and choose Retire."),
            ),
            parts.decided(case, f"{count(calls, 'AWS call')}, told in the thread"),
            retired.audit(shown),
        ),
    )


def _gone(shown: Shown) -> list[Piece]:
    plan = shown.case.current_plan
    number = len(plan.basis.keys) if plan else 0
    keys = f" and its {count(number, 'key')}" if number else ""
    verb = "are" if number else "is"
    return [*parts.store_pieces(shown.case), text(f"{keys} {verb} gone.")]


def _old(shown: Shown) -> str:
    plan = shown.case.current_plan
    number = len(plan.basis.keys) if plan else 0
    return f"Its old key store and {count(number, 'key')} are" if number else "Its old key store is"


def _stays(shown: Shown) -> str:
    number = facts.hsms(shown.case)
    if not number:
        return "The cluster stays, and no HSM of it runs."
    hsms = "HSM stay" if number == 1 else f"{number:,} HSMs stay"
    return f"The cluster and its {hsms}, at {facts.price(shown.case, shown.policy)}."


def _next_store(shown: Shown) -> Block:
    region = ident(shown.case.region)
    create = f"""read -rs PASSWORD
aws kms create-custom-key-store --region {region} \\
  --custom-key-store-name NEW-NAME \\
  --cloud-hsm-cluster-id {shown.cluster} \\
  --trust-anchor-certificate file://customerCA.crt \\
  --key-store-password "$PASSWORD"; unset PASSWORD"""
    second = (
        "Create the key store with the same password and the certificate with which the cluster "
        "was set up."
    )
    return rich(
        line(bold("To create a key store on it")),
        line(bold("1. "), text(OFFICER)),
        typed(TOOL),
        line(bold("2. "), text(second)),
        typed(create),
    )
