"""What people are shown before they approve is what then happens: the same calls, in the same order."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib import config
from chalicelib.aws.accounts import Accounts
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.rate_limit import Paces
from chalicelib.domain.forecast import Forecast, forecast
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.load import load
from sandbox.scenario.model import Scenario
from sandbox.scenario.narration import Narration
from sandbox.scenario.player import Player
from sandbox.scenario.report import Record
from sandbox.scenario.scenario_sandbox import ScenarioSandbox, open_sandbox
from tests.domain.worlds import situation

SCENARIOS = Path(__file__).parents[2] / "sandbox" / "scenarios"
UNDISTURBED = (
    "empty-store",
    "live-keys-7-days",
    "keys-already-pending",
    "already-disconnecting",
    "store-failed",
    "only-hsms",
    "parked",
    "repointed",
)
"""One of each kind that ends as planned, without acts of others and without faults."""
TURN = "arn:aws:sts::{hub}:assumed-role/unlatch-dev-turn/onlooker"
"""The reader's trust lets in nobody else."""


class NothingKnown:
    """Every key is described anew."""

    def load(self, account: str, region: str) -> set[bytes]:
        return set()

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        pass


class Onlooker:
    """Reads the bot's memory like the player, and looks at AWS whenever something new is offered."""

    def __init__(
        self, cases: StoredCases, inventory: AwsInventory, sandbox: ScenarioSandbox
    ) -> None:
        self._cases, self._inventory, self._clock = cases, inventory, sandbox.clock
        self.offered: dict[str, Case] = {}
        self.decided: Case | None = None

    def cases(self) -> list[dict[str, Any]]:
        for case in self._cases._all():
            hashes = {plan.plan_hash for plan in case.offers}
            if case.last_plan is None and hashes - set(self.offered):
                snapshot = self._inventory.snapshot(case, now=self._clock.now())
                seen = replace(case, snapshot=snapshot)
                self.offered = {**dict.fromkeys(hashes, seen), **self.offered}
            self.decided = case
        return self._cases.cases()

    def log(self) -> list[dict[str, Any]]:
        return self._cases.log()

    def log_verified(self) -> bool:
        return self._cases.log_verified()


def inventory_of(sandbox: ScenarioSandbox, scenario: Scenario) -> AwsInventory:
    """The bot's own eyes, at the sandbox's endpoint."""

    def client(service: Any, region: str, keys: Mapping[str, str] | None) -> Any:
        plain = Config(proxies={})
        url = sandbox.aws_url
        given: Any = dict(keys or {})
        return boto3.client(service, region_name=region, endpoint_url=url, config=plain, **given)

    hub, region = scenario.accounts[0], scenario.regions[0]
    sts = sandbox.client("sts", account=hub, region=region, who=TURN.format(hub=hub))
    return AwsInventory(
        Accounts(sts, client),
        "unlatch-reader",
        NothingKnown(),
        Paces(1),
        policy_of(scenario).quiet_minutes,
    )


def policy_of(scenario: Scenario) -> Policy:
    """As the deployed functions read it."""
    words = {name.upper(): text for name, text in scenario.config.items()}
    required = (
        "TABLE_NAME",
        "STATE_MACHINE_NAME",
        "INBOX_KEY_ID",
        "BODY_KEY_ID",
        "BRAKE_PARAMETER",
        "SIGNING_SECRET_ID",
    )
    names = dict.fromkeys((*required, "BOT_TOKEN_SECRET_ID"), "unlatch")
    return config.read({**names, **words}).policy()


def played(name: str) -> tuple[list[str], Onlooker, Scenario]:
    """The calls that landed, and what the onlooker saw."""
    scenario = load(SCENARIOS / f"{name}.yaml")
    with open_sandbox(scenario) as (sandbox, cases):
        assert isinstance(cases, StoredCases)
        assert isinstance(sandbox, ScenarioSandbox)
        onlooker: Any = Onlooker(cases, inventory_of(sandbox, scenario), sandbox)
        record = Record(scenario.now)
        told = Player(scenario, sandbox, onlooker, Narration(io.StringIO()), record).play()
    assert told["expect"]["failures"] == []
    landed = [f"{c['service']}:{c['operation']}" for c in told["calls"] if c["landed"]]
    return landed, onlooker, scenario


def foreseen(onlooker: Onlooker, scenario: Scenario) -> Forecast:
    """As people were shown it: from the first look at which the plan was offered."""
    decided = onlooker.decided
    assert decided is not None
    assert decided.last_plan is not None
    case = onlooker.offered.get(decided.last_plan.plan_hash)
    assert case is not None, "nobody ever saw the plan that was carried out"
    assert case.snapshot is not None
    plan = next(p for p in case.offers if p.plan_hash == decided.last_plan.plan_hash)
    now, policy = case.snapshot.at, policy_of(scenario)
    return forecast(plan, situation(case.snapshot, case=case, policy=policy, now=now))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", UNDISTURBED)
def test_the_forecast_comes_true(name: str) -> None:
    landed, onlooker, scenario = played(name)
    told = foreseen(onlooker, scenario)
    calls = [str(c.operation) for c in told.calls if c.operation is not Operation.PROVE_KEY]
    assert calls == landed
    assert told.end is not None, told.why
    assert onlooker.decided is not None
    approvals = [c for c in onlooker.decided.clicks if c.act is Act.APPROVE]
    assert onlooker.decided.closed_at is not None
    took = onlooker.decided.closed_at - max(click.at for click in approvals)
    assert told.end - told.calls[0].at <= took * 1.5
