"""Well-formed things to spoil: CloudTrail events, Slack requests, and a case at every moment of its life."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.aws.cloudtrail import failed_delete
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.flows.open_case import open_case
from chalicelib.flows.record_click import record_click
from chalicelib.flows.take_turn import take_turn
from chalicelib.ports import Interaction
from sandbox.reliability.stand import CLUSTER, HUB, REGION, Stand

CODES = ("CloudHsmClusterInUseException", "CloudHsmInvalidRequestException")
OWN = ("unlatch-executor", "unlatch-restorer")
DELETE: dict[str, Any] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.cloudhsm",
    "account": HUB,
    "time": "2026-03-02T09:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:ci",
            "arn": f"arn:aws:sts::{HUB}:assumed-role/deploy-ci/ci",
            "accountId": HUB,
        },
        "eventTime": "2026-03-02T09:00:00Z",
        "eventSource": "cloudhsm.amazonaws.com",
        "eventName": "DeleteCluster",
        "awsRegion": REGION,
        "userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.0",
        "errorCode": CODES[0],
        "errorMessage": "The cluster is in use.",
        "requestParameters": {"clusterId": CLUSTER},
        "eventID": "1c2f3a4b-0000-4000-8000-000000000001",
        "recipientAccountId": HUB,
    },
}
USE: dict[str, Any] = {
    **DELETE,
    "source": "aws.kms",
    "detail": {
        **DELETE["detail"],
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "errorCode": "KMSInvalidStateException",
        "resources": [{"ARN": f"arn:aws:kms:{REGION}:{HUB}:key/key-0", "type": "AWS::KMS::Key"}],
        "requestParameters": None,
    },
}


def button(case_id: str, action: str, by: str = "alice") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": by, "team_id": "T0LOCAL", "name": by},
        "team": {"id": "T0LOCAL"},
        "trigger_id": "1.2.3",
        "channel": {"id": "C0UNLATCH"},
        "message": {"ts": "1.0"},
        "actions": [{"type": "button", "action_id": action, "value": f"{case_id}:3"}],
    }


def dialog(case_id: str, remedy: str, plan_hash: str, by: str = "alice") -> dict[str, Any]:
    option = {"text": {"type": "plain_text", "text": "x"}, "value": "30d"}
    values = {
        "cluster_id": {"cluster_id": {"type": "plain_text_input", "value": CLUSTER}},
        "reason": {"reason": {"type": "plain_text_input", "value": "not needed"}},
        "override": {"override": {"type": "checkboxes", "selected_options": [option]}},
        "for": {"for": {"type": "static_select", "selected_option": option}},
        "owner": {"owner": {"type": "users_select", "selected_user": "bob"}},
    }
    return {
        "type": "view_submission",
        "user": {"id": by, "team_id": "T0LOCAL"},
        "view": {
            "id": "V1",
            "callback_id": "decide",
            "private_metadata": f"{case_id}:3:{remedy}:{plan_hash}",
            "state": {"values": values},
        },
    }


@dataclass(frozen=True)
class Moment:
    """The stored items of a case and the world, after one turn of its life."""

    items: dict[tuple[str, str], dict[str, Any]]
    world: Snapshot
    case_id: str

    @property
    def case(self) -> Case:
        stand = Stand()
        stand.table.items = dict(self.items)
        return stand.cases.load(self.case_id)


def life() -> list[Moment]:
    """A case from its first event through approvals, a used key and cancel to its end."""
    stand = Stand()
    failed = failed_delete(DELETE, codes=CODES, own_roles=OWN)
    opened = open_case(stand.ports, failed)
    assert opened is not None, "its account is served"
    case_id, moments, body = opened.case_id, list[Moment](), ""
    for number in range(30):
        _act(stand, case_id, number)
        generation = stand.cases.load(case_id).generation
        turn = take_turn(stand.ports, case_id, generation, given=body)
        body = turn.body
        items = deepcopy(stand.table.items)
        moments.append(Moment(items, stand.aws.model.at(stand.aws.now), case_id))
        stand.aws.now += timedelta(seconds=min(turn.wait_seconds, 600))
        if turn.finished:
            break
    return moments


def _act(stand: Stand, case_id: str, number: int) -> None:
    match number:
        case 2:
            _approve(stand, case_id, "alice")
        case 3:
            _approve(stand, case_id, "bob")
        case 8:
            use = KeyUse("event-9", stand.aws.now, "key-0", "payments-app", "Decrypt")
            stand.cases.record_use(case_id, use)
        case 11:
            record_click(
                stand.ports, Interaction("button", "erin", "T0LOCAL", "C1", "cancel", case_id)
            )


def _approve(stand: Stand, case_id: str, by: str) -> None:
    plans = [p for p in stand.cases.load(case_id).offers if p.remedy == "retire"]
    clicked = Interaction(
        "submission",
        by,
        "T0LOCAL",
        action="decide",
        case_id=case_id,
        remedy="retire",
        plan_hash=plans[0].plan_hash if plans else "",
        values={"cluster_id": CLUSTER, "reason": "not needed"},
    )
    record_click(stand.ports, clicked)
