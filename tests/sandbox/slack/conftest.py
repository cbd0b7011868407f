"""A local Slack at a fixed time, the real Slack SDK to call it, and a scripted app behind it."""

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from sandbox.loopback import LoopbackServer, answering
from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN, CHANNEL
from tests.sandbox.slack.stand_ins import (
    CASE_BLOCKS,
    EVERYTHING,
    PEOPLE,
    App,
    FaultList,
    StandingClock,
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def faults() -> FaultList:
    return FaultList()


@pytest.fixture
def killed() -> list[int]:
    return []


@pytest.fixture
def slack(clock: StandingClock, faults: FaultList, killed: list[int]) -> Iterator[LocalSlack]:
    with LocalSlack(
        clock, PEOPLE, faults=faults, kill=killed.append, manifest=EVERYTHING
    ) as running:
        yield running


@pytest.fixture
def bot(slack: LocalSlack) -> WebClient:
    return WebClient(token=BOT_TOKEN, base_url=slack.url, retry_handlers=[])


@pytest.fixture
def app(slack: LocalSlack, clock: StandingClock) -> Iterator[App]:
    scripted = App(clock)
    server = LoopbackServer(answering(scripted.serve))
    server.start()
    slack.interactions_url = f"{server.url}/slack/interactions"
    slack.commands_url = f"{server.url}/slack/commands"
    slack.events_url = f"{server.url}/slack/events"
    yield scripted
    server.stop()


@pytest.fixture
def case_message(bot: WebClient) -> str:
    """The ts of a posted message that offers to retire, keep or reject case-1."""
    posted = bot.chat_postMessage(channel=CHANNEL, text="stuck", blocks=CASE_BLOCKS)
    return str(posted["ts"])
