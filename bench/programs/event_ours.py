"""A fresh function of Unlatch: imports the app and opens a case from the one event on standard input."""

import json
import sys
from types import SimpleNamespace

import app

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev-on_delete_blocked"
context = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch")
reply = app.on_delete_blocked(json.load(sys.stdin), context)
if "case_id" not in reply:
    sys.exit(f"not opened: {reply}")
