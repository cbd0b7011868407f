"""What moto 5.2.5 needs before it can play the sandbox's AWS. Process-wide, undone at the end.

Changes moto in memory only, and only if it lacks or refuses what AWS takes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import moto.core.utils as moto_utils
import moto.kms.models as kms_models
import yaml
from moto import backends
from moto.apigateway.models import APIGatewayBackend
from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.cloudformation import models as stack_models
from moto.cloudformation import parsing
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.utils import json_path
from moto.utilities.utils import get_partition

from sandbox.aws import secret_model  # noqa: F401  # moto finds the model as a subclass
from sandbox.aws.patches import Patches
from sandbox.clock import Clock

ASYMMETRIC = ("RSA_", "ECC_", "SM2")
QUOTA = "MOTO_LAMBDA_CONCURRENCY_QUOTA"
"""How many functions may run at once in a Region of an account. New accounts have 10."""
SETTINGS = {QUOTA: "1000", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
"""If nobody sets them otherwise. The images are a thousand, for instances that the sandbox has not."""
ACCOUNT_SETTINGS = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
stock_utcnow = moto_utils.utcnow


class _Now:
    """Moto's time. One process has one moto, and so one time."""

    read: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))


class _Templates(getattr(yaml, "CLoader", yaml.Loader)):  # type: ignore[misc]  # chosen at runtime
    """Takes a tenth of the time of moto's own choice, if libyaml is there."""


_Templates.add_multi_constructor("", yaml_tag_constructor)


