"""Step-up over HTTP: real signatures, the deployed function, and STS as the only judge of who signed."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from chalicelib.aws.store.cases import DynamoCases
from ops.hub import connect
from ops.signed import BODY
from ops.signed import deployed as deployed_at
from sandbox.stack import Sandbox
from tests.ops.office import CLUSTER, HUB, OPERATOR, REGION, Office, as_of, log_in

pytestmark = pytest.mark.slow  # it deploys the whole bot

SECURITY = f"arn:aws:sts::{HUB}:assumed-role/security/grace"
ROLE = f"arn:aws:iam::{HUB}:role/teams/security"


@pytest.fixture(scope="module", autouse=True)
def step_up(office: Office) -> None:
    """Before the hub is deployed."""
    office.env(UNLATCH_STEP_UP_ROLES=ROLE)


@pytest.fixture(scope="module")
def blocked(sandbox: Sandbox, deployed: Office) -> str:
    """A case in which two people have approved retire."""
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=CLUSTER)
    sandbox.settle()
    (case,) = deployed.run("cases", "--json").json
    for name in ("alice", "bob"):
        sandbox.slack.click(name, button="retire")
        sandbox.settle()
        override = {"override": True}
        fields = {"cluster_id": CLUSTER, "reason": "not needed", **override}
        sandbox.slack.submit(name, fields)
        sandbox.settle()
    return str(case["case_id"])


@pytest.fixture
def api(sandbox: Sandbox, deployed: Office) -> str:
    return f"{sandbox._gateway.url}/dev/"


def stands(deployed: Office) -> str:
    (case,) = deployed.run("cases", "--json").json
    return str(case["phase"])


def plan_of(deployed: Office, case_id: str) -> str:
    """The whole hash, as `ops approve` reads it."""
    table = boto3.resource("dynamodb", region_name=REGION).Table("unlatch-dev")
    return DynamoCases(table).load(case_id).clicks[-1].plan_hash


def post(url: str, told: dict[str, Any]) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{url}approvals", json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.loads(reply.read())["message"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["message"]


Change = Callable[[dict[str, Any]], None]


def sign(
    sandbox: Sandbox,
    case_id: str,
    plan_hash: str,
    *,
    arn: str = SECURITY,
    body: str = BODY,
    ago: timedelta = timedelta(0),
    **headers: str,
) -> dict[str, Any]:
    given = sandbox.aws.identity.register(HUB, arn)
    names = {"X-Unlatch-Hub": sandbox._gateway.url.partition("://")[2]}
    names |= {"X-Unlatch-Case": case_id, "X-Unlatch-Plan": plan_hash}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    names = {name: value for name, value in names.items() if value}
    request = AWSRequest("POST", f"{sandbox.aws_url}/", headers=names, data=body)
    keys = Credentials(given.access_key_id, given.secret_access_key, given.session_token)
    with time_machine.travel(sandbox.clock.now() - ago, tick=False):
        SigV4Auth(keys, "sts", REGION).add_auth(request)
    told = {"case_id": case_id, "plan_hash": plan_hash, "url": sandbox.aws_url, "body": body}
    return {**told, "headers": dict(request.headers.items())}


def test_two_approvals_alone_begin_nothing(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    sandbox.advance(timedelta(minutes=5))
    assert stands(deployed) == "waiting"
    (message,) = [m for m in sandbox.slack.messages if m.thread_ts is None]
    assert f"unlatch approve {blocked}" in json.dumps(message.blocks)
    assert "One person must still confirm it in AWS" in message.text


def test_a_signature_that_was_made_for_something_else(
    sandbox: Sandbox, deployed: Office, blocked: str, api: str
) -> None:
    plan_hash, other = plan_of(deployed, blocked), "0" * 64

    def forged(told: dict[str, Any]) -> None:
        authorization = told["headers"]["Authorization"]
        told["headers"]["Authorization"] = authorization[:-4] + "beef"

    def other_plan(told: dict[str, Any]) -> None:
        told["plan_hash"] = told["headers"]["X-Unlatch-Plan"] = plan_hash

    def unsigned_plan(told: dict[str, Any]) -> None:
        told["headers"]["X-Unlatch-Plan"] = plan_hash

    def elsewhere(told: dict[str, Any]) -> None:
        told["url"] = "https://sts.evil.example"

    def by_path(told: dict[str, Any]) -> None:
        told["url"] += "/evil"

    def another_body(told: dict[str, Any]) -> None:
        told["body"] = "Action=GetSessionToken&Version=2011-06-15"

    def one_more_header(told: dict[str, Any]) -> None:
        told["headers"]["Accept"] = "application/json"

    def twice(told: dict[str, Any]) -> None:
        told["headers"]["x-unlatch-plan"] = plan_hash

    def no_signature(told: dict[str, Any]) -> None:
        del told["headers"]["Authorization"]

    cases: list[tuple[str, Change, dict[str, Any], str]] = [
        ("forged", forged, {}, "does not accept the signature (SignatureDoesNotMatch)"),
        ("signed for another plan", other_plan, {"plan": other}, "SignatureDoesNotMatch"),
        ("asked for another plan", lambda told: told.update(plan_hash=other), {}, "Another case or plan"),
        ("asked for another case", lambda told: told.update(case_id="unlatch-x"), {}, "Another case or plan"),
        ("the plan is not covered", unsigned_plan, {"X_Unlatch_Plan": ""}, "must cover"),
        ("another host", elsewhere, {}, "must be signed for"),
        ("another path", by_path, {}, "must be signed for"),
        ("another body", another_body, {}, "must be exactly"),
        ("a header that nobody signed", one_more_header, {}, "every header sent"),
        ("a header that is none of ours", lambda _: None, {"Accept": "application/json"}, "must cover"),
        ("a header twice", twice, {}, "is there twice"),
        ("no signature", no_signature, {}, "must cover"),
        ("signed for another deployment", lambda _: None, {"X_Unlatch_Hub": "evil.example"}, "It was signed for evil"),
        ("six minutes old", lambda _: None, {"ago": timedelta(minutes=6)}, "last five minutes"),
        ("six minutes early", lambda _: None, {"ago": -timedelta(minutes=6)}, "last five minutes"),
    ]  # fmt: skip
    for why, change, values, words in cases:
        known = dict(values)
        told = sign(sandbox, blocked, known.pop("plan", plan_hash), **known)
        change(told)
        status, said = post(api, told)
        assert (status, words in said) == (401, True), f"{why}: {status} {said}"
    sandbox.settle()
    assert stands(deployed) == "waiting"


def test_others_may_not(sandbox: Sandbox, deployed: Office, blocked: str, api: str) -> None:
    plan_hash = plan_of(deployed, blocked)
    for arn in (
        OPERATOR,
        SECURITY.replace("/security/", "/security2/"),
        SECURITY.replace(HUB, "999988887777"),
        f"arn:aws:iam::{HUB}:user/security",
        f"arn:aws:iam::{HUB}:root",
    ):
        status, said = post(api, sign(sandbox, blocked, plan_hash, arn=arn))
        assert (status, "not in STEP_UP_ROLES" in said) == (403, True), said
    assert post(api, {"headers": {}})[0] == 400
    assert stands(deployed) == "waiting"


def test_ops_approve_says_what_it_signs_and_what_came_of_it(
    sandbox: Sandbox, deployed: Office, blocked: str, api: str
) -> None:
    with as_of(sandbox):
        said = deployed.run("approve", blocked, "--url", api)
        assert said.code == 3
        assert "not in STEP_UP_ROLES" in said.err
        assert deployed.run("approve", blocked, "--url", "http://example.com").code == 3
        assert deployed.run("approve", blocked, "--plan", "ffff", "--url", api).code == 3
    log_in(deployed, sandbox, arn=SECURITY)
    with as_of(sandbox):
        said = deployed.run("approve", blocked, "--url", api)
    log_in(deployed, sandbox)
    assert said.code == 0, said.err
    assert plan_of(deployed, blocked) in said.out
    assert f"{SECURITY} confirmed the plan to retire {CLUSTER}." in said.out
    sandbox.settle()
    assert stands(deployed) == "running"


def test_from_another_account_nothing_is_read_from_the_hub(
    sandbox: Sandbox, deployed: Office, blocked: str, api: str
) -> None:
    """The whole hash, as Slack shows it, and the URL are enough; the answer is Unlatch's."""
    stranger = SECURITY.replace(HUB, "999988887777")
    plan_hash = plan_of(deployed, blocked)
    log_in(deployed, sandbox, arn=stranger)
    with as_of(sandbox):
        said = deployed.run("approve", blocked, "--plan", plan_hash, "--url", api)
    log_in(deployed, sandbox)
    assert said.code == 3
    assert f"{stranger} may not confirm" in said.err


def test_replayed_it_is_refused_with_a_sentence(
    sandbox: Sandbox, deployed: Office, blocked: str, api: str
) -> None:
    with as_of(sandbox):
        told = sign(sandbox, blocked, plan_of(deployed, blocked))
    post(api, told)
    sandbox.settle()
    status, said = post(api, told)
    assert status == 409
    assert said.endswith(".")
    assert stands(deployed) == "running"


@pytest.mark.usefixtures("blocked")
def test_the_url_is_the_one_that_was_deployed(sandbox: Sandbox, deployed: Office) -> None:
    """As AWS says; who may not look at functions takes what was noted down."""
    options = SimpleNamespace(stage="dev", region=None, profile=None)
    hub = connect(options, deployed.clock)
    told = deployed_at(hub)
    assert told.startswith("https://")
    sandbox.aws.deny = lambda _, service, *__: "not authorized" if service == "lambda" else None
    assert deployed_at(hub) == told
    sandbox.aws.deny = None
