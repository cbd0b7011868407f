"""What a request asks of IAM: its actions, each with resource and condition keys. Judges nothing.

Source: the Service Authorization Reference. An operation that is not listed here asks for the
action of its name on everything, which no statement on a resource allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.kms.models import Key
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.iam.conditions import Values
from sandbox.aws.iam.network import network_asks
from sandbox.aws.iam.policy import Ask
from sandbox.aws.identity import Identity
from sandbox.aws.kms_backend import find_key
from sandbox.aws.regions import Region, Regions
from sandbox.aws.sts import tags_of

Facts = dict[str, str | Values]
# IAM has no action for transactions: each part counts as the single call.
PARTS = {
    "ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem", "Get": "GetItem",
    "Put": "PutItem", "Update": "UpdateItem",
}  # fmt: skip
RESOURCE_PARAMS = {
    "StartExecution": "stateMachineArn", "ListExecutions": "stateMachineArn",
    "DescribeExecution": "executionArn", "GetExecutionHistory": "executionArn",
}  # fmt: skip
NAMES_RESOURCE = ("SourceBackupId", "BackupId", "ClusterId", "ResourceId")
# KMS looks at the cluster with the rights of whoever connects a key store or moves it.
LOOKS_AT_CLUSTER = frozenset({"ConnectCustomKeyStore", "UpdateCustomKeyStore"})


def asks_of(visit: RequestContext, regions: Regions) -> Iterator[Ask]:
    """All that must be allowed. Hold the regions' lock."""
    region = regions.at(visit.account, visit.region)
    facts = facts_of_caller(visit.identity) | {"aws:requestedregion": visit.region}
    match visit.request.service:
        case "sts":
            yield from _of_sts(visit, facts)
        case "dynamodb":
            yield from _of_dynamodb(visit, region, facts)
        case "kms":
            yield from _of_kms(visit, region, facts)
        case "cloudhsm":
            yield from _of_cloudhsm(visit, region, facts)
        case "secretsmanager":
            yield from _of_secrets(visit, facts)
        case "ssm":
            name = visit.params.get("Name", "").lstrip("/")
            yield Ask(visit.request.name, region.arn("ssm", f"parameter/{name}"), facts)
        case "iam":
            yield Ask(visit.request.name, visit.params.get("PolicySourceArn", "*"), facts)
        case _:
            named = RESOURCE_PARAMS.get(visit.request.operation, "")
            yield Ask(visit.request.name, visit.params.get(named, "*"), facts)


def facts_of_caller(identity: Identity) -> Facts:
    """The condition keys that say who calls."""
    facts: Facts = {"aws:principalarn": identity.role, "aws:principalaccount": identity.account}
    facts |= {f"aws:principaltag/{key.lower()}": value for key, value in identity.tags.items()}
    if identity.source_identity:
        facts["aws:sourceidentity"] = identity.source_identity
    return facts


def _of_sts(visit: RequestContext, facts: Facts) -> Iterator[Ask]:
    if visit.request.operation == "GetCallerIdentity":
        return  # nobody needs a right for it, and nobody can be denied it
    params, role = visit.params, visit.params.get("RoleArn", "*")
    tags = tags_of(params)
    facts["sts:rolesessionname"] = params.get("RoleSessionName", "")
    facts |= {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    if "SourceIdentity" in params:
        facts["sts:sourceidentity"] = params["SourceIdentity"]
    yield Ask(visit.request.name, role, facts)
    if tags:
        yield Ask("sts:TagSession", role, facts)
    if "SourceIdentity" in params:
        yield Ask("sts:SetSourceIdentity", role, facts)


def _of_dynamodb(visit: RequestContext, region: Region, facts: Facts) -> Iterator[Ask]:
    params = visit.params or json.loads(visit.request.body)
    if not visit.request.operation.startswith("Transact"):
        yield Ask(visit.request.name, _table(region, params), facts)
        return
    for item in params["TransactItems"]:
        for part, request in item.items():
            yield Ask(f"dynamodb:{PARTS[part]}", _table(region, request), facts)


def _table(region: Region, request: Mapping[str, Any]) -> str:
    index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
    return region.arn("dynamodb", f"table/{request.get('TableName', '')}{index}")


def _of_kms(visit: RequestContext, region: Region, facts: Facts) -> Iterator[Ask]:
    facts["kms:calleraccount"] = visit.account
    if "KeyId" in visit.params and visit.request.operation != "ListAliases":
        try:
            key = find_key(region, visit.params["KeyId"], aliases=True)
        except AwsError:
            return  # KMS says that there is no such key
        yield Ask(visit.request.name, key.arn, facts | facts_of_key(key, visit.params))
        return
    yield Ask(visit.request.name, "*", facts)
    if visit.request.operation in LOOKS_AT_CLUSTER:
        yield Ask("cloudhsm:DescribeClusters", "*", facts)


def facts_of_key(key: Key, params: Mapping[str, Any]) -> Facts:
    """What KMS tells IAM of a key, and of the window that a deletion names; unnamed it is not told."""
    facts: Facts = {"kms:keyorigin": str(key.origin)}
    if key.aliases:
        facts["kms:resourcealiases"] = tuple(sorted(key.aliases))
    if "PendingWindowInDays" in params:
        window = str(params["PendingWindowInDays"])
        facts["kms:schedulekeydeletionpendingwindowindays"] = window
    return facts


def _of_cloudhsm(visit: RequestContext, region: Region, facts: Facts) -> Iterator[Ask]:
    params, operation = visit.params, visit.request.operation
    named = next((params[name] for name in NAMES_RESOURCE if params.get(name)), "")
    known = region.clusters.get(named) or region.backups.get(named)
    tags = known.tags if known else {}
    tagged = facts | {f"aws:resourcetag/{key.lower()}": value for key, value in tags.items()}
    kind = "backup" if named.startswith("backup-") else "cluster"
    # CloudHSM knows no resource for these.
    everywhere = operation.startswith("Describe") or operation == "DeleteHsm"
    resource = "*" if everywhere else region.arn("cloudhsm", f"{kind}/{named}")
    yield Ask(visit.request.name, resource, facts if everywhere else tagged)
    if params.get("TagList") and operation != "TagResource":
        yield Ask("cloudhsm:TagResource", region.arn("cloudhsm", "cluster/*"), facts)
    cluster = region.clusters.get(params.get("ClusterId", ""))
    if cluster is not None:
        yield from network_asks(operation, params, cluster, region=region, facts=facts)


def _of_secrets(visit: RequestContext, facts: Facts) -> Iterator[Ask]:
    named = visit.params.get("SecretId", "")
    for secret in secretsmanager_backends[visit.account][visit.region].secrets.values():
        if named in (secret.name, secret.arn):
            yield Ask(visit.request.name, secret.arn, facts)
            return
