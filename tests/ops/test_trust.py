"""An operator vouches for a stored case that its run does not remember, with the deployed bot beside it."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.exits import Exit
from sandbox.stack import Sandbox
from tests.ops.office import CLUSTER, HUB, OPERATOR, REGION, Office

pytestmark = pytest.mark.slow  # it deploys the whole bot
WHY = ("--reason", "restored from a backup")


@pytest.fixture(scope="module")
def blocked(sandbox: Sandbox, deployed: Office) -> str:
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=CLUSTER)
    sandbox.settle()
    (case,) = deployed.run("cases", "--json").json
    return str(case["case_id"])


def body(case_id: str) -> tuple[Any, dict[str, Any]]:
    table = boto3.resource("dynamodb", region_name=REGION).Table("unlatch-dev")
    return table, table.get_item(Key={"pk": f"CASE#{case_id}", "sk": "BODY"})["Item"]


def test_what_the_run_remembers_needs_nobody(deployed: Office, blocked: str) -> None:
    said = deployed.run("trust", blocked, *WHY, "--yes", blocked)
    assert said.code == Exit.DONE, said.err
    assert "there is nothing to trust" in said.out
    assert deployed.run("trust", blocked, "--reason", "-").code == Exit.FAILED
    assert deployed.run("trust", "case-unknown", *WHY).code == Exit.FAILED


def test_another_body_is_shown_and_needs_the_case_typed(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    table, item = body(blocked)
    table.put_item(Item={**item, "attempt": item["attempt"] + 1})
    said = deployed.run("trust", blocked, *WHY)
    assert said.code == Exit.DECLINED
    assert CLUSTER in said.out
    assert "Run 0 remembers" in said.out
    said = deployed.run("trust", blocked, *WHY, "--yes", blocked)
    assert said.code == Exit.DONE, said.err
    assert "The case goes on" in said.out
    sandbox.advance(timedelta(minutes=1))
    export = deployed.run("audit", "export", blocked).out
    assert '"trusted"' in export
    assert OPERATOR in export
    assert deployed.run("audit", "verify", blocked).code == Exit.DONE
    again = deployed.run("trust", blocked, *WHY)
    assert "there is nothing to trust" in again.out
