"""The only place that builds clients. Everything is made on first use; importing this costs nothing."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from chalicelib import config, observability
from chalicelib.aside import beside
from chalicelib.aws.partition import partition_of
from chalicelib.config import Settings
from chalicelib.lazy import lazy

if TYPE_CHECKING:
    from chalicelib.aws.accounts import Accounts
    from chalicelib.aws.clients import Clients, MakesClients
    from chalicelib.aws.rate_limit import Paces
    from chalicelib.aws.secrets import Secrets
    from chalicelib.aws.signed_identity import SignedIdentity
    from chalicelib.aws.store.cases import DynamoCases
    from chalicelib.aws.store.probes import Probes
    from chalicelib.aws.table import Table
    from chalicelib.domain.fleet import Survey
    from chalicelib.domain.rules.trust import Anchor
    from chalicelib.domain.state.case import Case
    from chalicelib.domain.state.key_owners import KeyOwners
    from chalicelib.flows.homes import HomePorts
    from chalicelib.ports import (
        Actions,
        Brake,
        Inventory,
        People,
        Ports,
        Runs,
        Seal,
        Trail,
        TurnCases,
    )
    from chalicelib.slack.client import SlackClient
    from chalicelib.slack.gateway import SlackGateway
    from chalicelib.slack.reach import Reach
    from chalicelib.slack.secrets import Secret

T = TypeVar("T")

READ_AGAIN_AFTER = timedelta(minutes=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Wiring:
    """Builds each port from the settings. `hub_account` comes from the function's own ARN.

    `profile` is the AWS profile that an operator named.
    """

    def __init__(
        self, settings: Settings, *, hub_account: str, region: str, profile: str | None = None
    ) -> None:
        self.settings = settings
        self.hub_account = hub_account
        self.region = region
        self.profile = profile

    @functools.cached_property
    def ports(self) -> Ports:
        from chalicelib.ports import Ports  # pulls in the domain

        return Ports(
            cases=lazy(lambda: self.cases),
            for_turn=self._for_turn,
            inventory=lazy(self._inventory),
            actions=lazy(self._actions),
            runs=lazy(self._runs),
            people=lazy(self._people),
            brake=lazy(self._brake),
            gateway=lazy(lambda: self.gateway),
            trail=lazy(self._trail),
            policy=self.settings.policy(),
            clock=utc_now,
            places=self.places,
            channel=self.settings.slack_channel,
            routes=config.routes(),
            changed=lambda: self.homes.refresh(),  # noqa: PLW0108  # made on use
            key_owners=self._key_owners,
            count=observability.count,
            log=observability.log,
            aside=beside,
        )

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Accounts and Regions that are served, the hub's own first."""
        accounts = dict.fromkeys((self.hub_account, *self.settings.accounts))
        regions = dict.fromkeys((self.region, *self.settings.regions))
        return tuple((account, region) for account in accounts for region in regions)

    @property
    def trace(self) -> str:
        """X-Ray's header of this invocation."""
        return config.trace()

    @functools.cached_property
    def own_roles(self) -> tuple[str, str]:
        return (config.EXECUTOR_ROLE, config.RESTORER_ROLE)

    @functools.cached_property
    def gateway(self) -> SlackGateway:
        from chalicelib.slack.gateway import SlackGateway  # only if Slack is met
        from chalicelib.slack.naming import Naming  # same

        return SlackGateway(
            call=self._slack.call,
            channel=self.settings.slack_channel,
            policy=self.settings.policy(),
            log=observability.warn,
            count=observability.count,
            respond=self._slack.respond,
            stage=self.settings.table_name.removeprefix("unlatch-"),
            naming=Naming.of(self._slack.call, self.settings, aside=beside),
        )

    @functools.cached_property
    def reach(self) -> Reach:
        from chalicelib.slack.reach import Reach  # only if Slack is met

        return Reach.of(self.gateway, self.shelf.scan)

    @functools.cached_property
    def homes(self) -> HomePorts:
        from chalicelib.flows.homes import HomePorts  # on first use

        return HomePorts(replace(self.ports, cases=self.shelf), self.shelf, self.reach.publish)

    @functools.cached_property
    def shelf(self) -> DynamoCases:
        """The cases for who only shows them, and may make no seals."""
        from chalicelib.aws.store.cases import DynamoCases  # on first use

        return DynamoCases(self._table)

    def identify(self, hub: str) -> SignedIdentity:
        """`hub` is the host that the API was called by."""
        from chalicelib.aws.signed_identity import SignedIdentity  # shells alone

        return SignedIdentity(self.client("sts"), hub, utc_now)

    def signing_secret(self, *, fresh: bool) -> str:
        """`fresh`: it may have been rotated; badly signed rubbish does not read it each time."""
        from chalicelib.slack.secrets import Secret  # only if Slack is met

        how = {"fresh": fresh, "rest": READ_AGAIN_AFTER}
        return self._secret(self.settings.signing_secret_id, Secret.SIGNING, **how)

    @functools.cached_property
    def _slack(self) -> SlackClient:
        from chalicelib.slack.client import SlackClient  # only if Slack is met
        from chalicelib.slack.secrets import Secret

        named = self.settings.bot_token_secret_id
        return SlackClient(
            lambda fresh: self._secret(named, Secret.TOKEN, fresh=fresh),
            self.settings.slack_api_url,
            team_id=self.settings.slack_workspace,
        )

    def _secret(self, secret_id: str, kind: Secret, **how: Any) -> str:
        from chalicelib.slack.secrets import value_of  # only if Slack is met

        return self._secrets.value(secret_id, lambda text: value_of(text, kind), **how)

    @functools.cached_property
    def _secrets(self) -> Secrets:
        from chalicelib.aws.secrets import Secrets

        return Secrets(lambda: self.client("secretsmanager"), utc_now)

    @functools.cached_property
    def cases(self) -> DynamoCases:
        from chalicelib.aws.store.cases import DynamoCases

        return DynamoCases(self._table, self._seal(self.settings.inbox_key_id))

    @property
    def probes(self) -> Probes:
        from chalicelib.aws.store.probes import Probes  # on first use

        return Probes(self._table, self._seal(self.settings.inbox_key_id))

    def _for_turn(self, anchor: Anchor, generation: int) -> TurnCases:
        from chalicelib.aws.store.turns import TurnCases  # turns alone

        names = (self.settings.inbox_key_id, self.settings.body_key_id)
        inbox, body = map(self._seal, names)
        return TurnCases(
            self._table, anchor, generation=generation, inbox_seal=inbox, body_seal=body
        )

    @functools.cached_property
    def _table(self) -> Table:
        from chalicelib.aws.table import Table

        return Table(self.client("dynamodb"), self.settings.table_name)

    @functools.cached_property
    def _accounts(self) -> Accounts:
        from chalicelib.aws.accounts import Accounts

        return Accounts(self.client("sts"), self._maker(), partition_of(self.region))

    @functools.cached_property
    def _paces(self) -> Paces:
        from chalicelib.aws.rate_limit import Paces

        return Paces(self.settings.quota_share)

    def _inventory(self) -> Inventory:
        from chalicelib.aws.inventory import AwsInventory
        from chalicelib.aws.store.known_keys import DynamoKnownKeys

        told, reader = self.settings, (self._accounts, config.READER_ROLE)
        known = DynamoKnownKeys(self._table, self._seal(told.body_key_id))
        days = (told.quiet_minutes, told.recent_use_days)
        return AwsInventory(*reader, known, self._paces, *days, told.health_sessions)

    def _key_owners(self, case: Case) -> KeyOwners:
        from chalicelib.aws.key_owners import KeyOwnerReader  # once a case

        told, reader = self.settings, (self._accounts, config.READER_ROLE, self._paces)
        return KeyOwnerReader(*reader, told.owner_tag, told.recent_use_days).of(case)

    def _actions(self) -> Actions:
        from chalicelib.aws.actions import AwsActions

        place, make = partition_of(self.region), self._maker(acts=True)
        acting = self._accounts.__class__(self.client("sts"), make, place)
        return AwsActions(acting, *self.own_roles, self._paces)

    def _runs(self) -> Runs:
        from chalicelib.aws.runs import StepFunctionsRuns

        place = f"arn:{partition_of(self.region)}:states:{self.region}:{self.hub_account}"
        arn = f"{place}:stateMachine:{self.settings.state_machine_name}"
        return StepFunctionsRuns(self.client("stepfunctions"), arn)

    def _people(self) -> People:
        from chalicelib.slack.people import SlackPeople

        told, call = self.settings, self._slack.call
        known, domains = dict(told.people), told.email_domains
        return SlackPeople(call, told.approvers, principals=known, domains=domains, aside=beside)

    @functools.cache  # noqa: B019  # one wiring a process
    def _seal(self, key_id: str) -> Seal:
        from chalicelib.aws.seal import KmsSeal

        return KmsSeal(self.client("kms"), key_id)

    def _brake(self) -> Brake:
        from chalicelib.aws.brake import SsmBrake

        return SsmBrake(self.client("ssm"), self.settings.brake_parameter)

    def survey(self, account: str, region: str) -> Survey:
        from chalicelib.aws.fleet import Fleet

        reader = Fleet(self._accounts, config.READER_ROLE, self._paces)
        return reader.survey(account, region, now=utc_now())

    def _trail(self) -> Trail:
        from chalicelib.aws.trail import AwsTrail

        reader = (self._accounts, config.READER_ROLE)
        return AwsTrail(*reader, self.own_roles, self.settings.error_codes, self._paces)

    def _maker(self, *, acts: bool = False) -> MakesClients:
        from chalicelib.aws.session import make_client

        return functools.partial(make_client, acts=acts, profile=self.profile)

    @property
    def client(self) -> Clients:
        """Makes clients of the hub's own account."""
        return cast("Clients", lambda service: self._maker()(service, self.region, None))


@functools.cache
def _built(hub_account: str) -> Wiring:
    return Wiring(config.read(), hub_account=hub_account, region=config.region())


def wired(context: Any) -> Wiring:
    """The wiring of this function; its own ARN tells the hub's account."""
    parts = str(getattr(context, "invoked_function_arn", "")).split(":")
    return _built(parts[4] if len(parts) > 4 else "")
