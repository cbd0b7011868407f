"""The deployed hub as an operator’s credentials see it: account, Region, stage, names, clients."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib import config
from chalicelib.aws.errors import DENIED, code_of
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.config import Settings
from chalicelib.domain.state.caller import Caller, caller_of
from chalicelib.domain.state.case import Case
from chalicelib.wiring import Wiring
from ops.errors import OperatorError
from ops.exits import Exit
from ops.verb import Options

APP = "unlatch"
HEARING = (
    "on_delete_blocked",
    "on_key_store_refused",
    "on_cluster_lost",
    "on_key_used",
    "on_probe",
)
"""Each has a rule of its own."""
FUNCTIONS = (*HEARING, "turn", "sleep", "park", "sweep", "digest")
"""As Chalice names them; the one that serves Slack is called `unlatch-<stage>`."""
EVENT_FUNCTIONS = (*HEARING, "sweep", "digest")
MAKING = threading.Lock()
NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]")


@dataclass(frozen=True)
class Hub:
    """One stage in one account and Region. Calls AWS with the operator’s own credentials."""

    session: Any
    stage: str
    account: str
    region: str
    caller: Caller
    clock: Callable[[], datetime]
    profile: str | None = None

    def client(self, service: str, *, region: str = "") -> Any:
        return self.client_as(service, region or self.region, None)

    def waiting_client(self, service: str, *, seconds: int) -> Any:
        """For one long call that must not be made twice because its answer takes a while."""
        once = Config(retries={"total_max_attempts": 1}, read_timeout=seconds)
        return self.session.client(service, region_name=self.region, config=once)

    def client_as(self, service: str, region: str, credentials: Mapping[str, str] | None) -> Any:
        """A client with these credentials instead of the operator’s own."""
        own = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=5,
            # botocore builds its own long name afresh for each request: a fifth of a call's CPU time.
            user_agent="unlatch-ops",
        )
        with MAKING:  # boto3 makes one at a time, and many threads may ask
            return self.session.client(
                service, region_name=region, config=own, **(credentials or {})
            )

    @property
    def name(self) -> str:
        return f"{APP}-{self.stage}"

    @property
    def partition(self) -> str:
        return str(self.session.get_partition_for_region(self.region))

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def dead_letters_arn(self) -> str:
        return self.arn("sqs", f"{self.name}-dead-letters")

    @functools.cached_property
    def by_name(self) -> Wiring:
        """Cases and runs, by the functions' own settings, else by the names that the stack gives.

        Works while functions are broken or gone.
        """
        names = {
            "TABLE_NAME": self.name,
            "STATE_MACHINE_NAME": f"{self.name}-case",
            "INBOX_KEY_ID": f"alias/{self.name}-inbox",
            "BODY_KEY_ID": f"alias/{self.name}-body",
            "BRAKE_PARAMETER": f"/{APP}/{self.stage}/brake",
            "SIGNING_SECRET_ID": f"{APP}/{self.stage}/slack-signing-secret",
            "BOT_TOKEN_SECRET_ID": f"{APP}/{self.stage}/slack-bot-token",
        }
        given = self.variables
        names |= {name: given[name] for name in names if given.get(name, "").strip()}
        return Wiring(
            config.read(names),
            hub_account=self.account,
            region=self.region,
            profile=self.profile,
        )

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Accounts and Regions that are served, the hub’s own first."""
        accounts = dict.fromkeys((self.account, *self.settings.accounts))
        regions = dict.fromkeys((self.region, *self.settings.regions))
        return tuple((account, region) for account in accounts for region in regions)

    @property
    def cases(self) -> DynamoCases:
        """Only to look: no operator may make seals."""
        return self.by_name.shelf

    def case(self, case_id: str) -> Case:
        """As it stands; OperatorError if there is none."""
        try:
            case: Case = self.cases.load(case_id)
        except KeyError:
            raise OperatorError(
                f"There is no case {case_id} in stage {self.stage}.",
                f"unlatch cases --stage {self.stage} --all",
            ) from None
        return case

    @functools.cached_property
    def table(self) -> Any:
        name = self.by_name.settings.table_name
        return self.session.resource("dynamodb", region_name=self.region).Table(name)

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings that the deployed functions run with."""
        try:
            return config.read(self._read_variables())
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            raise self.not_deployed() from error

    @functools.cached_property
    def variables(self) -> Mapping[str, str]:
        """The functions' environment; empty if there are none, or they may not be looked at."""
        try:
            return self._read_variables()
        except ClientError as error:
            if code_of(error) not in {"ResourceNotFoundException", *DENIED}:
                raise
            return {}

    def _read_variables(self) -> Mapping[str, str]:
        reply = self.client("lambda").get_function_configuration(FunctionName=f"{self.name}-turn")
        found: Mapping[str, str] = reply.get("Environment", {}).get("Variables", {})
        return found

    def require_deployed(self) -> None:
        """Raises OperatorError if neither of the two functions is there that everything needs."""
        for name in (f"{self.name}-turn", self.name):
            try:
                self.client("lambda").get_function_configuration(FunctionName=name)
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    continue
                if code_of(error) not in DENIED:
                    raise
            return
        raise self.not_deployed()

    def require_stage(self) -> None:
        """Raises OperatorError if not even the table is there, which outlives everything else of a stage."""
        name = self.by_name.settings.table_name
        try:
            self.client("dynamodb").describe_table(TableName=name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                raise self.not_deployed() from error
            if code_of(error) not in DENIED:  # whoever may only do the work itself goes on
                raise

    def not_deployed(self) -> OperatorError:
        where = f"stage {self.stage} in account {self.account}, {self.region}"
        return OperatorError(
            f"Unlatch is not deployed as {where}.",
            f"unlatch deploy --stage {self.stage}, unless it is another --stage, --region or --profile",
            code=Exit.NOT_DEPLOYED,
        )


def connect(
    options: Options, clock: Callable[[], datetime], *, otherwise: str | None = None
) -> Hub:
    """The hub of these options. Makes one call: who the operator is.

    `otherwise` is a Region for when neither an option nor the environment nor a profile names one.
    """
    region = options.region or os.environ.get("AWS_REGION")
    # What calls boto3 by itself takes its default session: it is to be the operator’s.
    session = _default_session(options.profile, region)
    if not session.region_name and otherwise:
        session = _default_session(options.profile, otherwise)
    if not session.region_name:
        raise OperatorError("No AWS Region is set.", "Use --region, or set AWS_REGION")
    who = session.client("sts").get_caller_identity()
    caller = caller_of(arn=who["Arn"], kind="")
    account, region = who["Account"], session.region_name
    return Hub(session, options.stage, account, region, caller, clock, options.profile)


def connect_to_stage(options: Options, clock: Callable[[], datetime]) -> Hub:
    """The same, for what only a stage has that is, or was, deployed."""
    hub = connect(options, clock)
    hub.require_stage()
    return hub


def _default_session(profile: str | None, region: str | None) -> boto3.Session:
    boto3.setup_default_session(profile_name=profile, region_name=region)
    session = boto3.DEFAULT_SESSION
    assert session is not None, "just made"
    return session


def who(caller: Caller) -> str:
    """The operator in a log entry: the session’s name, or the user’s, as STS takes a source identity."""
    return NOT_IN_NAMES.sub("_", caller.session_name or caller.name)
