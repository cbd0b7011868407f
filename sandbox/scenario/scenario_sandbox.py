"""The sandbox of a scenario: with its world, its people and the deployed bot. Plays nothing yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sandbox.ages import parse_age
from sandbox.aws import mishaps
from sandbox.aws.faults import Window
from sandbox.aws.seed import seed, world_now
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.document import Problem, UnusableError
from sandbox.scenario.model import Scenario
from sandbox.slack.records import Channel
from sandbox.stack import Sandbox


class ScenarioSandbox(Sandbox):
    """A sandbox that can tell how its world is now."""

    def world(self) -> dict[str, Any]:
        return world_now(self.aws)

    def break_store(self, store: str, *, error: str) -> None:
        mishaps.break_store(self.aws, store, error=error)

    def delete_subnet(self, cluster: str, *, zone: str) -> str:
        return mishaps.delete_subnet(self.aws, cluster, zone=zone)

    def fill_subnet(self, cluster: str, *, zone: str, free: int) -> str:
        return mishaps.fill_subnet(self.aws, cluster, zone=zone, free=free)

    def set_password(self, store: str) -> None:
        mishaps.set_password(self.aws, store)

    def deploy_again(self, told: Mapping[str, Any]) -> None:
        settings = {name: value for name, value in told.items() if name != "routes"}
        self.redeploy(settings, told.get("routes"))

    @property
    def key_ids(self) -> Sequence[str]:
        seeded = self.aws.seeded
        return [key.key_id for key in seeded.keys] if seeded else []


@contextmanager
def open_sandbox(scenario: Scenario) -> Iterator[tuple[ScenarioSandbox, StoredCases]]:
    """Everything is in place and nothing has happened yet; faults count from here on."""
    with ScenarioSandbox(
        now=scenario.now,
        accounts=scenario.accounts,
        regions=scenario.regions,
        blocked_by=scenario.blocked_by,
        people=scenario.people,
        team_ids=scenario.team_ids,
    ) as sandbox:
        seed(sandbox.aws, scenario.world, accounts=scenario.accounts, now=scenario.now)
        # Who plays the digest wants it on; by itself it is off.
        fires = any(item.act == "digest" for item in scenario.play)
        told = {"digest": fires, "regions": ",".join(scenario.regions[1:])}
        for channel in scenario.channels:
            sandbox.slack.workspace.add_channel(Channel(id=channel, name=channel.lower()))
        sandbox.deploy({**told, **scenario.config}, scenario.routes)
        _check_digest(sandbox, scenario)
        for fault in scenario.faults:
            sandbox.aws.faults.add(**_planned(fault, now=scenario.now))
        hub, region = scenario.accounts[0], scenario.regions[0]
        yield sandbox, StoredCases(sandbox, hub=hub, region=region)


def _check_digest(sandbox: ScenarioSandbox, scenario: Scenario) -> None:
    """Raises UnusableError if a digest is to fire that the deployed bot doesn't have."""
    reason = "digest: the bot that is deployed has no weekly digest"
    wanted = [item for item in scenario.play if item.act == "digest"]
    if wanted and not sandbox.has_digest:
        raise UnusableError(scenario.path, [Problem(item.line, reason) for item in wanted])


def _planned(fault: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """A fault of a scenario with its window, if it has one, in moments of sandbox time."""
    planned = dict(fault)
    if "from" in fault:
        ends = (now + parse_age(planned.pop(name)) for name in ("from", "until"))
        planned["window"] = Window(*ends)
    return planned
