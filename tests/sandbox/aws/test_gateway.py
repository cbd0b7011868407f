"""The deployed API over HTTP: real proxy events in, the function's answers out."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any, Never

import pytest

from sandbox.aws.gateway import Gateway
from tests.sandbox.aws.runtime_stand import HUB, REGION, Ground, ground

URI = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
    f"arn:aws:lambda:{REGION}:{HUB}:function:bot/invocations"
)


class Api:
    """A REST API with POST /slack/interactions in stage dev."""

    def __init__(self, ground: Ground, limit_seconds: float) -> None:
        self.events: list[Any] = []
        functions: Any = ground.functions
        self.answer: Any = {
            "statusCode": 200,
            "body": "fine",
            "headers": {"content-type": "text/plain"},
        }
        ground.functions.handlers["bot"] = self.handle
        integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}
        document = {
            "openapi": "3.0.1",
            "info": {"title": "bot", "version": "1", "description": ""},
            "paths": {
                "/slack/interactions": {
                    "post": {"responses": {}, "x-amazon-apigateway-integration": integration}
                }
            },
        }
        apis = ground.client("apigateway")
        made = apis.import_rest_api(body=json.dumps(document))
        apis.create_deployment(restApiId=made["id"], stageName="dev")
        self.work = ground.work
        self.gateway = Gateway(
            ground.clock,
            ground.work,
            functions,
            account=HUB,
            region=REGION,
            limit_seconds=limit_seconds,
        )

    def handle(self, event: Any) -> Any:
        self.events.append(event)
        return self.answer(event) if callable(self.answer) else self.answer

    def send(
        self,
        path: str = "/dev/slack/interactions",
        method: str = "POST",
        body: bytes = b"payload=%7B%7D",
    ) -> tuple[int, str, Any]:
        host = self.gateway.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request(method, path, body, {"X-Slack-Signature": "v0=1", "X-Many": "a"})
        response = connection.getresponse()
        told = response.status, response.read().decode(), response.headers
        connection.close()
        return told


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    with ground() as here:
        made = Api(here, getattr(request, "param", 10))
        yield made
        made.gateway.stop()


def test_a_request_becomes_a_proxy_event(api: Api) -> None:
    status, body, headers = api.send(path="/dev/slack/interactions?a=1&a=2")
    assert (status, body, headers["Content-Type"]) == (200, "fine", "text/plain")
    (event,) = api.events
    assert event["body"] == "payload=%7B%7D"
    assert event["isBase64Encoded"] is False
    assert event["headers"]["X-Slack-Signature"] == "v0=1"
    assert event["multiValueHeaders"]["X-Many"] == ["a"]
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    context = event["requestContext"]
    assert (context["resourcePath"], context["httpMethod"]) == ("/slack/interactions", "POST")
    assert context["stage"] == "dev"
    assert context["identity"]["sourceIp"]
    assert context["requestTime"] == "02/Mar/2026:09:00:00 +0000"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/dev/other"),
        ("POST", "/prod/slack/interactions"),
        ("GET", "/dev/slack/interactions"),
    ],
)
def test_an_unknown_route_is_forbidden(api: Api, method: str, path: str) -> None:
    status, body, _ = api.send(path=path, method=method)
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert api.events == []


def test_a_function_that_fails_is_a_bad_gateway(api: Api) -> None:
    def fail(event: Any) -> Never:
        raise ValueError("broken")

    api.answer = fail
    assert api.send()[0] == 502


def test_an_answer_that_is_no_response_is_a_bad_gateway(api: Api) -> None:
    api.answer = "hello"
    assert api.send()[0] == 502


def test_a_binary_answer_is_decoded(api: Api) -> None:
    api.answer = {"statusCode": 201, "body": "aGk=", "isBase64Encoded": True}
    assert api.send()[:2] == (201, "hi")


@pytest.mark.parametrize("api", [0.05], indirect=True)
def test_a_slow_function_times_out_but_still_counts_as_work(api: Api) -> None:
    gate = threading.Event()
    api.answer = lambda _: {"statusCode": 200, "done": gate.wait(10)}
    assert api.send()[0] == 504
    assert api.work.running()
    gate.set()
    api.work.wait_idle(10)


def test_the_url_of_a_path_that_is_not_deployed_is_an_error(api: Api) -> None:
    assert api.gateway.url_of("/slack/interactions", stage="dev").endswith(
        "/dev/slack/interactions"
    )
    with pytest.raises(LookupError, match="/slack/commands"):
        api.gateway.url_of("/slack/commands", stage="dev")
