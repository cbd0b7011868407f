"""A sandbox without moto or bot: time moves, a case opens when a delete fails, and clicks are noted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.faults import Faults
from sandbox.clock import Clock

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class FakeClock:
    def __init__(self) -> None:
        self.time = NOW
        self.timers: list[tuple[datetime, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self.time

    def next_due(self) -> datetime | None:
        return min((when for when, _ in self.timers), default=None)

    def after(self, span: timedelta, fn: Callable[[], object]) -> None:
        self.timers.append((self.time + span, fn))


@dataclass
class FakeCall:
    service: str
    operation: str
    params: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    landed: bool = True
    by_bot: bool = True
    by_deployment: bool = False
    at: datetime = NOW
    role: str = "arn:aws:iam::111122223333:role/unlatch-executor"
    source_identity: str | None = "alice"


@dataclass
class FakeMessage:
    ts: str
    text: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    channel: str = "C0UNLATCH"
    updates: int = 0
    mentions: tuple[str, ...] = ()


@dataclass
class FakeEphemeral:
    user: str
    text: str


@dataclass
class FakeAnswer:
    status: int = 200
    body: str = ""
    ms: float = 12.5
    error: str | None = None


@dataclass
class FakeDialog:
    view: dict[str, Any] = field(
        default_factory=lambda: {
            "callback_id": "decide",
            "title": {"type": "plain_text", "text": "Retire"},
            "blocks": [{"type": "alert", "text": {"type": "plain_text", "text": "For good."}}],
            "submit": {"type": "plain_text", "text": "Approve as 1 of 2"},
        }
    )


class FakeSlack:
    def __init__(self) -> None:
        self.messages: list[FakeMessage] = []
        self.ephemerals: list[FakeEphemeral] = []
        self.modals: dict[str, Any] = {}
        self.homes: dict[str, Any] = {}
        self.has_home = True
        self.done: list[tuple[Any, ...]] = []
        self.on_click: Callable[[str, str], None] = lambda user, button: None

    def click(self, user: str, *, button: str, ts: Any = None) -> FakeAnswer:
        self.done.append(("click", user, button, ts))
        self.modals[user] = FakeDialog()
        self.on_click(user, button)
        return FakeAnswer()

    def submit(self, user: str, values: Mapping[str, Any]) -> FakeAnswer | None:
        if self.modals.pop(user, None) is None:
            return None
        self.done.append(("submit", user, dict(values)))
        return FakeAnswer()

    def command(self, user: str, text: str) -> FakeAnswer:
        self.done.append(("command", user, text))
        return FakeAnswer()

    def open_home(self, user: str) -> FakeAnswer | None:
        self.done.append(("home", user))
        return FakeAnswer() if self.has_home else None

    def send_raw(self, body: Any, *, signature: str) -> FakeAnswer:
        self.done.append(("raw", body, signature))
        return FakeAnswer(status=401 if signature == "bad" else 200)


class FakeAws:
    def __init__(self) -> None:
        self.calls: list[FakeCall] = []
        self.faults = Faults(Clock(NOW))


class FakeClient:
    """Notes each call; those in `refusals` fail with that code."""

    def __init__(self, sandbox: "FakeSandbox", who: str) -> None:
        self._sandbox = sandbox
        self._who = who

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            self._sandbox.asked.append((self._who, operation, params))
            code = self._sandbox.refusals.get(operation)
            if code:
                self._sandbox.refused()
                raise ClientError({"Error": {"Code": code, "Message": ""}}, operation)
            return self._sandbox.answers.get(operation, {})

        return call


class FakeSandbox:
    """Opens a case at each refused delete, and posts its message at once."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.slack = FakeSlack()
        self.aws = FakeAws()
        self.key_ids = ["key-0", "key-1"]
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.refusals = {"delete_cluster": "CloudHsmClusterInUseException"}
        self.answers: dict[str, Any] = {}
        self.events: list[Any] = []
        self.stored: list[dict[str, Any]] = []
        self.opens = True
        self.log: list[Any] = []
        self.stores = ["cks-1"]
        self.tampered: list[tuple[str, str, Any]] = []

    def refused(self) -> None:
        if self.opens:
            self.open_case()

    def open_case(self, *, posted: bool = True) -> dict[str, Any]:
        number = len(self.stored) + 1
        case: dict[str, Any] = {
            "id": f"case-{number}", "account": "111122223333", "region": "us-east-1",
            "cluster_id": "cluster-2a3b4c5d6e7", "phase": "waiting", "outcome": None,
            "reason": "", "remedy": None, "attempts": 1, "plan_hash": None, "approvals": [],
            "message_ts": None, "trigger": "delete_blocked", "round": 1, "tampered": False,
        }  # fmt: skip
        self.stored.append(case)
        if posted:
            self.post_message(case)
        return case

    def post_message(self, case: dict[str, Any]) -> None:
        ts = f"{int(self.clock.now().timestamp())}.00000{len(self.slack.messages) + 1}"
        case["message_ts"] = ts
        self.slack.messages.append(FakeMessage(ts, f"{case['cluster_id']} can't be deleted"))

    def close(self, outcome: str, reason: str = "") -> None:
        self.stored[-1].update(phase="closed", outcome=outcome, reason=reason)

    # Stage

    def deploy_again(self, told: Mapping[str, Any]) -> None:
        self.events.append(("deploy", dict(told)))

    def settle(self) -> None:
        pass

    def step(self) -> bool:
        when = self.clock.next_due()
        if when is None:
            return False
        due = [fn for at, fn in self.clock.timers if at == when]
        self.clock.timers = [timer for timer in self.clock.timers if timer[0] != when]
        self.clock.time = when
        for fn in due:
            fn()
        self.aws.calls.append(FakeCall("dynamodb", "UpdateItem"))
        return True

    def advance(self, delta: timedelta) -> None:
        self.clock.time += delta

    def client(
        self,
        service: str,
        *,
        account: str,
        region: str,
        who: str,
        source_identity: Any = None,
        user_agent: Any = None,
    ) -> FakeClient:
        return FakeClient(self, f"{who} for {source_identity}" if source_identity else who)

    def break_store(self, store: str, *, error: Any) -> None:
        if store not in self.stores:
            raise LookupError(f"there is no custom key store {store}")
        self.asked.append(("nobody", "break_store", {"store": store, "error": error}))

    def delete_subnet(self, cluster: str, *, zone: str) -> str:
        self.asked.append(("nobody", "delete_subnet", {"cluster": cluster, "zone": zone}))
        return "subnet-1"

    def fill_subnet(self, cluster: str, *, zone: str, free: int) -> str:
        said = {"cluster": cluster, "zone": zone, "free": free}
        self.asked.append(("nobody", "fill_subnet", said))
        return "subnet-2"

    def set_password(self, store: str) -> None:
        self.asked.append(("crypto officer", "set_password", {"store": store}))

    def world(self) -> dict[str, Any]:
        return {"clusters": [], "key_stores": [], "keys": [], "other_keys": 250}

    def alarms(self) -> list[str]:
        return ["unlatch-dev-seals"]

    def runs(self) -> list[dict[str, Any]]:
        return [{"name": "case-1-1", "status": "SUCCEEDED", "events": 12}]

    def put_event(self, event: Any) -> None:
        self.events.append(event)

    def redeliver(self, times: int) -> None:
        if not self.events:
            raise LookupError("no event has matched a rule yet")
        self.events += ["again"] * times

    def lose_next_event(self) -> None:
        self.opens = False

    def sweep(self) -> None:
        self.events.append("sweep")

    def digest(self) -> None:
        self.events.append("digest")


class FakeCases:
    """The case reader: what the sandbox's stand-in for the bot has stored."""

    def __init__(self, sandbox: FakeSandbox) -> None:
        self._sandbox = sandbox

    def cases(self) -> list[dict[str, Any]]:
        return self._sandbox.stored

    def tamper(self, case_id: str, what: str, value: Any) -> str:
        self._sandbox.tampered.append((case_id, what, value))
        return f"Somebody edits {case_id}."

    def log(self) -> list[dict[str, Any]]:
        return [{"text": "opened"}]

    def log_verified(self) -> bool:
        return True
