"""The whole sandbox: AWS, Slack, the clock and the deployed bot. Never leaves this machine."""

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from sandbox.alarms import own_alarms, put_values
from sandbox.aws.callers import client
from sandbox.aws.delivery import Delivery
from sandbox.aws.gateway import Gateway
from sandbox.aws.iam.guard import Guard
from sandbox.aws.iam.simulation import Simulations
from sandbox.aws.runs import Runs
from sandbox.aws.server import AwsServer
from sandbox.clock import Clock, StillBusyError, Work
from sandbox.deployment import APP, STAGE, Deployment
from sandbox.function_host import PROJECT
from sandbox.functions import Functions, LogLine
from sandbox.redeploy import redeploy
from sandbox.slack.api import LocalSlack
from sandbox.slack.records import CHANNEL, ORGANISATION, TEAM

NOBODY: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
OURS = re.compile(r":role/unlatch-")
SETTLE_SECONDS = 60.0
LATE = timedelta(minutes=20)


class Sandbox:
    """Use it as a context manager; `deploy` brings the bot in. The driver's thread alone moves time.

    With the organisation among `team_ids`, the bot is installed in all of it.
    """

    def __init__(
        self,
        *,
        now: datetime,
        accounts: Sequence[str] = ("111122223333",),
        regions: Sequence[str] = ("us-east-1",),
        blocked_by: str = "key_store",
        people: Mapping[str, Mapping[str, Any]] = NOBODY,
        team_ids: Sequence[str] = (TEAM,),
        full_package: bool = False,
        source: Path = PROJECT,
    ) -> None:
        """The first account and Region are the hub's. `source` holds the app.py to deploy."""
        hub, region = accounts[0], regions[0]
        self.accounts, self.people, self.team_ids = tuple(accounts), people, tuple(team_ids)
        self.clock = Clock(now)
        self.work = Work()
        self.aws = AwsServer(self.clock, blocked_by=blocked_by, is_bot=_is_ours, hub=hub)
        self.guard = self.aws.guard = Guard(self.aws.regions, _is_ours)
        self.aws.services["iam"] = Simulations(self.guard).answer
        self._deployment = Deployment(
            self.aws, accounts=accounts, regions=regions, full_package=full_package, source=source
        )
        self.functions = Functions(
            self.clock, self.work, find=self._deployment.find, isolated=full_package
        )
        within, may = (self.clock, self.work, self.functions), self.guard.service_denial
        self._runs = Runs(*within, account=hub, region=region, may=may)
        self.delivery = Delivery(*within, hub=hub, region=region, may=may)
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._deployment.start()
            opened.callback(self._deployment.close)
            self.aws.start()
            opened.callback(self.aws.stop)
            self.aws.kill = self.functions.kill_peer
            self.aws.on_record.append(self._bring)
            self.delivery.install()
            opened.callback(self.delivery.close)
            self._runs.install()
            opened.callback(self._runs.close)
            self.functions.start()
            opened.callback(self.functions.close)
            self.slack = self._local_slack()
            opened.callback(self.slack.stop)
            self._gateway = Gateway(
                self.clock,
                self.work,
                self.functions,
                account=self._deployment.hub,
                region=self._deployment.region,
            )
            opened.callback(self._gateway.stop)
            self._closing = opened.pop_all()
        return self

    def _bring(self, event: dict[str, Any]) -> None:
        """CloudTrail's event, at once unless this AWS is late."""
        if "A-EVENT-IN-15-MINUTES" not in self.aws.regions.differs:
            self.delivery.publish(event)
            return
        at, name = self.clock.now() + LATE, "cloudtrail: a late event"
        self.clock.call_at(at, lambda: self.delivery.publish(event), name=name)

    def _local_slack(self) -> LocalSlack:
        return LocalSlack(
            self.clock,
            self.people,
            faults=self.aws.faults,
            kill=self.functions.kill_peer,
            is_org_wide=ORGANISATION in self.team_ids,
        )

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def aws_url(self) -> str:
        return self.aws.url

    @property
    def interactions_url(self) -> str:
        return self.slack.interactions_url

    @property
    def commands_url(self) -> str:
        return self.slack.commands_url

    @property
    def log(self) -> list[LogLine]:
        """What the functions printed."""
        return self.functions.log

    def deploy(
        self, config: Mapping[str, object], routes: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """The bot, with these settings (documented names in lower case) over the sandbox's own."""
        self._deployment.run({**self._settings(), **config}, routes)
        app = self.slack.manifest
        self.slack.interactions_url = self._gateway.url_of(app.interactions_path, stage=STAGE)
        self.slack.commands_url = self._gateway.url_of(app.commands_path, stage=STAGE)
        if app.events_path:
            self.slack.events_url = self._gateway.url_of(app.events_path, stage=STAGE)
        self.delivery.start_schedules()

    def redeploy(
        self, config: Mapping[str, object], routes: Sequence[Mapping[str, Any]] | None
    ) -> None:
        """The same code with other settings and, unless None, other routes."""
        functions = self._deployment.client("lambda")
        redeploy(functions, account=self._deployment.hub, settings=config, routes=routes)

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Return when nothing is under way and nothing is due at this instant.

        Raises what broke inside the sandbox, or StillBusyError with what is still running.
        """
        deadline = time.monotonic() + timeout
        while True:
            self.work.wait_idle(deadline - time.monotonic())
            if self.clock.fire_next(self.clock.now()) is None and not self.work.running():
                return
            if time.monotonic() > deadline:
                raise StillBusyError(f"timers kept coming due for {timeout:g} s")

    def step(self) -> bool:
        """Move to the next due moment and let all that is due then finish, one by one."""
        self.settle()
        due = self.clock.next_due()
        if due is None:
            return False
        self._catch_up(due)
        return True

    def advance(self, delta: timedelta) -> None:
        """Let this much time pass, and everything in it happen in order."""
        self.settle()
        until = self.clock.now() + delta
        self._catch_up(until)
        self.clock.move_to(until)
        self.settle()

    def _catch_up(self, until: datetime) -> None:
        while self.clock.fire_next(until) is not None:
            self.settle()

    def client(
        self,
        service: str,
        *,
        account: str,
        region: str,
        who: str = "ci",
        source_identity: str | None = None,
        user_agent: str | None = None,
    ) -> Any:
        """A boto3 client acting as `ci`, as a person of this name or e-mail, or as a caller's ARN."""
        credentials = self.aws.identity.register(
            account, _caller(who, account), source_identity=source_identity
        )
        return client(self.aws.url, service, credentials, region=region, user_agent=user_agent)

    # What others do to the bot

    def put_event(self, event: Mapping[str, Any]) -> None:
        self.delivery.put_event(dict(event))

    def redeliver(self, times: int) -> None:
        """Raises LookupError if no event has reached a rule yet."""
        self.delivery.redeliver(times)

    def lose_next_event(self) -> None:
        self.delivery.lose_next_event()

    def sweep(self) -> None:
        self.delivery.fire_schedule("sweep")

    @property
    def has_digest(self) -> bool:
        return self.delivery.has_schedule("digest")

    def digest(self) -> None:
        self.delivery.fire_schedule("digest")

    def alarms(self) -> list[str]:
        """Names of the bot's own alarms whose threshold its metrics have reached, as deployed."""
        alarms = own_alarms(self._deployment.resources().values(), f"{APP}-{STAGE}")
        values = list(put_values(line.text for line in self.log))
        return [alarm.name for alarm in alarms if alarm.was_reached(values)]

    def runs(self) -> list[dict[str, Any]]:
        """Name, status and number of events of each run, oldest first."""
        return [asdict(run) for run in self._runs.all()]

    def _settings(self) -> dict[str, str]:
        approvers = (name for name, person in self.people.items() if person.get("approver"))
        return {
            "slack_api_url": self.slack.url,
            "slack_channel": CHANNEL,
            "slack_team_ids": ",".join(self.team_ids),
            "approvers": ",".join(approvers),
            "accounts": ",".join(self.accounts[1:]),
            "dry_run": "false",
        }


def _is_ours(role: str) -> bool:
    return OURS.search(role) is not None


def _caller(who: str, account: str) -> str:
    if who.startswith("arn:"):
        return who
    if who == "ci":
        return f"arn:aws:sts::{account}:assumed-role/deploy-ci/ci"
    role = "AWSReservedSSO_Admin_0123456789abcdef"
    email = who if "@" in who else f"{who}@example.com"
    return f"arn:aws:sts::{account}:assumed-role/{role}/{email}"
