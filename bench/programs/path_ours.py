"""A warm function of Unlatch: answers a click a line, and says how long each took by the wall clock."""

import time
from types import SimpleNamespace
from typing import Any

import app
from bench.fresh import answers

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev"
context = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch-dev")


def click(event: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    reply = app.app(event, context)
    took = time.perf_counter() - began
    assert reply["statusCode"] == 200, reply
    assert not reply["body"], reply
    return {"seconds": took}


answers(click)
