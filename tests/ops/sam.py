"""Plays what CloudFormation’s serverless transform does with a pipeline’s artefact, on the sandbox. Knows only what it holds."""

import json
from pathlib import Path
from typing import Any

import boto3

SERVERLESS = "AWS::Serverless::"


class Artefact:
    """One artefact in one account and Region; `boto3` acts as its deployer."""

    def __init__(self, folder: Path, *, region: str, account: str) -> None:
        self.template: dict[str, Any] = json.loads((folder / "template.json").read_text())
        self.code = (folder / "deployment.zip").read_bytes()
        self.region, self.account = region, account
        self.serverless = {
            name: each["Properties"]
            for name, each in self.template["Resources"].items()
            if each["Type"].startswith(SERVERLESS)
        }

    def deploy(self, stack: str) -> str:
        """The API’s URL path prefix is the stage; gives the API’s id."""
        api = self._api()
        text = json.dumps(self._plain())
        for name, about in self.serverless.items():
            stands_for = about.get("FunctionName", api)
            text = text.replace(f"${{{name}}}", stands_for)
            text = text.replace(json.dumps({"Ref": name}), json.dumps(stands_for))
        boto3.client("cloudformation").create_stack(
            StackName=stack, TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        for about in self.serverless.values():
            if "FunctionName" in about:
                self._function(about, stack)
        return api

    def _plain(self) -> dict[str, Any]:
        """What is left for CloudFormation itself; moto makes no permissions of Lambda."""
        left = {
            name: each
            for name, each in self.template["Resources"].items()
            if name not in self.serverless and each["Type"] != "AWS::Lambda::Permission"
        }
        kept = ("AWSTemplateFormatVersion", "Parameters", "Mappings", "Conditions")
        return {**{part: self.template[part] for part in kept}, "Resources": left}

    def _api(self) -> str:
        about = self.serverless["RestAPI"]
        document = json.dumps(about["DefinitionBody"]).replace("${AWS::Partition}", "aws")
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function:"
        document = document.replace("${AWS::Region}", self.region)
        name = self.serverless["APIHandler"]["FunctionName"]
        document = document.replace("${APIHandler.Arn}", f"{arn}{name}")
        body = _without_sub(json.loads(document))
        gateway = boto3.client("apigateway")
        api = str(gateway.import_rest_api(body=json.dumps(body).encode())["id"])
        gateway.create_deployment(restApiId=api, stageName=about["StageName"])
        return api

    def _function(self, about: dict[str, Any], stack: str) -> None:
        functions, name = boto3.client("lambda"), about["FunctionName"]
        role = self.template["Resources"][about["Role"]["Fn::GetAtt"][0]]["Properties"]["RoleName"]
        made = functions.create_function(
            FunctionName=name,
            Runtime=about["Runtime"],
            Handler=about["Handler"],
            Role=f"arn:aws:iam::{self.account}:role/{role}",
            Code={"ZipFile": self.code},
            Timeout=about["Timeout"],
            MemorySize=about["MemorySize"],
            Environment={"Variables": self._told(about["Environment"]["Variables"], stack)},
            Tags=about["Tags"],
        )
        invoked = about.get("EventInvokeConfig")
        if invoked:
            queue = f"arn:aws:sqs:{self.region}:{self.account}:unlatch-prod-dead-letters"
            functions.put_function_event_invoke_config(
                FunctionName=name,
                MaximumRetryAttempts=invoked["MaximumRetryAttempts"],
                MaximumEventAgeInSeconds=invoked["MaximumEventAgeInSeconds"],
                DestinationConfig={"OnFailure": {"Destination": queue}},
            )
        for event in about.get("Events", {}).values():
            self._rule(event["Properties"], made["FunctionArn"])

    def _told(self, variables: dict[str, Any], stack: str) -> dict[str, str]:
        """ARNs of what the stack made are known by now."""
        aws, kms = boto3.client("cloudformation"), boto3.client("kms")
        told = {}
        for name, value in variables.items():
            told[name] = value
            if isinstance(value, dict):
                [logical, _] = value["Fn::GetAtt"]
                made = aws.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
                key = made["StackResourceDetail"]["PhysicalResourceId"]
                told[name] = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        return told

    def _rule(self, about: dict[str, Any], target: str) -> None:
        events, name = boto3.client("events"), about.get("RuleName") or about["Name"]
        when = (
            {"EventPattern": json.dumps(about["Pattern"])}
            if "Pattern" in about
            else {"ScheduleExpression": about["Schedule"]}
        )
        events.put_rule(Name=name, State=about.get("State", "ENABLED"), **when)
        queue = f"arn:aws:sqs:{self.region}:{self.account}:unlatch-prod-dead-letters"
        assert about["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        kept = {"DeadLetterConfig": {"Arn": queue}, "RetryPolicy": about["RetryPolicy"]}
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **kept}])


def _without_sub(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            return value["Fn::Sub"]
        return {name: _without_sub(each) for name, each in value.items()}
    return [_without_sub(each) for each in value] if isinstance(value, list) else value
