"""What every command has in common: usage, words instead of tracebacks, JSON, colours for terminals only."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    LoginRefreshRequired,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from chalicelib import __version__
from chalicelib.domain.state.caller import caller_of
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.slack.replies import SlackError
from ops.__main__ import VERBS, main
from ops.command_context import PROJECT, CommandContext
from ops.console import GREEN, Console
from ops.errors import OperatorError
from ops.exits import Exit
from ops.expected import trouble_of
from ops.hub import who
from tests.ops.office import START

NAMES = [name for verbs in VERBS.values() for name in verbs]


def refused(code: str, message: str = "the message", call: str = "GetItem") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, call)


def context(out: io.StringIO | None = None, answer: str | None = None) -> CommandContext:
    def ask(_: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    screen = Console(out or io.StringIO(), io.StringIO())
    return CommandContext(screen, lambda: START, ask=ask)


def test_what_is_not_understood_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    slips = (
        "",
        "dance",
        "audit verify",
        "cancel case-1",
        "cases --moon",
        "diagnose cluster-1",
        "diagnose cluster-2a3b4c5d6e7 --account 1234",
        "scan --account prod",
        "scan --idle-days -1",
        "rehearse",
        "rehearse --copy --subnets subnet-1",
        "forget",
    )
    for words in slips:
        assert main(words.split()) == Exit.USAGE, words
    assert "Traceback" not in capsys.readouterr().err


def test_each_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for name in NAMES:
        assert re.search(rf"^  {name} ", told, re.MULTILINE)
        assert main([name, "--help"]) == 0
        said = capsys.readouterr().out
        assert f"Usage: unlatch {name}" in said
        assert "--json" in said or name == "audit", "its own verbs have it"


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    assert main(["completion", shell]) == 0
    assert "_UNLATCH_COMPLETE" in capsys.readouterr().out
    monkeypatch.setenv("_UNLATCH_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "unlatch d")
    monkeypatch.setenv("COMP_CWORD", "d" if shell == "fish" else "1")
    with pytest.raises(SystemExit):
        main([])
    assert "doctor" in capsys.readouterr().out


def test_errors_are_json_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    for words, code in ((["cases", "--json"], Exit.FAILED), (["dance", "--json"], Exit.USAGE)):
        assert main(words) == code
        told = json.loads(capsys.readouterr().out)["error"]
        assert told["code"] == code.name.lower()
        assert told["reason"]


def test_every_exit_code_is_explained() -> None:
    page = (PROJECT / "docs/operate.md").read_text()
    for code in Exit:
        assert f"| {code.value} | {code.about}" in page


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "aws sso login"),
        (ProfileNotFound(profile="moon"), "aws configure list-profiles"),
        (SSOTokenLoadError(error_msg="it is gone"), "session has expired"),
        (UnauthorizedSSOTokenError(), "session has expired"),
        (TokenRetrievalError(provider="sso", error_msg="Token has expired"), "session has expired"),
        (LoginRefreshRequired(), "session has expired"),
        (refused("ExpiredToken"), "aws sso login"),
        (refused("InvalidGrantException"), "session has expired"),
        (refused("UnauthorizedException", call="GetRoleCredentials"), "session has expired"),
        (refused("RequestExpired"), "clock"),
        (refused("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier"), "clock"),
        (refused("InvalidSignatureException", "Signature not yet current"), "clock"),
        (refused("SignatureDoesNotMatch"), "does not accept your credentials"),
        (refused("InvalidClientTokenId"), "does not accept your credentials"),
        (refused("AccessDeniedException"), "Get the right for GetItem"),
        (refused("ResourceNotFoundException"), "deployed with this --stage"),
        (refused("Whatever"), "AWS refused GetItem: Whatever. the message"),
        (NoRegionError(), "AWS_REGION"),
        (ConnectTimeoutError(endpoint_url="https://x"), "could not be reached"),
        (ResponseParserError("<html>"), "NO_PROXY"),
        (PermanentError("It can’t be.", "Do that"), "Do that"),
        (TemporaryError("AWS is busy"), "in a minute"),
        (ConflictError("case-1"), "moved on"),
        (SlackError("invalid_auth"), "invalid_auth"),
        (FileNotFoundError(2, "No such file or directory", "no.env"), "no.env can’t be used: No"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "not what it should be"),
    ],
)
def test_expected_trouble_is_put_into_words(error: Exception, says: str) -> None:
    trouble = trouble_of(error)
    assert says in " ".join((trouble.reason, *trouble.advice))
    signed_out = any(word in str(trouble.advice) for word in ("aws sso login", "list-profiles"))
    assert (trouble.code is Exit.NOT_SIGNED_IN) == signed_out


def test_a_file_that_is_no_exported_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n\nNothing of a log.\n")
    for name in ("none.jsonl", "notes.md", "."):
        assert main(["audit", "verify", "--file", str(tmp_path / name)]) == Exit.FAILED
        said = capsys.readouterr().err
        assert "unlatch audit export wrote" in said
        assert "Errno" not in said


def test_a_settings_file_that_is_not_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["deploy", "--settings", str(tmp_path / "none.env")]) != 0
    said = capsys.readouterr().err
    assert "none.env can’t be used: No such file" in said
    assert "Traceback" not in said


def test_nothing_is_done_without_a_yes() -> None:
    for answer in (None, "", "no", "YES"):
        with pytest.raises(OperatorError) as caught:
            context(answer=answer).confirm("Go ahead?", option="--yes")
        assert caught.value.code is Exit.DECLINED
    context(answer=" yes ").confirm("Go ahead?", option="--yes")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in Console(Terminal(), io.StringIO()).painted("ok", GREEN)
    assert Console(io.StringIO(), io.StringIO()).painted("ok", GREEN) == "ok"
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in Console(Terminal(), io.StringIO()).painted("ok", GREEN), "empty is not set"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(Terminal(), io.StringIO()).painted("ok", GREEN) == "ok"


def test_progress_passes_on_a_terminal_and_leaves_no_trace_elsewhere() -> None:
    out, err = io.StringIO(), Terminal()
    screen = Console(out, err)
    screen.passing("1 of 2")
    screen.passing("2 of 2")
    screen.line("done")
    assert err.getvalue().endswith("2 of 2\r\x1b[2K")
    assert out.getvalue() == "done\n"
    quiet = io.StringIO()
    Console(io.StringIO(), quiet).passing("1 of 2")
    assert quiet.getvalue() == ""


def test_a_machine_gets_one_value_and_nothing_else() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Console(out, err).for_machines()
    screen.title("For people")
    screen.say("half-way")
    screen.table(["a"], [["b"]])
    screen.answer({"at": START, "of": {"b", "a"}})
    assert json.loads(out.getvalue()) == {"at": START.isoformat(), "of": ["a", "b"]}
    assert err.getvalue() == "half-way\n"


def test_it_builds_in_the_checkout_or_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = context()
    assert given.workshop == PROJECT / "build"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    installed: Any = SimpleNamespace(project=Path(main.__globals__["__file__"]).parent / "project")
    workshop: Any = CommandContext.workshop
    assert workshop.fget(installed) == tmp_path / "unlatch"


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


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    """As `unlatch completion bash | head -0` does."""
    words = [sys.executable, "-m", "ops", "completion", "bash"]
    with subprocess.Popen(
        words, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as one:
        assert one.stdout
        assert one.stderr
        one.stdout.close()
        said = one.stderr.read().decode()
    assert said == "", "click ends it, with 1 as other programs do"
