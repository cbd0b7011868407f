"""`unlatch scan` on three accounts and two Regions: what it finds, what it costs, and that it changes nothing."""

from collections.abc import Iterator

import pytest

from ops.command_context import PROJECT
from sandbox.aws.seed import seed
from sandbox.slack.records import CHANNEL, TEAM
from sandbox.stack import Sandbox
from tests.ops.office import (
    HUB,
    OPERATORS,
    PEOPLE,
    REGION,
    START,
    Office,
    copy_of_project,
    log_in,
)

pytestmark = pytest.mark.slow  # it makes accounts with stacks
OTHERS = ("222233334444", "333344445555")
REGIONS = (REGION, "eu-west-1")
IDLE, USED, EMPTY, BROKEN = (f"cluster-{letter * 11}" for letter in "abcd")
WORLD = {
    "clusters": [
        {"id": IDLE, "hsms": 2},
        {"id": EMPTY, "hsms": 1, "account": OTHERS[0]},
        {"id": USED, "hsms": 2, "account": OTHERS[0], "region": "eu-west-1"},
        {"id": BROKEN, "hsms": 1, "account": OTHERS[1]},
    ],
    "key_stores": [
        {"id": "cks-aaaaaaaaaaaaaaaaa", "name": "old", "cluster": IDLE, "state": "CONNECTED"},
        {"id": "cks-bbbbbbbbbbbbbbbbb", "name": "busy", "cluster": USED, "state": "CONNECTED"},
        {"id": "cks-ddddddddddddddddd", "name": "ill", "cluster": BROKEN, "state": "FAILED"},
    ],
    "keys": [
        {"store": "cks-aaaaaaaaaaaaaaaaa", "last_used": "90d"},
        {"store": "cks-bbbbbbbbbbbbbbbbb", "last_used": "1h"},
        {"store": "cks-ddddddddddddddddd", "last_used": "1h"},
    ],
}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Office]]:
    everywhere = (HUB, *OTHERS)
    with (
        Sandbox(now=START, people=PEOPLE, accounts=everywhere, regions=REGIONS) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        project = copy_of_project(tmp_path_factory.mktemp("project"))
        office = Office(project, sandbox.clock.now, patch)
        log_in(office, sandbox)
        office.env(
            UNLATCH_SLACK_CHANNEL=CHANNEL,
            UNLATCH_SLACK_TEAM_IDS=TEAM,
            UNLATCH_APPROVERS="alice,bob",
            UNLATCH_SLACK_API_URL=sandbox.slack.url,
            UNLATCH_ACCOUNTS=",".join(OTHERS),
            UNLATCH_REGIONS="eu-west-1",
        )
        assert office.run("deploy", "--yes").code == 0
        for account in OTHERS:
            let_in(sandbox, account)
        seed(sandbox.aws, WORLD, accounts=everywhere, now=START)
        yield sandbox, office


def let_in(sandbox: Sandbox, account: str) -> None:
    """The roles of that account, which the operator may read by."""
    given = {"Stage": "dev", "HubAccountId": HUB, "OperatorArn": OPERATORS, "RolesRegion": REGION}
    sandbox.client("cloudformation", account=account, region=REGION).create_stack(
        StackName="unlatch-dev-account",
        TemplateBody=(PROJECT / "infra/account.yaml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def test_it_says_what_stands_idle_broken_and_empty(scanned: tuple[Sandbox, Office]) -> None:
    sandbox, office = scanned
    before = len(sandbox.aws.calls)
    said = office.run("scan")
    assert said.code == 1, "it found something"
    assert (
        f"{HUB} us-east-1  {IDLE}  nobody uses it: the last use of a key was Tue 02 Dec 2025"
        in said.out
    )
    assert f"{EMPTY}  1 HSM, and neither a key store nor another program uses them" in said.out
    assert "cks-ddddddddddddddddd  the key store has FAILED" in said.out
    assert f"  → /unlatch {IDLE} in Slack" in said.out
    assert USED in said.out.split("4 clusters in 6 places, $7,008 a month.")[0], (
        "it is in the table"
    )
    assert USED not in said.out.split("a month.")[1]
    verbs = ("describe", "list", "get", "assume", "lookup")
    made = {call.operation.lower() for call in sandbox.aws.calls[before:]}
    assert [operation for operation in made if not operation.startswith(verbs)] == []


def test_a_machine_reads_the_same(scanned: tuple[Sandbox, Office]) -> None:
    _, office = scanned
    told = office.run("scan", "--json").json
    assert told["dollars_a_month"] == 7008.0
    remarks = {(p["account"], r["concern"]) for p in told["places"] for r in p["remarks"]}
    assert remarks == {
        (HUB, "idle"),
        (OTHERS[0], "holds_nothing"),
        (OTHERS[1], "broken_store"),
    }


def test_only_where_it_is_asked_to(scanned: tuple[Sandbox, Office]) -> None:
    _, office = scanned
    own = office.run("scan", "--own", "--in", REGION, "--json").json
    assert [(p["account"], p["region"]) for p in own["places"]] == [(HUB, REGION)]
    patient = office.run("scan", "--own", "--in", REGION, "--idle-days", "100")
    assert (patient.code, "Nothing stands idle" in patient.out) == (0, True)


def test_a_place_that_cannot_be_read_leaves_the_others(scanned: tuple[Sandbox, Office]) -> None:
    _, office = scanned
    told = office.run(
        "scan", "--account", HUB, "--account", "999988887777", "--in", REGION, "--json"
    )
    concerns = {p["account"]: [r["concern"] for r in p["remarks"]] for p in told.json["places"]}
    assert concerns == {HUB: ["idle"], "999988887777": ["unread"]}
    said = office.run("scan", "--account", "999988887777", "--in", REGION).out
    assert "0 clusters in 1 place, $0 a month. 1 of them could not be read whole." in said


def test_without_the_stage_it_says_that_it_knows_no_other_account(
    scanned: tuple[Sandbox, Office],
) -> None:
    _, office = scanned
    said = office.run("scan", "--stage", "staging", "--in", REGION).out
    assert "Stage staging is not deployed here, so no other account or Region is known." in said
