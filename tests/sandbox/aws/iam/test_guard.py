"""The real policies and templates, asked on the wire: what each role may, and above all what it may not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from sandbox.aws.callers import client
from sandbox.aws.iam.guard import Guard, Right
from sandbox.aws.iam.policy import Ask, policy_of
from sandbox.aws.iam.template import rendered
from tests.sandbox.aws.aws_stand import CLUSTER, HUB, SPOKE, STORE, Stand, refused

PROJECT = Path(__file__).parents[4]
INFRA = PROJECT / "infra"
REGION = "us-east-1"
PERSON = "arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com"
TAGS = [
    {"Key": "case", "Value": "c1"},
    {"Key": "plan_hash", "Value": "abc"},
    {"Key": "approvers", "Value": "alice bob"},
]
NAMED: dict[str, Any] = {"SourceIdentity": "alice", "Tags": TAGS}
EVENTS = f"arn:aws:events:{REGION}:{SPOKE}:rule/unlatch-dev-failed-deletes"
BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/default"

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")


def is_bot(role: str) -> bool:
    return ":role/unlatch-" in role


@pytest.fixture
def hub(stand: Stand) -> Stand:
    """The stand with the world, the hub's functions' roles and the roles of its account."""
    stand.seed()
    stand.server.guard = Guard(stand.server.regions, is_bot)
    _make_account_roles(stand, HUB)
    _make_functions_roles()
    return stand


@pytest.fixture
def both(hub: Stand) -> Stand:
    """The same, with another account that is served."""
    _make_account_roles(hub, SPOKE)
    return hub


def _operator(stand: Stand, service: str, account: str) -> Any:
    operator = f"arn:aws:sts::{account}:assumed-role/deployer/operator"
    made = stand.server.identity.register(account, operator, deployment=True)
    return client(stand.server.url, service, made, region=REGION)


def _make_account_roles(stand: Stand, account: str) -> None:
    parameters = {
        "Stage": "dev",
        "HubAccountId": HUB,
        "MinWindowDays": "10",
        "HubBusArn": BUS if account != HUB else "",
    }
    _operator(stand, "cloudformation", account).create_stack(
        StackName="account",
        TemplateBody=(INFRA / "account.yaml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def _make_functions_roles() -> None:
    """In moto itself: twelve requests for each test would take longer than what is tested."""
    iam = iam_backends[HUB]["aws"]
    for file in (PROJECT / ".chalice/policies").iterdir():
        name = f"unlatch-dev-{file.stem}"
        iam.create_role(name, '{"Statement": []}', "/", None, "", [], "3600")
        iam.put_role_policy(name, name, file.read_text())


def function(hub: Stand, name: str, service: str) -> Any:
    return hub.client(service, f"arn:aws:sts::{{account}}:assumed-role/unlatch-dev-{name}/1")


def role(name: str, account: str = HUB) -> str:
    return f"arn:aws:iam::{account}:role/unlatch-{name}"


def assume(hub: Stand, name: str, *, by: str = "turn", account: str = HUB, **more: Any) -> Any:
    asked = {"RoleArn": role(name, account), "RoleSessionName": "c1", **more}
    return function(hub, by, "sts").assume_role(**asked)["Credentials"]


def acting(
    hub: Stand, name: str, service: str, *, account: str = HUB, region: str = REGION, **more: Any
) -> Any:
    """A client with a session of this role, as turn would make it."""
    issued = assume(hub, name, account=account, **(more or NAMED))
    found = hub.server.identity.find(issued["AccessKeyId"])
    credentials = hub.server.identity.register(
        account,
        found.arn,
        role_arn=found.role_arn,
        source_identity=found.source_identity,
        tags=found.tags,
        policy=found.policy,
    )
    return client(hub.server.url, service, credentials, region=region)


def reason(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"].startswith("AccessDenied")
    return error["Message"]


# ---- taking roles ------------------------------------------------------------------------------


def test_turn_takes_all_three_roles_in_both_accounts(both: Stand) -> None:
    for account in (HUB, SPOKE):
        assume(both, "reader", account=account)
        assume(both, "executor", account=account, **NAMED)
        assume(both, "restorer", account=account, **NAMED)


@pytest.mark.parametrize(
    ("by", "name"),
    [
        ("sweep", "executor"),
        ("sweep", "restorer"),
        ("sleep", "reader"),
        ("on_delete_blocked", "reader"),
        ("api_handler", "reader"),
        ("api_handler", "executor"),
    ],
)
def test_no_function_takes_a_role_that_is_not_listed_for_it(hub: Stand, by: str, name: str) -> None:
    said = reason(lambda: assume(hub, name, by=by, **NAMED))
    assert said == (
        f"User: arn:aws:sts::{HUB}:assumed-role/unlatch-dev-{by}/1 is not authorized to perform: "
        f"sts:AssumeRole on resource: {role(name)} because no resource-based policy allows the "
        "sts:AssumeRole action"
    )


def test_nor_turn_a_role_that_is_not_ours(hub: Stand) -> None:
    operator = hub.client("iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
    operator.create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps(trust))
    sts = function(hub, "turn", "sts")
    said = reason(sts.assume_role, RoleArn=f"arn:aws:iam::{HUB}:role/admin", RoleSessionName="c1")
    assert "no identity-based policy allows the sts:AssumeRole" in said


@pytest.mark.parametrize("name", ["executor", "restorer"])
@pytest.mark.parametrize(
    "lacking",
    [
        {"Tags": TAGS},
        {"SourceIdentity": "alice"},
        {"SourceIdentity": "alice", "Tags": TAGS[1:]},
        {"SourceIdentity": "alice", "Tags": TAGS[:1]},
        {},
    ],
)
def test_nobody_acts_without_source_identity_and_all_tags(
    hub: Stand, name: str, lacking: dict[str, Any]
) -> None:
    assert "no resource-based policy" in reason(lambda: assume(hub, name, **lacking))


def test_nobody_else_takes_a_role_of_ours(hub: Stand) -> None:
    sts = hub.client("sts", PERSON)
    for name in ("reader", "executor", "restorer"):
        asked = {"RoleArn": role(name), "RoleSessionName": "ann", **NAMED}
        assert "no resource-based policy allows" in reason(sts.assume_role, **asked)


def test_another_stage_of_the_hub_takes_no_role(hub: Stand) -> None:
    hub.client("iam").create_role(
        RoleName="unlatch-prod-turn", AssumeRolePolicyDocument='{"Statement": []}'
    )
    hub.client("iam").put_role_policy(
        RoleName="unlatch-prod-turn",
        PolicyName="turn",
        PolicyDocument=(PROJECT / ".chalice/policies/turn.json").read_text(),
    )
    sts = hub.client("sts", "arn:aws:sts::{account}:assumed-role/unlatch-prod-turn/1")
    assert reason(sts.assume_role, RoleArn=role("reader"), RoleSessionName="c1")


# ---- acting ------------------------------------------------------------------------------------


def test_a_key_of_a_world_may_refuse_operations_to_our_roles_alone(hub: Stand) -> None:
    policy = {"denies": ["ScheduleKeyDeletion", "DescribeKey"]}
    hub.seed(keys=[{"store": STORE, "policy": policy}])
    kms = acting(hub, "executor", "kms")
    said = reason(kms.schedule_key_deletion, KeyId=hub.key(0), PendingWindowInDays=10)
    assert said.endswith("with an explicit deny in a resource-based policy")
    reader = acting(hub, "reader", "kms", DurationSeconds=900)
    assert reason(reader.describe_key, KeyId=hub.key(0))
    reader.get_key_last_usage(KeyId=hub.key(0))
    hub.client("kms", PERSON).schedule_key_deletion(KeyId=hub.key(0), PendingWindowInDays=10)


def test_the_executor_schedules_with_a_window_that_is_long_enough(hub: Stand) -> None:
    kms = acting(hub, "executor", "kms")
    kms.schedule_key_deletion(KeyId=hub.key(0), PendingWindowInDays=10)


@pytest.mark.parametrize("window", [{"PendingWindowInDays": 7}, {}])
def test_not_with_a_shorter_window_or_none(hub: Stand, window: dict[str, Any]) -> None:
    kms = acting(hub, "executor", "kms")
    said = reason(kms.schedule_key_deletion, KeyId=hub.key(0), **window)
    assert "no identity-based policy allows the kms:ScheduleKeyDeletion" in said
    assert kms_state(hub, 0) == "Enabled"


def kms_state(hub: Stand, index: int) -> Any:
    return hub.client("kms").describe_key(KeyId=hub.key(index))["KeyMetadata"]["KeyState"]


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("schedule_key_deletion", {"PendingWindowInDays": 30}),
        ("disable_key", {}),
        ("enable_key", {}),
        ("cancel_key_deletion", {}),
        ("generate_data_key_without_plaintext", {"KeySpec": "AES_256"}),
    ],
)
def test_keys_of_another_origin_are_out_of_reach(
    hub: Stand, call: str, more: dict[str, Any]
) -> None:
    key = hub.client("kms").create_key()["KeyMetadata"]["KeyId"]
    kms = acting(hub, "executor", "kms")
    assert reason(getattr(kms, call), KeyId=key, **more)


def test_the_executor_acts_in_its_regions_only(hub: Stand) -> None:
    kms = acting(hub, "executor", "kms", region="eu-west-1")
    assert reason(kms.disconnect_custom_key_store, CustomKeyStoreId=STORE)


def test_a_session_is_narrowed_to_its_one_call(hub: Stand) -> None:
    only = {"Statement": [{"Effect": "Allow", "Action": "kms:DisableKey", "Resource": "*"}]}
    kms = acting(hub, "executor", "kms", **NAMED, Policy=json.dumps(only))
    kms.disable_key(KeyId=hub.key(0))
    said = reason(kms.schedule_key_deletion, KeyId=hub.key(0), PendingWindowInDays=30)
    assert "because no session policy allows" in said


@pytest.mark.parametrize("name", ["reader", "restorer"])
def test_nobody_else_touches_keys_stores_and_hsms(hub: Stand, name: str) -> None:
    kms = acting(hub, name, "kms", **({} if name == "reader" else NAMED), DurationSeconds=900)
    hsms = acting(
        hub, name, "cloudhsmv2", **({} if name == "reader" else NAMED), DurationSeconds=900
    )
    assert reason(kms.disable_key, KeyId=hub.key(0))
    assert reason(kms.schedule_key_deletion, KeyId=hub.key(0), PendingWindowInDays=30)
    assert reason(kms.disconnect_custom_key_store, CustomKeyStoreId=STORE)
    assert reason(hsms.delete_hsm, ClusterId=CLUSTER)
    assert reason(hsms.delete_cluster, ClusterId=CLUSTER)


def test_the_restorer_makes_hsms_and_the_executor_none(hub: Stand) -> None:
    zone = {"ClusterId": CLUSTER, "AvailabilityZone": f"{REGION}c"}
    assert reason(acting(hub, "executor", "cloudhsmv2").create_hsm, **zone)
    acting(hub, "restorer", "cloudhsmv2").create_hsm(**zone)


@pytest.mark.parametrize("name", ["turn", "sweep", "api_handler", "sleep", "on_key_used"])
def test_no_function_touches_a_key_by_itself(hub: Stand, name: str) -> None:
    kms = function(hub, name, "kms")
    assert reason(kms.schedule_key_deletion, KeyId=hub.key(0), PendingWindowInDays=30)
    assert reason(kms.describe_key, KeyId=hub.key(0))


def test_sealing_needs_the_alias_of_the_seal_key(hub: Stand) -> None:
    kms = hub.client("kms")
    spec = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    ours, other = (kms.create_key(**spec)["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.create_alias(AliasName="alias/unlatch-dev-inbox", TargetKeyId=ours)
    mac = {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    api = function(hub, "api_handler", "kms")
    api.generate_mac(KeyId="alias/unlatch-dev-inbox", **mac)
    assert reason(api.generate_mac, KeyId=other, **mac)
    assert reason(function(hub, "turn", "kms").generate_mac, KeyId=ours, **mac)


def test_with_require_tag_only_tagged_clusters_go(hub: Stand) -> None:
    parameters = {"Stage": "dev", "HubAccountId": HUB, "RequireTag": "yes"}
    role = rendered(INFRA / "account.yaml", parameters, account=HUB)["Executor"]
    policy = policy_of(role["Properties"]["Policies"][0]["PolicyDocument"])
    cluster = f"arn:aws:cloudhsm:{REGION}:{HUB}:cluster/{CLUSTER}"
    here = {"aws:requestedregion": REGION}
    for tag, allowed in (("allow", True), ("no", False)):
        ask = Ask("cloudhsm:DeleteCluster", cluster, here | {"aws:resourcetag/unlatch": tag})
        assert any(one.allows and one.speaks_of(ask) for one in policy) is allowed


# ---- guardrails --------------------------------------------------------------------------------


@pytest.fixture
def guarded(hub: Stand) -> Stand:
    parameters = {"TargetIds": "r-1", "ReserveDeleteCluster": "yes"}
    guardrail = rendered(INFRA / "guardrails.yaml", parameters, account=HUB)["Guardrail"]
    assert hub.server.guard is not None
    hub.server.guard.guardrails = policy_of(guardrail["Properties"]["Content"])
    return hub


def test_with_the_guardrails_nobody_goes_round_the_approvals(guarded: Stand) -> None:
    hsms, kms = guarded.client("cloudhsmv2", PERSON), guarded.client("kms", PERSON)
    said = reason(hsms.delete_cluster, ClusterId=CLUSTER)
    assert said.endswith("with an explicit deny in a service control policy")
    assert reason(hsms.delete_hsm, ClusterId=CLUSTER, HsmId="hsm-2a3b4c5d6e7")
    assert reason(kms.disconnect_custom_key_store, CustomKeyStoreId=STORE)
    assert reason(kms.schedule_key_deletion, KeyId=guarded.key(0), PendingWindowInDays=30)
    assert refused(
        guarded.client("iam", PERSON).update_assume_role_policy,
        RoleName="unlatch-executor",
        PolicyDocument="{}",
    )


def test_they_leave_everybody_the_rest(guarded: Stand) -> None:
    kms = guarded.client("kms", PERSON)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=other, PendingWindowInDays=7)


def test_they_leave_the_executor_its_work(guarded: Stand) -> None:
    acting(guarded, "executor", "kms").disconnect_custom_key_store(CustomKeyStoreId=STORE)


# ---- services ----------------------------------------------------------------------------------


def test_eventbridge_forwards_to_the_hub_and_nowhere_else(both: Stand) -> None:
    assert both.server.guard is not None
    may, forwarder = both.server.guard.service_denial, role("dev-forwarder", SPOKE)
    service = "events.amazonaws.com"
    puts = Ask("events:PutEvents", BUS, {})
    other = Ask("events:PutEvents", f"arn:aws:events:{REGION}:{SPOKE}:event-bus/default", {})
    assert may(service, forwarder, source=EVENTS, ask=puts) is None
    assert may(service, forwarder, source=EVENTS, ask=other)
    assert may(service, forwarder, source=EVENTS.replace(SPOKE, HUB), ask=puts)
    assert may("lambda.amazonaws.com", forwarder, source=EVENTS, ask=puts)
    assert may(service, role("nobody"), source=EVENTS, ask=puts)


# ---- in general --------------------------------------------------------------------------------


def test_used_rights_are_remembered_by_role_statement_and_action(hub: Stand) -> None:
    acting(hub, "executor", "kms").disable_key(KeyId=hub.key(0))
    assert hub.server.guard is not None
    used = hub.server.guard.used
    assert used[Right("unlatch-executor", "KeysOfKeyStores", "kms:DisableKey")] == 1
    assert used[Right("unlatch-dev-turn", "ActInTargetAccounts", "sts:SetSourceIdentity")] == 1


def test_a_role_that_cant_be_judged_is_denied(hub: Stand) -> None:
    strange: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    strange["Condition"] = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}
    hub.client("iam").put_role_policy(
        RoleName="unlatch-dev-sleep",
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [strange]}),
    )
    said = reason(function(hub, "sleep", "dynamodb").get_item, TableName="unlatch-dev", Key={})
    assert "can't be judged: unknown condition operator IpAddress" in said


def test_a_role_that_is_not_there_is_denied(hub: Stand) -> None:
    kms = hub.client("kms", "arn:aws:sts::{account}:assumed-role/unlatch-ghost/1")
    assert "has no role" in reason(kms.list_keys)
