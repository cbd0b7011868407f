"""Brings the bot into the sandbox as an operator would: its stacks, then a real `chalice deploy`.

Works on a copy, so that no checkout gets a `.chalice/deployed`; reads back what was deployed.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda_simple.models import lambda_simple_backends
from moto.cloudformation import parsing

from sandbox.aws.callers import as_variables, client
from sandbox.aws.delivery import ALL_CLOUDTRAIL
from sandbox.aws.iam.template import rendered_text
from sandbox.aws.identity import Credentials
from sandbox.aws.patches import Patches
from sandbox.aws.server import AwsServer
from sandbox.function_host import PROJECT
from sandbox.functions import Deployed
from sandbox.host import run_chalice
from sandbox.packages import PACKAGES
from sandbox.slack.records import BOT_TOKEN, SIGNING_SECRET

APP = "unlatch"
STAGE = "dev"
DEPLOYED = ("app.py", "chalicelib", "requirements.txt")
ROUTES = "chalicelib/routes.json"
NOT_OURS = shutil.ignore_patterns("__pycache__", Path(ROUTES).name)
"""A checkout may hold the routes of whoever works with it."""
SECRETS = {"slack-signing-secret": SIGNING_SECRET, "slack-bot-token": BOT_TOKEN}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class DeploymentError(Exception):
    """A deployment that failed; the message is what the tool said."""


class Deployment:
    """The bot in the first of `accounts`, serving all of them; `source` holds app.py."""

    def __init__(
        self,
        aws: AwsServer,
        *,
        accounts: Sequence[str],
        regions: Sequence[str],
        full_package: bool = False,
        source: Path = PROJECT,
    ) -> None:
        self._aws = aws
        self._accounts = accounts
        self._regions = regions
        self._full_package = full_package
        self._source = source
        self.hub, self.region = accounts[0], regions[0]
        self._credentials: dict[str, Credentials] = {}

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="deployment-"))

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, settings: Mapping[str, object], routes: Sequence[Mapping[str, Any]] = ()) -> None:
        """`routes` are the rules of routes.yaml. Raises DeploymentError with what the failing tool said."""
        with closing(Patches()) as seams:
            # Moto warns of each alarm and policy that it leaves out; none of them acts here.
            silent = SimpleNamespace(warn=_say_nothing, warning=_say_nothing, debug=_say_nothing)
            seams.replace(parsing, "warnings", silent)
            seams.replace(parsing, "logger", silent)
            self._create_resources()
            for account in self._accounts:
                for region in self._regions:
                    self._create_account_stack(account, region)
        self._chalice_deploy(settings, routes)
        self._finish()

    def find(self, name: str) -> Deployed:
        """The function of this name or ARN as it is deployed in the hub, or LookupError."""
        backend = lambda_simple_backends[self.hub][self.region]
        try:
            function = backend.get_function(name.removesuffix(":$LATEST"))
        except UnknownFunctionException as unknown:
            raise LookupError(f"Function not found: {name}") from unknown
        return Deployed(
            name=function.function_name,
            arn=function.function_arn,
            handler=str(function.handler),
            code=PACKAGES.unpacked(str(function.code_sha_256), function.code_bytes),
            environment=tuple(sorted(self._environment(function).items())),
            timeout_seconds=int(function.timeout),
            memory_mb=int(function.memory_size),
        )

    # Stacks

    def _create_resources(self) -> None:
        definition = json.loads((PROJECT / "infra/case.asl.json").read_text())
        self._create_stack(
            "resources.yaml",
            account=self.hub,
            region=self.region,
            parameters={
                "Stage": STAGE,
                # CloudFormation takes 4096 characters, and indentation is half of them.
                "CaseDefinition": json.dumps(definition, separators=(",", ":")),
                "TargetAccountIds": ",".join(self._accounts[1:]),
            },
        )
        secrets = self._client("secretsmanager", self.hub, self.region)
        for name, value in SECRETS.items():
            secrets.put_secret_value(SecretId=f"{APP}/{STAGE}/{name}", SecretString=value)

    def _create_account_stack(self, account: str, region: str) -> None:
        at_hub = (account, region) == (self.hub, self.region)
        bus = f"arn:aws:events:{self.region}:{self.hub}:event-bus/default"
        self._create_stack(
            "account.yaml",
            account=account,
            region=region,
            parameters={
                "HubAccountId": self.hub,
                "Stage": STAGE,
                "HubBusArn": "" if at_hub else bus,
                "CreateRoles": "yes" if region == self.region else "no",
                "Regions": ",".join(self._regions),
            },
        )

    def _create_stack(
        self, template: str, *, account: str, region: str, parameters: Mapping[str, str]
    ) -> None:
        stacks = self._client("cloudformation", account, region)
        name = f"{APP}-{template.removesuffix('.yaml')}-{STAGE}"
        stacks.create_stack(
            StackName=name,
            TemplateBody=(PROJECT / "infra" / template).read_text(),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise DeploymentError(f"{template} in {account} {region}: {stack['StackStatus']}")

    def resources(self) -> dict[str, dict[str, Any]]:
        """Those of the hub's stack as they were deployed, by their logical names."""
        stacks = self._client("cloudformation", self.hub, self.region)
        name = f"{APP}-resources-{STAGE}"
        text = stacks.get_template(StackName=name)["TemplateBody"]
        given = stacks.describe_stacks(StackName=name)["Stacks"][0]["Parameters"]
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in given}
        return rendered_text(text, parameters, account=self.hub, region=self.region)

    # Functions

    def _chalice_deploy(
        self, settings: Mapping[str, object], routes: Sequence[Mapping[str, Any]]
    ) -> None:
        copy = self._folder / "project"
        shutil.copytree(PROJECT / ".chalice", copy / ".chalice")
        for name in DEPLOYED:
            source = self._source / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=NOT_OURS)
            elif source.exists():
                shutil.copy(source, copy / name)
        if routes:
            (copy / ROUTES).write_text(routes_text(routes))
        if not self._full_package:
            (copy / "requirements.txt").write_text("")
        config_file = copy / ".chalice" / "config.json"
        config = json.loads(config_file.read_text())
        variables = config["stages"][STAGE].setdefault("environment_variables", {})
        variables.update({name.upper(): as_text(value) for name, value in settings.items()})
        config_file.write_text(json.dumps(config))
        log = self._folder / "chalice.log"
        arguments = ["deploy", "--stage", STAGE]
        environment = self._operator_environment()
        if run_chalice(arguments, project=copy, environment=environment, log=log):
            raise DeploymentError(f"chalice deploy failed:\n{log.read_text()}")

    def _finish(self) -> None:
        """What Chalice has no words for: where dead letters go, and which events a rule sees."""
        dead_letters = f"arn:aws:sqs:{self.region}:{self.hub}:{APP}-{STAGE}-dead-letters"
        functions = self._client("lambda", self.hub, self.region)
        events = self._client("events", self.hub, self.region)
        for rule in events.list_rules()["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            for target in targets:
                functions.put_function_event_invoke_config(
                    FunctionName=target["Arn"],
                    DestinationConfig={"OnFailure": {"Destination": dead_letters}},
                )
            with_queue = [{**t, "DeadLetterConfig": {"Arn": dead_letters}} for t in targets]
            events.put_targets(Rule=rule["Name"], Targets=with_queue)
            if "aws.kms" in rule.get("EventPattern", ""):
                # CloudTrail calls Decrypt read-only, and other rules never see such events.
                pattern = rule["EventPattern"]
                events.put_rule(Name=rule["Name"], EventPattern=pattern, State=ALL_CLOUDTRAIL)

    def _operator_environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.lower() not in PROXIES and not name.startswith("AWS_")
        }
        if self._full_package:  # pip may have to go out
            kept |= {n: v for n, v in os.environ.items() if n.lower() in PROXIES}
        return {
            **kept,
            **as_variables(self._operator(self.hub)),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self._aws.url,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def _operator(self, account: str) -> Credentials:
        arn = f"arn:aws:sts::{account}:assumed-role/deployer/operator"
        return self._session(arn, account=account, deployment=True)

    def _session(self, arn: str, *, account: str, deployment: bool = False) -> Credentials:
        if arn not in self._credentials:
            made = self._aws.identity.register(account, arn, deployment=deployment)
            self._credentials[arn] = made
        return self._credentials[arn]

    def client(self, service: str) -> Any:
        """The operator's, in the hub."""
        return self._client(service, self.hub, self.region)

    def _client(self, service: str, account: str, region: str) -> Any:
        return client(self._aws.url, service, self._operator(account), region=region)

    # What was deployed

    def _environment(self, function: Any) -> dict[str, str]:
        role = function.role.rsplit("/", 1)[-1]
        session = f"arn:aws:sts::{self.hub}:assumed-role/{role}/{function.function_name}"
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": "UTC",
            "HOME": str(self._folder),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
            **as_variables(self._session(session, account=self.hub)),
            "AWS_ENDPOINT_URL": self._aws.url,
            **{name: str(value) for name, value in function.environment_vars.items()},
        }


def as_text(value: object) -> str:
    """A setting as an environment variable holds it."""
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return ",".join(as_text(item) for item in value)
    return str(value)


def routes_text(rules: Sequence[Mapping[str, Any]]) -> str:
    """As `unlatch deploy` writes the rules of routes.yaml beside the code."""
    return json.dumps({"routes": list(rules)})


def _say_nothing(*_: object, **__: object) -> None:
    """Takes moto's warnings."""
