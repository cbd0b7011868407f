"""A fresh function of Unlatch: imports the app and answers the one click on standard input."""

import json
import sys
from types import SimpleNamespace

import app

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev"
context = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch-dev")
reply = app.app(json.load(sys.stdin), context)
if reply["statusCode"] != 200 or reply["body"]:
    sys.exit(f"not answered: {reply}")
