"""What Slack posts, read field by field. The shapes are those of Slack's documentation of its payloads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.ports import Interaction
from chalicelib.slack.requests import (
    Opened,
    UnreadableError,
    UnsignedError,
    challenge,
    is_ssl_check,
    parse,
    parse_command,
    parse_event,
    signature,
    verify,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET, BODY = "8f742231b10e8888abcd99yyyzzz85a5", b"payload=%7B%7D"  # Slack's own example
STAMP = str(int(NOW.timestamp()))
USER = {"id": "U1", "username": "alice", "team_id": "T1"}
HASH = "ab" * 32


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def posted(payload: Any) -> bytes:
    return form(payload=json.dumps(payload))


def clicked(**action: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": USER,
        "team": {"id": "T9"},
        "channel": {"id": "C1"},
        "trigger_id": "12.34.ab",
        "response_url": "https://hooks.slack.com/actions/T1/2/3",
        "actions": [{"type": "button", "block_id": "ways", **action}],
    }


def submitted(**view: Any) -> dict[str, Any]:
    return {
        "type": "view_submission",
        "user": USER,
        "team": {"id": "T9"},
        "view": {
            "id": "V1",
            "callback_id": "decide",
            "private_metadata": f"case-1:7:retire:{HASH}",
            **view,
        },
    }


BUTTON = Interaction(
    "button",
    "U1",
    "T1",
    channel="C1",
    action="retire",
    case_id="case-1",
    version=7,
    trigger_id="12.34.ab",
    response_url="https://hooks.slack.com/actions/T1/2/3",
)


def test_a_button() -> None:
    assert parse(posted(clicked(action_id="retire", value="case-1:7"))) == BUTTON


def test_an_option_of_the_menu_is_the_button_that_it_stands_for() -> None:
    option = {"text": {"type": "plain_text", "text": "Retire"}, "value": "case-1:7:retire"}
    assert parse(posted(clicked(action_id="more", selected_option=option))) == BUTTON


@pytest.mark.parametrize(
    ("value", "case_id", "version"),
    [
        ("case-1:7:more", "case-1", 7),
        ("case-1", "case-1", -1),
        ("case-1:x", "case-1", -1),
        ("case-1:-7", "case-1", -1),
        ("", "", -1),
    ],
)
def test_a_button_with_less_or_more_in_it(value: str, case_id: str, version: int) -> None:
    found = parse(posted(clicked(action_id="cancel", value=value)))
    assert (found.action, found.case_id, found.version) == ("cancel", case_id, version)


def test_a_menu_in_which_nothing_is_chosen_asks_for_nothing() -> None:
    assert parse(posted(clicked(action_id="more", value="case-1:7:retire"))).action == "more"


def test_a_dialog_with_each_kind_of_field() -> None:
    values = {
        "cluster_id": {"cluster_id": {"type": "plain_text_input", "value": "cluster-1"}},
        "reason": {"reason": {"type": "plain_text_input", "value": None}},
        "target": {"target": {"type": "static_select", "selected_option": {"value": "cluster-2"}}},
        "owner": {"owner": {"type": "users_select", "selected_user": "U2"}},
        "subnets": {
            "subnets": {
                "type": "checkboxes",
                "selected_options": [{"value": "subnet-1"}, {"value": "subnet-2"}],
            }
        },
        "override": {"override": {"type": "checkboxes", "selected_options": []}},
    }
    assert parse(posted(submitted(state={"values": values}))) == Interaction(
        "submission",
        "U1",
        "T1",
        action="decide",
        case_id="case-1",
        version=7,
        remedy="retire",
        plan_hash=HASH,
        view_id="V1",
        values={
            "cluster_id": "cluster-1",
            "reason": "",
            "target": "cluster-2",
            "owner": "U2",
            "subnets": "subnet-1,subnet-2",
            "override": "",
        },
    )


@pytest.mark.parametrize("state", [None, {}, {"values": None}, {"values": {"a": None}}, [], "x"])
def test_a_dialog_without_fields(state: Any) -> None:
    found = parse(posted(submitted(state=state, private_metadata="case-1")))
    assert found == Interaction(
        "submission", "U1", "T1", action="decide", case_id="case-1", view_id="V1"
    )


def test_long_words_are_cut_so_that_they_fit_nothing() -> None:
    typed = {"reason": {"reason": {"value": "r" * 4_000}}}
    many = {"subnets": {"subnets": {"selected_options": [{"value": "s" * 199}] * 30}}}
    view = submitted(state={"values": {**typed, **many}}, private_metadata="c" * 300)
    found = parse(posted(view))
    assert [len(found.values[name]) for name in ("reason", "subnets")] == [3_000, 3_000]
    assert len(found.case_id) == 200
    long = {**clicked(action_id="a" * 201), "response_url": "h" * 600, "trigger_id": "t" * 201}
    found = parse(posted(long))
    assert [len(found.action), len(found.response_url), len(found.trigger_id)] == [200, 500, 200]


def test_another_kind_of_interaction_is_named_as_it_came() -> None:
    assert parse(posted({"type": "x" * 60, "user": USER})) == Interaction("x" * 50, "U1", "T1")
    assert parse(posted({"user": {"id": "U1"}})) == Interaction("None", "U1", "")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff", "the body is not a form"),
        (form(payload="{"), "the payload is not JSON"),
        (b"", "the payload is not JSON"),
        (form(payload='"\\ud800"'), "the payload is not JSON"),
        (form(payload="[" * 100_000), "the payload is not JSON"),
        (posted([]), "the payload is not a JSON object"),
        (
            posted({"type": "block_actions", "user": USER}),
            "the payload does not hold exactly one action",
        ),
        (
            posted({**clicked(), "actions": [{}, {}]}),
            "the payload does not hold exactly one action",
        ),
        (posted({**clicked(), "actions": [1]}), "the payload does not hold exactly one action"),
        (posted({**clicked(), "user": {}}), "user.id is missing or not an id"),
        (posted({**clicked(), "user": {"id": "<@U1>"}}), "user.id is missing or not an id"),
        (posted({**clicked(), "user": {"id": "U" * 101}}), "user.id is missing or not an id"),
        (
            form(**{f"f{n}": "1" for n in range(51)}),
            "the body is not a form",
        ),
    ],
)
def test_what_can_not_be_read_says_why(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        parse(body)
    assert str(refused.value) == why


def test_ids_may_have_a_dot_a_dash_and_a_hundred_characters() -> None:
    for name in ("a.b-c_d", "U" * 100):
        assert parse(posted({**clicked(), "user": {"id": name}})).user_id == name


def test_a_command() -> None:
    fields = {"user_id": "U1", "team_id": "T1", "channel_id": "C1", "trigger_id": "12.34"}
    assert parse_command(form(**fields, text="  scan  ", command="/unlatch")) == Interaction(
        "command", "U1", "T1", channel="C1", trigger_id="12.34", text="scan"
    )
    assert parse_command(form(user_id="U1")) == Interaction("command", "U1", "")
    long = parse_command(
        form(**dict.fromkeys(fields, "x" * 300) | {"user_id": "U1"}, text="y" * 300)
    )
    assert {len(long.team_id), len(long.channel), len(long.trigger_id), len(long.text)} == {200}
    with pytest.raises(UnreadableError, match=r"^user_id is missing or not an id$"):
        parse_command(form(text="scan"))


def test_the_home_tab_is_opened_and_nothing_else() -> None:
    event = {"type": "app_home_opened", "tab": "home", "user": "U1"}
    told = {"type": "event_callback", "team_id": "T1", "event": event}
    assert parse_event(json.dumps(told).encode()) == Opened("U1", "T1")
    for other in ({"tab": "messages"}, {"type": "message"}):
        assert parse_event(json.dumps({**told, "event": {**event, **other}}).encode()) is None
    with pytest.raises(UnreadableError, match=r"^event\.user is missing or not an id$"):
        parse_event(json.dumps({**told, "event": {**event, "user": ""}}).encode())
    for body in (b"{", b"[" * 100_000):
        with pytest.raises(UnreadableError, match=r"^the body is not JSON$"):
            parse_event(body)


def test_slack_looks_at_the_certificate() -> None:
    assert is_ssl_check(b"ssl_check=1&token=abc")
    for other in (b"ssl_check=0", b"payload=ssl_check", b"", b"ssl_check=1\xff"):
        assert not is_ssl_check(other)


def test_slack_asks_whether_the_address_is_ours() -> None:
    told = {"type": "url_verification", "challenge": "3eZ" * 100}
    assert challenge(json.dumps(told).encode()) == ("3eZ" * 100)[:200]
    others: tuple[Any, ...] = ({**told, "type": "event_callback"}, {"type": "url_verification"}, [])
    for other in others:
        assert challenge(json.dumps(other).encode()) == ""
    assert challenge(b"{") == challenge(b"[" * 100_000) == ""


def headers(**more: str) -> dict[str, str]:
    signed = signature(SECRET, STAMP, BODY)
    return {"x-slack-request-timestamp": STAMP, "x-slack-signature": signed, **more}


def test_a_signature_holds_for_five_minutes() -> None:
    for late in (-300, 0, 300):
        verify(BODY, headers(), secret=SECRET, now=NOW + timedelta(seconds=late))
    for late in (-301, 301):
        with pytest.raises(UnsignedError, match=r"^the timestamp is more than five minutes off$"):
            verify(BODY, headers(), secret=SECRET, now=NOW + timedelta(seconds=late))


def test_it_is_made_as_slack_makes_it() -> None:
    """The example of Slack’s documentation on verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
        b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


