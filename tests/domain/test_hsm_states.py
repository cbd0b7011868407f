"""States of CloudHSM's things: what it has learnt since lives, and is ready for nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState, Spelled
from chalicelib.domain.state.snapshot import Backup, Cluster, Hsm
from tests.domain.worlds import NOW


@pytest.mark.parametrize("kind", [BackupState, ClusterState, HsmState])
def test_they_are_all_that_the_sdk_knows(kind: type[Spelled]) -> None:
    model: Any = get_session().get_service_model("cloudhsmv2")
    assert {*kind} - {"UNKNOWN"} == {*model.shape_for(kind.__name__).enum}


@pytest.mark.parametrize("kind", [BackupState, ClusterState, HsmState])
@pytest.mark.parametrize("word", ["HIBERNATING", "", None, "active"])
def test_any_other_is_unknown(kind: type[Spelled], word: Any) -> None:
    assert kind(word) is kind["UNKNOWN"]


def test_what_is_unknown_lives_and_is_ready_for_nothing() -> None:
    hsms = tuple(Hsm(f"hsm-{zone}", HsmState.UNKNOWN, zone) for zone in ("1a", "1b"))
    there = Cluster("cluster-a", ClusterState.UNKNOWN, hsms)
    assert there.live_hsms == hsms
    assert not there.can_take_keys
    assert not there.was_never_activated
    assert not Backup("backup-1", BackupState.UNKNOWN, NOW).is_ready
