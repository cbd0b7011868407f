"""The first day by docs/production.md alone: its commands, in its order, on a sandbox with three accounts."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.command_context import PROJECT
from sandbox.aws.seed import seed
from sandbox.slack.records import BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM
from sandbox.stack import Sandbox
from tests.ops.conftest import make_trail
from tests.ops.office import (
    HUB,
    OPERATORS,
    PEOPLE,
    REGION,
    START,
    Office,
    Said,
    copy_of_project,
    log_in,
)

pytestmark = pytest.mark.slow  # it deploys the whole bot
OTHERS = ("222233334444", "333344445555")
IDLE, ELSEWHERE = "cluster-aaaaaaaaaaa", "cluster-bbbbbbbbbbb"
WORLD = {
    "clusters": [{"id": IDLE, "hsms": 2}, {"id": ELSEWHERE, "hsms": 1, "account": OTHERS[1]}],
    "key_stores": [
        {"id": "cks-aaaaaaaaaaaaaaaaa", "name": "old", "cluster": IDLE, "state": "CONNECTED"}
    ],
    "keys": [{"store": "cks-aaaaaaaaaaaaaaaaa", "last_used": "90d"}],
}
VALUES = {"$SIGNING_SECRET": SIGNING_SECRET, "$BOT_TOKEN": BOT_TOKEN}


def commands(heading: str = "The first day") -> list[str]:
    """The shell lines of this part of the page."""
    text = (PROJECT / "docs/production.md").read_text()
    part = re.split(r"^## ", text.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    blocks = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@dataclass
class Day:
    sandbox: Sandbox
    office: Office
    done: int = 0

    def next(self, beginning: str) -> Said | None:
        """Does the page’s next command, which begins like this."""
        command = commands()[self.done]
        assert command.startswith(beginning), f"the page says {command}"
        self.done += 1
        words = shlex.split(command)
        if words[0] == "unlatch":
            return self.office.run(*words[1:], typing="yes")
        if words[0] == "cp":
            (self.office.project / words[2]).write_text(
                (self.office.project / words[1]).read_text()
            )
        else:
            aws(words)
        return None


def changes(out: str) -> list[str]:
    """The lines of a deployment that say what will change; of each stack the first five."""
    lines = out.split("What will change\n")[1].splitlines()
    shown = [line for line in lines if line.startswith("  setting")]
    stacks = [line for line in lines if line.startswith("  stack")]
    functions = [line for line in lines if line.startswith("  function")]
    return ["What will change", *shown, *stacks[:5], "  …", *functions]


def aws(words: list[str]) -> Any:
    """`aws secretsmanager put-secret-value --secret-id x` as boto3 does it."""
    service: Any = words[1]
    client, operation = boto3.client(service), words[2].replace("-", "_")
    pairs = zip(words[3::2], words[4::2], strict=True)
    given = {name.strip("-").title().replace("-", ""): VALUES.get(v, v) for name, v in pairs}
    return getattr(client, operation)(**given)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    everywhere = (HUB, *OTHERS)
    with (
        Sandbox(now=START, people=PEOPLE, accounts=everywhere) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        project = copy_of_project(tmp_path_factory.mktemp("project"))
        office = Office(project, sandbox.clock.now, patch)
        log_in(office, sandbox)
        office.env(UNLATCH_SLACK_API_URL=sandbox.slack.url)
        patch.chdir(project)
        boto3.setup_default_session(region_name=REGION)
        make_trail(sandbox)
        boto3.client("sns").create_topic(Name="alarms")
        seed(sandbox.aws, WORLD, accounts=everywhere, now=START)
        yield Day(sandbox, office)


def shown(name: str, out: str) -> None:
    """With WRITE_SCREENS, as `make pictures` sets it, the page gets this screen."""
    if "WRITE_SCREENS" not in os.environ:
        return
    page = PROJECT / "docs/production.md"
    begin, end = f"<!-- screen: {name}, written by `make pictures` -->\n", f"<!-- end of {name} -->"
    before, rest = page.read_text().split(begin)
    kept = [line.rstrip() for line in out.strip().splitlines() if "127.0.0.1" not in line]
    text = "\n".join(kept)
    page.write_text(f"{before}{begin}```text\n{text}\n```\n{end}{rest.split(end, 1)[1]}")


def test_1_the_settings(day: Day) -> None:
    day.next("cp infra/example.env")
    file = Path("prod.env")
    text = file.read_text()
    for name, value in (
        ("SLACK_CHANNEL", CHANNEL),
        ("SLACK_TEAM_IDS", TEAM),
        ("APPROVERS", "alice,bob,carl"),
        ("ACCOUNTS", ",".join(OTHERS)),
        ("DRY_RUN", "true"),
    ):
        text = re.sub(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    file.write_text(text)


def test_2_the_hub(day: Day) -> None:
    said = day.next("unlatch deploy")
    assert said is not None
    assert said.code == 0, said.err
    assert "slack/interactions" in said.out
    shown(
        "deploy", said.out.split("The functions run on")[0] + "…\n" + "\n".join(changes(said.out))
    )
    with_operator = ("--settings", "prod.env", "--parameter", f"OperatorArn={OPERATORS}")
    assert day.office.run("deploy", "--stage", "prod", "--yes", *with_operator).code == 0


def test_3_slack(day: Day) -> None:
    for _ in range(2):
        day.next("aws secretsmanager put-secret-value")
    gateway, slack = day.sandbox._gateway, day.sandbox.slack
    slack.interactions_url = gateway.url_of("/slack/interactions", stage="prod")
    slack.commands_url = gateway.url_of("/slack/commands", stage="prod")
    day.sandbox.delivery.start_schedules()


def test_4_the_other_accounts(day: Day) -> None:
    said = day.office.run("deploy", "--stage", "prod", "--yes", "--settings", "prod.env")
    assert "create-stack-set --stack-set-name unlatch-prod-account" in said.out
    for account in OTHERS:
        (line,) = (one for one in said.out.splitlines() if f"for {account} alone: " in one)
        words = shlex.split(line.split("alone: ")[1])
        given = dict(w.split("=", 1) for w in words[words.index("--parameter-overrides") + 1 :])
        day.sandbox.client("cloudformation", account=account, region=REGION).create_stack(
            StackName=words[words.index("--stack-name") + 1],
            TemplateBody=Path(words[words.index("--template-file") + 1]).read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )


def test_5_is_it_well(day: Day) -> None:
    said = day.next("unlatch doctor")
    assert said is not None
    assert said.code == 0, said.out
    for account in OTHERS:
        assert re.search(rf"^{account}  +.*ok +ok", said.out, re.MULTILINE), "rights in the table"
    shown("doctor", said.out)
    found = day.next("unlatch scan")
    assert found is not None
    shown("scan", found.out)
    assert f"{IDLE}  nobody uses it" in found.out
    assert f"{OTHERS[1]} {REGION}  {ELSEWHERE}  1 HSM, and neither" in found.out


def test_6_try_it(day: Day) -> None:
    hsms = day.sandbox.client("cloudhsmv2", account=OTHERS[1], region=REGION)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=ELSEWHERE)
    day.sandbox.settle()
    said = day.next("unlatch cases")
    assert said is not None
    assert f"{ELSEWHERE}  {OTHERS[1]} {REGION}" in said.out, "the event came from that account"
    for verb in ("unlatch freeze", "unlatch thaw"):
        stopped = day.next(verb)
        assert stopped is not None
        assert stopped.code == 0
    assert day.done == len(commands()), "nothing of the page is left out"


def test_7_from_a_pipeline(day: Day) -> None:
    (command,) = commands("From a pipeline")
    said = day.office.run(*shlex.split(command)[1:])
    assert said.code == 0, said.err
    assert {each.name for each in Path("out").iterdir()} >= {"template.json", "deployment.zip"}


def test_8_later(day: Day) -> None:
    """A person’s data goes with the case, the log of which was kept; then all of it goes."""
    day.sandbox.slack.click("alice", button="reject")
    day.sandbox.settle()
    (case,) = day.office.run("cases", "--stage", "prod", "--all", "--json").json
    told = []
    for command in commands("Later"):
        line, _, file = command.replace("CASE", case["case_id"]).partition(" > ")
        words = shlex.split(line)
        said = day.office.run(*words[1:], typing="prod" if words[1] == "destroy" else "yes")
        assert said.code == 0, f"{command}: {said.out}{said.err}"
        told.append(said.out)
        if file:
            Path(file).write_text(said.out)
    export, forgotten, old, destroyed = told
    assert "1 record gone" in forgotten
    assert "There is nothing to remove." in old
    assert "What remains" in destroyed
    head = re.search(r"last hash ([0-9a-f]{12})", forgotten)
    assert head
    assert head[1] in export
    verified = day.office.run("audit", "verify", "--file", "case.jsonl", "--head", head[1])
    assert verified.code == 0, verified.out
