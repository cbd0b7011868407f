"""Every verb against everything that AWS, the SDK and the machine are known to answer: words, an exit code, no traceback."""

from __future__ import annotations

import io
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import URLError

import boto3
import botocore.client
import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from moto import mock_aws

from ops import deploy, package
from ops.__main__ import VERBS, main
from ops.command_context import CommandContext
from ops.console import Console
from ops.exits import Exit
from tests.flows.stand import NOW, REGION, table

CLUSTER, CASE = "cluster-2a3b4c5d6e7", "case-abcdefghij"
COMMANDS = {
    "deploy": "deploy --settings infra/example.env --yes",
    "package": "package --settings infra/example.env --out {folder}",
    "doctor": "doctor",
    "destroy": "destroy --yes-destroy dev --also-data",
    "rehearse": "rehearse --subnets subnet-1,subnet-2",
    "scan": f"scan --own --in {REGION}",
    "cases": "cases",
    "diagnose": f"diagnose {CLUSTER}",
    "approve": f"approve {CASE}",
    "trust": f"trust {CASE} --reason because --yes {CASE}",
    "cancel": f"cancel {CASE} --reason because",
    "freeze": "freeze --reason because",
    "thaw": "thaw",
    "audit": f"audit verify {CASE}",
    "forget": f"forget {CASE} --yes",
    "replay": "replay",
}
SLACK = re.compile(
    r"<[@#!]|\*\w[^*\n]*\*|\bpress\b|\bclick\b|(?<!\w):[a-z_]{3,}:(?!\w)", re.IGNORECASE
)
"""Mark-up and buttons, which a terminal has none of."""
MOST_CALLS = 6
MADE_BY = "_make_api_call"
REALLY: Any = getattr(botocore.client.BaseClient, MADE_BY)


