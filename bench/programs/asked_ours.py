"""A fresh function of Unlatch: answers the one request on standard input, and says when and what it answered."""

import json
import sys
import time
from types import SimpleNamespace

import app

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev"
context = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch-dev")
reply = app.app(json.load(sys.stdin), context)
if reply["statusCode"] != 200:
    sys.exit(f"not answered: {reply}")
sys.stdout.write(f"\n{json.dumps({'at': time.monotonic(), 'body': reply['body']})}\n")
