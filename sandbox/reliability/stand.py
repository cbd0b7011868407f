"""The bot in one process, with nothing outside: table in memory, a model of AWS, a Slack that says yes."""

from __future__ import annotations

import hashlib
import hmac
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from chalicelib import wiring
from chalicelib.aws.seal import KmsSeal
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.step import Call
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.simulation import Durations, SimulatedAws
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import Key, KeyState, Snapshot
from chalicelib.failures import TemporaryError
from chalicelib.ports import Ports, Receipt
from chalicelib.slack.gateway import SlackGateway
from chalicelib.slack.people import SlackPeople
from sandbox import sample
from sandbox.reliability.table import MemoryTable

NOW, HUB, REGION, CLUSTER = sample.NOW, sample.ACCOUNT, sample.REGION, sample.CLUSTER
SECRET = "local-signing-secret"  # noqa: S105 - the sandbox's own
APPROVERS = ("alice", "bob", "erin")
POLICY = Policy(approvers=APPROVERS, team_ids=("T0LOCAL",), pending_window_days=7, quiet_minutes=1)
QUICK = Durations(*[timedelta(seconds=20)] * 5)


def small_world() -> Snapshot:
    """The sample world with two keys."""
    zones, states = (f"{REGION}a", f"{REGION}b"), (KeyState.ENABLED, KeyState.DISABLED)
    keys = (sample.key(n, state, aliases=(f"alias/key-{n}",)) for n, state in enumerate(states))
    return sample.world(*keys, zones=zones)


@dataclass
class Aws:
    """Inventory, actions, runs and trail; remembers what was called."""

    model: SimulatedAws
    now: datetime = NOW
    started: list[object] = field(default_factory=list)

    def snapshot(self, case: Case, *, now: datetime) -> Snapshot:  # noqa: ARG002  # a port's names
        return self.model.at(now)

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:  # noqa: ARG002  # a port's names
        return self.model.at(self.now)

    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot:  # noqa: ARG002  # a port's names
        raise TemporaryError(f"nobody sweeps over {account} {region} here")

    def reread(self, case: Case, key_id: str) -> Key:  # noqa: ARG002  # a port's names
        keys = self.model.at(self.now).keys
        return next((k for k in keys if k.key_id == key_id), Key(key_id, KeyState.UNKNOWN, None))

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:  # noqa: ARG002  # a port's names
        self.model.call(step, target, self.now)
        return Receipt("request-1")

    def start(self, *name: object, body: str = "") -> bool:
        self.started.append((*name, body))
        return True

    def remembered(self, *_: object) -> str | None:
        """No run is older than this process."""
        return None

    def why(self) -> str:
        """Nobody has stopped anything."""
        return ""

    def wake(self, token: str) -> None:
        """Nothing sleeps here."""

    def is_alive(self, *_: object) -> bool:
        return True


class Kms:
    """Makes and checks MACs of two keys."""

    def generate_mac(self, *, KeyId: str, Message: bytes, **_: object) -> dict[str, Any]:  # noqa: N803  # boto3's names
        return {"Mac": hmac.new(KeyId.encode(), Message, hashlib.sha256).digest()}

    def verify_mac(self, *, KeyId: str, Message: bytes, Mac: bytes, **_: object) -> dict[str, Any]:  # noqa: N803  # boto3's names
        made = hmac.new(KeyId.encode(), Message, hashlib.sha256).digest()
        return {"MacValid": made == Mac}


KMS: Any = Kms()
SEALS = KmsSeal(KMS, "alias/inbox"), KmsSeal(KMS, "alias/body")


def slack(method: str, **arguments: Any) -> Mapping[str, Any]:
    """A Slack on which everything goes well."""
    match method:
        case "users.info":
            user = {"id": arguments["user"], "team_id": "T0LOCAL", "name": arguments["user"]}
            return {"user": user}
        case "views.open":
            return {"view": {"id": "V1"}}
        case "conversations.history":
            return {"messages": []}
    return {"ts": "1.0", "user": {"id": "U1"}}


def _count(*_: object) -> None:
    """Metrics go nowhere."""


def bot() -> Any:
    """The Chalice app of app.py, found as Lambda finds it: by its name."""
    return importlib.import_module("app").app


class Stand:
    """Ports over these stand-ins, and the wiring that app.py asks for."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        self.cases = DynamoCases(self.table, SEALS[0])
        self.aws = Aws(SimulatedAws(small_world(), QUICK))
        self.warned: list[str] = []
        gateway = SlackGateway(slack, "C0UNLATCH", POLICY, self._note, _count, _count)
        self.ports = Ports(
            cases=self.cases,
            inventory=self.aws,
            actions=self.aws,
            runs=self.aws,
            people=SlackPeople(slack, APPROVERS),
            brake=self.aws,
            for_turn=self._for_turn,
            gateway=gateway,
            trail=self.aws,  # type: ignore[arg-type]  # the sweep is not played here
            policy=POLICY,
            clock=lambda: self.aws.now,
            places=((HUB, REGION),),
        )
        self.wired = self._wired()

    def _for_turn(self, anchor: Anchor, generation: int) -> TurnCases:
        inbox, body = SEALS
        return TurnCases(
            self.table, anchor, generation=generation, inbox_seal=inbox, body_seal=body
        )

    def _wired(self) -> SimpleNamespace:
        return SimpleNamespace(
            ports=self.ports,
            gateway=self.ports.gateway,
            hub_account=HUB,
            region=REGION,
            trace="",
            own_roles=("unlatch-executor", "unlatch-restorer"),
            signing_secret=lambda **_: SECRET,
            settings=SimpleNamespace(
                error_codes=("CloudHsmClusterInUseException", "CloudHsmInvalidRequestException")
            ),
        )

    def _note(self, message: str, **_: object) -> None:
        self.warned.append(message)

    @contextmanager
    def in_app(self) -> Iterator[None]:
        """While this lasts, app.py is wired to this stand."""
        before = wiring.wired
        wiring.wired = lambda _: self.wired  # type: ignore[assignment,return-value]  # the stand-in
        try:
            yield
        finally:
            wiring.wired = before
