"""What every command has in common: usage, words instead of tracebacks, colours for terminals only."""

import io

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from chalicelib.domain.caller import caller_of
from chalicelib.ports import Conflict, GiveUp, TryLater
from chalicelib.slack.replies import SlackFailed
from ops.__main__ import VERBS, main
from ops.hub import who
from ops.screen import GREEN, Screen
from ops.trouble import trouble_of


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "the message"}}, "GetItem")


def test_what_is_not_understood_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["dance"]) == 2
    assert main(["audit", "verify"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_each_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for verb in VERBS:
        name = verb.__name__.removeprefix("ops.")
        assert name in told
        assert main([name, "--help"]) == 0
        assert "usage: python -m ops" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "aws sso login"),
        (refused("ExpiredToken"), "aws sso login"),
        (refused("InvalidClientTokenId"), "does not accept your credentials"),
        (refused("AccessDeniedException"), "Get the right for GetItem"),
        (refused("ResourceNotFoundException"), "deployed with this --stage"),
        (refused("Whatever"), "AWS refused GetItem: Whatever. the message"),
        (ResponseParserError("<html>"), "NO_PROXY"),
        (GiveUp("It can’t be.", "Do that"), "Do that"),
        (TryLater("AWS is busy"), "in a minute"),
        (Conflict("case-1"), "moved on"),
        (SlackFailed("invalid_auth"), "invalid_auth"),
        (FileNotFoundError("no.env"), "no.env"),
    ],
)
def test_expected_trouble_is_put_into_words(error: Exception, says: str) -> None:
    trouble = trouble_of(error)
    assert says in " ".join((trouble.reason, *trouble.advice))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in Screen(Terminal(), io.StringIO()).painted("ok", GREEN)
    assert Screen(io.StringIO(), io.StringIO()).painted("ok", GREEN) == "ok"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Screen(Terminal(), io.StringIO()).painted("ok", GREEN) == "ok"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0/olga@example.com", "olga@example.com"),
        ("arn:aws:iam::1:user/ops/olga", "olga"),
        ("arn:aws:iam::1:root", "the_root_user"),
    ],
)
def test_an_operators_name_is_one_that_sts_takes_as_source_identity(arn: str, name: str) -> None:
    assert who(caller_of(arn=arn, kind="")) == name
