"""API Gateway: serves the REST API that Chalice deployed, on this machine's loopback alone.

Routes come from the deployed API; nothing here knows a path of the bot's.
"""

import base64
import json
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from moto.apigateway.models import RestAPI, apigateway_backends
from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock, Work
from sandbox.functions import Functions, Invocation
from sandbox.loopback import LoopbackServer, answering

INTEGRATION_SECONDS = 29.0
SOURCE_ADDRESS = "198.51.100.11"  # of a block that is reserved for documentation


class Gateway:
    """Serves `<url>/<stage>/<path>` from when it is made until `stop`."""

    def __init__(
        self,
        clock: Clock,
        work: Work,
        functions: Functions,
        *,
        account: str,
        region: str,
        limit_seconds: float = INTEGRATION_SECONDS,
    ) -> None:
        self._clock = clock
        self._work = work
        self._functions = functions
        self._account = account
        self._region = region
        self._limit_seconds = limit_seconds
        self._server = LoopbackServer(answering(self._answer))
        self._server.start()
        self.url = self._server.url

    def stop(self) -> None:
        self._server.stop()

    def url_of(self, path: str, *, stage: str) -> str:
        """Where this path of the deployed API is served; raises LookupError if it is not."""
        if self._find(stage, path, "POST") is None:
            raise LookupError(f"the deployed API has no POST {path} in stage {stage}")
        return f"{self.url}/{stage}{path}"

    def _answer(self, request: Request) -> Response:
        with self._work.doing(f"request {request.method} {request.path}"):
            stage, _, path = request.path.lstrip("/").partition("/")
            route = self._find(stage, f"/{path}", request.method)
            if route is None:
                return _message(403, "Missing Authentication Token")
            api_id, function = route
            event = self._event(request, api_id=api_id, stage=stage, path=f"/{path}")
            return self._integrate(function, event)

    def _find(self, stage: str, path: str, method: str) -> tuple[str, str] | None:
        """The API's id and the function behind this route."""
        for api in apigateway_backends[self._account][self._region].apis.values():
            if stage in api.stages and (function := _function(api, path, method)):
                return api.id, function
        return None

    def _integrate(self, function: str, event: dict[str, Any]) -> Response:
        done: list[Invocation] = []
        finished = threading.Event()

        def invoke() -> None:
            try:
                done.append(self._functions.invoke(function, event))
            finally:
                finished.set()

        self._work.spawn(f"request for {function}", invoke)
        if not finished.wait(self._limit_seconds):
            return _message(504, "Endpoint request timed out")
        return _reply(done[0]) if done else _message(502, "Internal server error")

    def _event(self, request: Request, *, api_id: str, stage: str, path: str) -> dict[str, Any]:
        headers = {name.title(): value for name, value in request.headers.items()}
        query = request.args.to_dict(flat=False)
        return {
            "resource": path,
            "path": path,
            "httpMethod": request.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {k: v[-1] for k, v in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                **self._context(api_id=api_id, stage=stage, path=path),
                "domainName": request.host,
                "httpMethod": request.method,
                "identity": {"sourceIp": SOURCE_ADDRESS, "userAgent": headers.get("User-Agent")},
            },
            "body": request.get_data(as_text=True) or None,
            "isBase64Encoded": False,
        }

    def _context(self, *, api_id: str, stage: str, path: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "resourcePath": path,
            "path": f"/{stage}{path}",
            "stage": stage,
            "apiId": api_id,
            "accountId": self._account,
            "requestId": str(uuid.uuid4()),
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "protocol": "HTTP/1.1",
        }


def _function(api: RestAPI, path: str, method: str) -> str | None:
    for resource in api.resources.values():
        if resource.get_path() != path:
            continue
        for name, found in resource.resource_methods.items():
            if name.upper() == method and found.method_integration:
                return _function_in(found.method_integration.uri)
    return None


def _function_in(uri: str) -> str:
    """The function's ARN in arn:aws:apigateway:R:lambda:path/2015-03-31/functions/ARN/invocations."""
    return uri.partition("/functions/")[2].rpartition("/invocations")[0]


def _reply(done: Invocation) -> Response:
    result = json.loads(done.payload)
    if done.error is not None or not isinstance(result, dict) or "statusCode" not in result:
        return _message(502, "Internal server error")
    text = result.get("body") or ""
    coded = result.get("isBase64Encoded")
    headers = _headers(result)
    return Response(
        base64.b64decode(text) if coded else text,
        int(result["statusCode"]),
        {"Content-Type": "application/json", **headers},
    )


def _headers(result: Mapping[str, Any]) -> dict[str, str]:
    many = result.get("multiValueHeaders") or {}
    headers = {**(result.get("headers") or {}), **{k: v[-1] for k, v in many.items() if v}}
    return {name.title(): str(value) for name, value in headers.items()}


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}), status, content_type="application/json")
