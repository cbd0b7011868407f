"""A fresh function of Unlatch: imports the app and takes the first turn of the one case on standard input.

Writes what STS, EC2 and CloudWatch were asked, which answer in this process.
"""

import json
import sys
from dataclasses import asdict
from types import SimpleNamespace

import app
from bench.stub.world import answered_here

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev-turn"
context = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch")
asked = json.load(sys.stdin)
seen = answered_here(asked.pop("latency"))
reply = app.turn(asked, context)
if reply["finished"]:
    sys.exit(f"not asked: {reply}")
json.dump([asdict(one) for one in seen], sys.stdout)
