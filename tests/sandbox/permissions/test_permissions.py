"""docs/permissions.md says what the policies say, and only executor and restorer can change what matters."""

from typing import Any

import pytest

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from sandbox.permissions.command import shown_by
from sandbox.permissions.page import PAGE, TITLES, read, scenario_of, written
from sandbox.permissions.reasons import reason
from sandbox.permissions.rights import ROOT, Key, policies, rights, short

TEXT = PAGE.read_text()
CELLS = read(TEXT)
SHOWN = {key: name for key, cell in CELLS.items() if (name := scenario_of(cell))}
READS = ("Describe", "Get", "List", "Lookup")
# Uses of the two seal keys, which are in the hub and no custom key store's.
SEALS = {
    *((role, "kms:GenerateMac") for role in (
        "api_handler", "on_cluster_lost", "on_delete_blocked", "on_key_store_refused", "on_key_used",
        "on_probe", "sweep", "turn",
    )),
    ("turn", "kms:VerifyMac"),
}  # fmt: skip


def test_every_right_has_a_row_and_every_row_a_right() -> None:
    assert set(CELLS) == {right.key for right in rights()}, "run: python -m sandbox permissions"


def test_rows_say_where_and_under_which_conditions() -> None:
    assert written(SHOWN) == TEXT, "run: python -m sandbox permissions"


@pytest.mark.parametrize("key", [right.key for right in rights()], ids=str)
def test_a_scenario_shows_the_right_or_a_reason_says_who_needs_it(key: Any) -> None:
    scenario = scenario_of(CELLS.get(key, ""))
    if scenario is None:
        assert reason(key), (
            f"no scenario uses {key.action} of {key.role}: write one, or take it away"
        )
        return
    assert reason(key) is None, "a scenario shows it, so it needs no reason"
    assert (ROOT / f"sandbox/scenarios/{scenario}.yaml").exists()


def test_only_executor_and_restorer_change_kms_and_cloudhsm() -> None:
    mutating = {
        (role, action)
        for role, policy in policies()
        for statement in policy
        if statement.allows
        for action in statement.actions
        if action.startswith(("kms:", "cloudhsm:")) and not action.split(":")[1].startswith(READS)
    }
    assert mutating - SEALS == {
        *(("executor", f"kms:{name}") for name in (
            "ScheduleKeyDeletion", "CancelKeyDeletion", "EnableKey", "DisableKey",
            "GenerateDataKeyWithoutPlaintext", "ConnectCustomKeyStore", "DisconnectCustomKeyStore",
            "UpdateCustomKeyStore", "DeleteCustomKeyStore",
        )),
        ("executor", "cloudhsm:DeleteHsm"),
        ("executor", "cloudhsm:DeleteCluster"),
        ("executor", "cloudhsm:ModifyBackupAttributes"),
        ("prober", "cloudhsm:DeleteCluster"),
        *(("restorer", f"cloudhsm:{name}") for name in (
            "CreateHsm", "CreateCluster", "TagResource", "RestoreBackup", "ModifyBackupAttributes",
        )),
        ("restorer", "kms:ConnectCustomKeyStore"),
        ("restorer", "kms:GenerateDataKeyWithoutPlaintext"),
    }  # fmt: skip


def test_the_prober_may_delete_only_what_can_not_exist() -> None:
    """CloudHSM's own ids are small letters and digits."""
    (right,) = (one for one in rights() if one.key.role == "prober")
    assert right.key.action == "cloudhsm:DeleteCluster"
    assert right.resources == (f"arn:aws:cloudhsm:*:ACCOUNT:cluster/{PROBE_CLUSTER}",)


def test_no_policy_allows_by_wildcard_or_by_exclusion() -> None:
    """A right that is not named could not be looked for in the scenarios."""
    for role, policy in policies():
        for statement in policy:
            if statement.allows:
                assert not statement.not_actions, role
                assert not statement.not_resources, role
                assert not [one for one in statement.actions if "*" in one or "?" in one], role
                assert statement.sid, f"{role} has a statement without a name"


def test_every_role_has_a_title() -> None:
    assert {role for role, _ in policies()} == set(TITLES)


def test_a_right_that_is_used_twice_is_the_better_show() -> None:
    key, other = (
        Key("turn", "Table", "dynamodb:GetItem"),
        Key("sleep", "Table", "dynamodb:UpdateItem"),
    )
    plays = {"a": {key: 1, other: 1}, "b": {key: 2}, "c": {key: 5}}
    assert shown_by(plays, {}) == {key: "b", other: "a"}


def test_a_page_keeps_its_scenarios_while_they_show_the_right() -> None:
    key, other = (
        Key("turn", "Table", "dynamodb:GetItem"),
        Key("sleep", "Table", "dynamodb:UpdateItem"),
    )
    plays = {"a": {key: 2, other: 2}, "c": {key: 1}}
    assert shown_by(plays, {key: "c", other: "gone"}) == {key: "c", other: "a"}


def test_names_are_short() -> None:
    roles = ("unlatch-dev-turn", "unlatch-reader", "unlatch-STAGE-case")
    assert [short(role) for role in roles] == ["turn", "reader", "case"]