@pytest.mark.parametrize(
    ("more", "secret", "why", "may_be_rotation"),
    [
        ({}, " ", "no signing secret is set", False),
        (
            {"x-slack-request-timestamp": ""},
            SECRET,
            "the timestamp is missing or not a number",
            False,
        ),
        (
            {"x-slack-request-timestamp": "1e9"},
            SECRET,
            "the timestamp is missing or not a number",
            False,
        ),
        (
            {"x-slack-request-timestamp": "²"},
            SECRET,
            "the timestamp is missing or not a number",
            False,
        ),
        (
            {"x-slack-request-timestamp": "1" * 13},
            SECRET,
            "the timestamp is missing or not a number",
            False,
        ),
        (
            {"x-slack-request-timestamp": "0" + STAMP},
            SECRET,
            "the signature does not fit the body",
            True,
        ),
        ({"x-slack-signature": ""}, SECRET, "the signature does not fit the body", False),
        ({"x-slack-signature": "v0=é"}, SECRET, "the signature does not fit the body", True),
        ({}, "another", "the signature does not fit the body", True),
    ],
)
def test_what_is_not_signed_says_why(
    more: dict[str, str], secret: str, why: str, *, may_be_rotation: bool
) -> None:
    with pytest.raises(UnsignedError) as refused:
        verify(BODY, headers(**more), secret=secret, now=NOW)
    assert (str(refused.value), refused.value.may_be_rotation) == (why, may_be_rotation)


def test_a_request_without_headers_is_not_signed() -> None:
    with pytest.raises(UnsignedError, match=r"^the timestamp is missing"):
        verify(BODY, {}, secret=SECRET, now=NOW)
    with pytest.raises(UnsignedError, match=r"^the signature does not fit"):
        verify(BODY, {"x-slack-request-timestamp": STAMP}, secret=SECRET, now=NOW)