def refused(code: str, status: int = 400, call: str = "Whatever") -> ClientError:
    about: Any = {
        "Error": {"Code": code, "Message": "the message"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(about, call)


def of_sdk() -> Iterator[BotoCoreError]:
    """One of each kind that botocore knows."""
    kinds = [BotoCoreError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for kind in kinds:
        if kind.__module__.startswith("botocore"):
            names = [name for _, name, _, _ in string.Formatter().parse(kind.fmt) if name]
            more: dict[str, Any] = {"last_response": {}} if kind is exceptions.WaiterError else {}
            yield kind(**dict.fromkeys(names, "x"), **more)


ERRORS: dict[str, Exception] = {
    "no credentials": exceptions.NoCredentialsError(),
    "SSO session over": exceptions.UnauthorizedSSOTokenError(),
    "SSO token lost": exceptions.SSOTokenLoadError(error_msg="gone"),
    "SSO refused": refused("UnauthorizedException", call="GetRoleCredentials"),
    "sign-in over": exceptions.LoginRefreshRequired(),
    "expired": refused("ExpiredTokenException"),
    "clock": refused("RequestTimeTooSkewed"),
    "old signature": refused("RequestExpired"),
    "unknown key": refused("InvalidClientTokenId"),
    "no right": refused("AccessDeniedException", 403),
    "throttled": refused("ThrottlingException"),
    "broken": refused("InternalFailure", 500),
    "odd": refused("SomethingNobodyKnows"),
    "unreachable": exceptions.EndpointConnectionError(endpoint_url="https://x"),
    "proxy": exceptions.ProxyConnectionError(proxy_url="http://x"),
    "slow": exceptions.ReadTimeoutError(endpoint_url="https://x"),
    "file": PermissionError(13, "Permission denied", "/root/.aws/config"),
    "full disk": OSError(28, "No space left on device"),
    "port": OSError(98, "Address already in use"),
    "reset": ConnectionResetError(104, "Connection reset by peer"),
    "no name": URLError(OSError(-2, "Name or service not known")),
    "broke off": IncompleteRead(b"", 10),
}


SIGN_IN = {
    *("no credentials", "SSO session over", "SSO token lost", "SSO refused", "sign-in over"),
    *("expired", "unknown key"),
}


@dataclass
class Meeting:
    """AWS as moto plays it for `left` calls; then everything fails."""

    error: Exception = field(default_factory=Exception)
    left: int = 0

    def call(self, client: Any, operation: str, given: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise self.error
        try:
            return REALLY(client, operation, given)
        except NotImplementedError:  # moto’s
            raise self.error from None

    def patched(self) -> Any:
        def method(client: Any, operation: str, given: Any) -> Any:
            return self.call(client, operation, given)

        return method

    def fail(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.fixture(scope="module")
def somewhere() -> Iterator[None]:
    """A stage’s table and parameter, and nothing else of it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_REGION", REGION)
        table("unlatch-dev")
        ssm = boto3.client("ssm", region_name=REGION)
        ssm.put_parameter(Name="/unlatch/dev/brake", Value="off", Type="String")
        yield


def said(command: str) -> tuple[int, str, str]:
    """Exit code, standard output and the errors. Anything that is no trouble is raised."""

    def nobody(_: str) -> str:
        raise EOFError

    out, err = io.StringIO(), io.StringIO()
    code = main(
        command.split(), CommandContext(Console(out, err), lambda: NOW, lambda _: None, ask=nobody)
    )
    return code, out.getvalue(), err.getvalue()


def test_no_verb_is_left_out() -> None:
    names = {name for verbs in VERBS.values() for name in verbs}
    assert set(COMMANDS) == names - {"completion", "reality"}, "which meet nothing of AWS"


@pytest.mark.slow
@pytest.mark.parametrize("verb", COMMANDS)
def test_a_verb_meets_it(
    somewhere: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    """Each kind of trouble, at the first call or at a later one; every other time for a machine."""
    meeting = Meeting()
    monkeypatch.setattr(botocore.client.BaseClient, MADE_BY, meeting.patched())
    for module in (deploy, package):
        monkeypatch.setattr(module, "build", meeting.fail)
    for number, (kind, error) in enumerate(ERRORS.items()):
        calls = (number + list(COMMANDS).index(verb)) % MOST_CALLS
        meeting.error, meeting.left = error, calls
        as_json = " --json" if number % 2 else ""
        code, out, err = said(COMMANDS[verb].format(folder=tmp_path) + as_json)
        about = f"{kind} after {calls} calls: {out}{err}"
        assert code in set(Exit), about
        assert not SLACK.search(out + err), about
        if as_json:
            json.loads(out)
        if calls == 0:
            assert code == (Exit.NOT_SIGNED_IN if kind in SIGN_IN else Exit.FAILED), about
            assert err.strip(), about


@pytest.mark.slow
def test_each_error_of_the_sdk_is_put_into_words(
    somewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in of_sdk():

        def meets(*_: Any, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(botocore.client.BaseClient, MADE_BY, meets)
        code, _, err = said("cases")
        assert code in (Exit.FAILED, Exit.NOT_SIGNED_IN), type(error).__name__
        assert err.strip()
        is_of_sign_in = re.search(r"SSO|Token|Login|Credential", type(error).__name__)
        if is_of_sign_in:
            assert code == Exit.NOT_SIGNED_IN, type(error).__name__


@pytest.mark.slow
def test_a_verb_on_a_stage_that_is_not_there_says_so_in_one_sentence(
    somewhere: None,
) -> None:
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName="unlatch-dev")
    boto3.client("ssm", region_name=REGION).delete_parameter(Name="/unlatch/dev/brake")
    for verb in COMMANDS.keys() - {"deploy", "package", "scan", "diagnose"}:
        code, out, err = said(COMMANDS[verb])
        assert code == Exit.NOT_DEPLOYED, verb
        assert err.startswith("Unlatch is not deployed as stage dev"), verb
        assert len((out + err).splitlines()) <= 5, out + err
        with pytest.raises(ClientError):
            boto3.client("ssm", region_name=REGION).get_parameter(Name="/unlatch/dev/brake")
