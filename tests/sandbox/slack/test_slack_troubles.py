"""What can go wrong on the way to Slack, and that only this machine is served."""

import http.client
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.api import LocalSlack
from sandbox.slack.delivery import deliver, sealed
from sandbox.slack.rates import SLACK_RATES
from sandbox.slack.records import BOT_TOKEN, CHANNEL
from tests.sandbox.slack.stand_ins import FaultList, Planned, StandingClock

POST = "slack:chat.postMessage"


def post(bot: WebClient) -> None:
    bot.chat_postMessage(channel=CHANNEL, text="hello")


def test_throttle_answers_429_with_retry_after(
    bot: WebClient, slack: LocalSlack, faults: FaultList
) -> None:
    faults.planned[POST] = [Planned("throttle", seconds=7)]
    with pytest.raises(SlackApiError) as refused:
        post(bot)
    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer["error"] == "ratelimited"
    assert slack.messages == []


@pytest.mark.parametrize(
    ("kind", "share", "promised"), [("cut", 0.5, 0.5), ("dropped", 0.5, 1.0), ("empty", 0, 0)]
)
def test_a_torn_reply_lands_and_promises_what_its_kind_says(
    slack: LocalSlack, faults: FaultList, kind: str, share: float, promised: float
) -> None:
    def ask() -> tuple[int, bytes]:
        target = urlsplit(slack.url)
        line = http.client.HTTPConnection(target.hostname or "", target.port, timeout=10)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        token = {"Authorization": f"Bearer {BOT_TOKEN}"}
        line.request("POST", "/api/auth.test", "", form | token)
        answer = line.getresponse()
        try:
            body = answer.read()
        except http.client.IncompleteRead as broken_off:
            body = broken_off.partial
        return int(answer.headers["Content-Length"]), body

    _, whole = ask()
    faults.planned["slack:auth.test"] = [Planned(kind)]
    length, came = ask()
    assert came == (whole[: int(len(whole) * share)] or b"{}")
    assert length == (int(len(whole) * promised) or 2)


def test_error_is_ok_false_with_its_code(
    bot: WebClient, slack: LocalSlack, faults: FaultList
) -> None:
    faults.planned[POST] = [Planned("error", code="channel_not_found")]
    with pytest.raises(SlackApiError) as refused:
        post(bot)
    assert refused.value.response.status_code == 200
    assert refused.value.response["error"] == "channel_not_found"
    assert slack.messages == []


def test_timeout_lands_and_tells_nobody(
    bot: WebClient, slack: LocalSlack, faults: FaultList
) -> None:
    faults.planned[POST] = [Planned("timeout")]
    with pytest.raises(http.client.RemoteDisconnected):
        post(bot)
    assert len(slack.messages) == 1


@pytest.mark.parametrize(("kind", "landed"), [("crash_before", 0), ("crash_after", 1)])
def test_crashes_kill_the_caller(
    slack: LocalSlack, faults: FaultList, killed: list[int], *, kind: str, landed: int
) -> None:
    faults.planned[POST] = [Planned(kind)]
    bot = WebClient(token=BOT_TOKEN, base_url=slack.url, retry_handlers=[])
    with pytest.raises(http.client.RemoteDisconnected):
        post(bot)
    assert len(slack.messages) == landed
    assert len(killed) == 1


def test_slow_answers_late(slack: LocalSlack, faults: FaultList) -> None:
    faults.planned["slack:auth.test"] = [Planned("slow", seconds=60)]
    hasty = WebClient(token=BOT_TOKEN, base_url=slack.url, timeout=1, retry_handlers=[])
    with pytest.raises(TimeoutError):
        hasty.auth_test()


def test_a_fault_passes(bot: WebClient, slack: LocalSlack, faults: FaultList) -> None:
    faults.planned[POST] = [Planned("error", code="fatal_error")]
    with pytest.raises(SlackApiError):
        post(bot)
    post(bot)
    assert len(slack.messages) == 1


def test_a_slack_that_is_down_answers_nothing(bot: WebClient, slack: LocalSlack) -> None:
    slack.down(True)
    with pytest.raises(http.client.RemoteDisconnected):
        post(bot)
    slack.down(False)
    post(bot)
    assert len(slack.messages) == 1


def test_rate_limits_are_measured_on_the_sandbox_clock(clock: StandingClock) -> None:
    with LocalSlack(clock, {}, rates=SLACK_RATES) as slack:
        bot = WebClient(token=BOT_TOKEN, base_url=slack.url, retry_handlers=[])
        post(bot)
        with pytest.raises(SlackApiError) as refused:
            post(bot)
        assert refused.value.response.headers["Retry-After"] == "1"
        clock.advance(1)
        post(bot)
        assert len(slack.messages) == 2


def test_no_rate_limits_unless_asked_for(bot: WebClient, slack: LocalSlack) -> None:
    for _ in range(5):
        post(bot)
    assert len(slack.messages) == 5


def test_it_sends_to_loopback_alone(clock: StandingClock) -> None:
    with pytest.raises(ValueError, match=r"hooks\.example\.com is not on it"):
        deliver(sealed("payload=x", clock), "http://hooks.example.com/", limit_seconds=3)


def test_pages_that_do_not_exist(slack: LocalSlack) -> None:
    connection = http.client.HTTPConnection(urlsplit(slack.url).netloc)
    connection.request("GET", "/")
    assert connection.getresponse().status == 404
    connection.close()