def prepare(clock: Clock) -> Patches:
    """Forget all that an earlier sandbox left in moto, and let this clock date its replies."""
    BackendDict.reset()
    reset_model_data()
    _date_by_clock()
    seams = Patches()
    seams.replace(_Now, "read", staticmethod(clock.now))
    config = {"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}
    for service, settings in config.items():
        seams.item(default_user_config, service, settings)
    read_fast(seams)
    fill_in_definitions(seams)
    seams.wrap(parsing.ResourceMap, "__init__", _in_its_partition)
    seams.wrap(stack_models.ChangeSet, "apply", _with_outputs)
    seams.wrap(parsing, "parse_and_update_resource", _only_what_is_made)
    modules = _modules()
    seams.replace(backends, "list_of_moto_modules", lambda: modules)
    seams.wrap(kms_models, "generate_private_key", _only_for_asymmetric)
    seams.replace(
        kms_models.Key, "create_from_cloudformation_json", staticmethod(_key_from_template)
    )
    seams.wrap(APIGatewayBackend, "import_rest_api", _taking_chalice_import)
    seams.wrap(APIGatewayBackend, "put_rest_api", _taking_chalice_put)
    os.environ.update({**SETTINGS, **os.environ})
    setattr(LambdaResponse, "get_account_settings", _account_settings)  # noqa: B010  # moto lacks it
    lambda_urls.url_paths.setdefault(ACCOUNT_SETTINGS, LambdaResponse.dispatch)
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    return seams


def _account_settings(asked: LambdaResponse) -> str:
    """GetAccountSettings, which moto does not have, by the quota that its PutFunctionConcurrency keeps."""
    functions = list(asked.backend.list_functions(None))
    most = int(os.environ[QUOTA])
    reserved = sum(int(each.reserved_concurrency or 0) for each in functions)
    limit = {"ConcurrentExecutions": most, "UnreservedConcurrentExecutions": most - reserved}
    return json.dumps({"AccountLimit": limit, "AccountUsage": {"FunctionCount": len(functions)}})


def read_fast(seams: Patches) -> None:
    """Let moto read YAML with libyaml, which takes it 0.1 s a template otherwise, and each path once.

    It would make the grammar of all paths anew for each path of a state machine.
    """
    seams.wrap(json_path, "parse", cache)
    reader = SimpleNamespace(
        Loader=_Templates, load=yaml.load, add_multi_constructor=lambda _prefix, _function: None
    )
    seams.replace(stack_models, "yaml", reader)


def fill_in_definitions(seams: Patches) -> None:
    """Let moto's CloudFormation honour a state machine's DefinitionSubstitutions."""
    for name in ("create_from_cloudformation_json", "update_from_cloudformation_json"):
        seams.wrap(StateMachine, name, _with_definition)


def _in_its_partition(stock: Callable[..., None]) -> Callable[..., None]:
    """Moto's CloudFormation puts every Region into the partition `aws`."""

    def init(stack: Any, *given: Any, **named: Any) -> None:
        stock(stack, *given, **named)
        parsed = stack._parsed_resources
        parsed["AWS::Partition"] = get_partition(parsed["AWS::Region"])

    return init


def _with_outputs(stock: Callable[..., None]) -> Callable[..., None]:
    """A stack that moto makes by a change set has no outputs."""

    def apply(change_set: Any) -> None:
        stock(change_set)
        stack = change_set.stack
        made = stack.resource_map._parsed_resources
        for name in change_set.template_dict["Resources"]:
            if name in made and made[name] is None:
                del made[name]  # its condition may be true one day
        stack.template_dict = change_set.template_dict
        stack.output_map = stack._create_output_map()

    return apply


def _only_what_is_made(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Moto breaks at a resource that its condition keeps from being made."""

    def update(logical_id: str, described: Any, resources: Any, **named: Any) -> Any:
        if resources[logical_id] is None:
            return None
        return stock(logical_id, described, resources, **named)

    return update


def _with_definition(stock: Callable[..., Any]) -> Callable[..., Any]:
    def make(*given: Any, **named: Any) -> Any:
        template = named.get("cloudformation_json") or next(g for g in given if "Properties" in g)
        properties = template["Properties"]
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            filled = properties["DefinitionString"].replace(f"${{{name}}}", value)
            properties["DefinitionString"] = filled
        return stock(*given, **named)

    return staticmethod(make)


@cache
def _modules() -> frozenset[str]:
    """Moto looks at 300 folders, 1 ms of it, for each request."""
    return frozenset(backends.list_of_moto_modules())


@cache
def _date_by_clock() -> None:
    """Replace `utcnow`, once and for good: modules that moto imports later keep what they find."""
    moto_utils.utcnow = _utcnow
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and vars(module).get("utcnow") is stock_utcnow:
            vars(module)["utcnow"] = _utcnow


def _utcnow() -> datetime:
    return _Now.read().astimezone(UTC).replace(tzinfo=None)


def _only_for_asymmetric(stock: Callable[[str], Any]) -> Callable[[str], Any]:
    """Moto makes an RSA key, 50 ms of it, for symmetric keys too."""
    return lambda spec: stock(spec) if spec.startswith(ASYMMETRIC) else None


def _taking_chalice_import(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Moto refuses the API document that Chalice sends: Swagger 2.0 and no description."""

    def import_rest_api(backend: Any, api_doc: dict[str, Any], *rest: Any, **more: Any) -> Any:
        return stock(backend, _as_openapi(api_doc), *rest, **more)

    return import_rest_api


def _taking_chalice_put(stock: Callable[..., Any]) -> Callable[..., Any]:
    def put_rest_api(
        backend: Any, function_id: str, api_doc: dict[str, Any], *rest: Any, **more: Any
    ) -> Any:
        return stock(backend, function_id, _as_openapi(api_doc), *rest, **more)

    return put_rest_api


def _as_openapi(document: dict[str, Any]) -> dict[str, Any]:
    info = {"description": "", **document.get("info", {})}
    rest = {name: value for name, value in document.items() if name != "swagger"}
    return {"openapi": "3.0.1", **rest, "info": info}


def _key_from_template(
    _name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
) -> kms_models.Key:
    """AWS::KMS::Key with its spec and usage; moto makes each one symmetric."""
    properties = cloudformation_json["Properties"]
    policy = properties.get("KeyPolicy")
    key = kms_models.kms_backends[account_id][region_name].create_key(
        policy=policy if isinstance(policy, str | None) else json.dumps(policy),
        key_usage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
        key_spec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
        description=properties.get("Description", ""),
        tags=[
            {"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])
        ],
    )
    key.key_rotation_status = properties.get("EnableKeyRotation", False)
    key.enabled = properties.get("Enabled", True)
    key.key_state = "Enabled" if key.enabled else "Disabled"
    return key
