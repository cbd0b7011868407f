"""Seals on approvals and confirmations, as the function makes and knows them that takes the clicks."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.case import Click
from chalicelib.ports import Ports


def sealed(ports: Ports, case_id: str, click: Click) -> Click:
    return replace(click, seal=ports.seal.make(click.sealed_text(case_id)))


def is_sealed(ports: Ports, case_id: str, click: Click) -> bool:
    """Made again: this function may make seals, not verify them. A forged click is no click."""
    return sealed(ports, case_id, click).seal == click.seal
