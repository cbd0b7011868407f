"""`unlatch approve CASE`: confirms an irreversible plan with your AWS sign-in. Changes nothing by itself.

Signs a GetCallerIdentity request that names the case and the plan, and gives it to Unlatch, which
lets STS say who signed. Your credentials never leave this machine.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.domain.case import Act, Case
from chalicelib.domain.plan import Plan
from ops.deployment import record
from ops.deployment.found import found
from ops.desk import Desk
from ops.expected import LOG_IN
from ops.hub import Hub, connect
from ops.screen import GREEN
from ops.trouble import Trouble
from ops.verb import Options, Verb, argument, option, place

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
WHOLE = re.compile(r"[0-9a-f]{64}")
WITHIN_SECONDS = 30


def run(options: Options, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    url = options.url or _deployed(hub)
    plan_hash = options.plan
    if not WHOLE.fullmatch(plan_hash):
        case = hub.case(options.case)
        plan = chosen(case, options.plan)
        plan_hash = plan.plan_hash
        desk.say(f"{plan.remedy} {case.cluster_id} in {case.account} {case.region}")
    desk.say(f"plan {plan_hash}")
    desk.say(f"as {hub.caller.arn}")
    posted = signed(hub, case_id=options.case, plan_hash=plan_hash)
    status, text = _post(f"{url.rstrip('/')}/approvals", posted)
    if status != 200:  # HTTP's own
        raise Trouble(text)
    desk.screen.line(text, colour=GREEN)
    desk.screen.answer({"case_id": options.case, "plan_hash": plan_hash, "says": text})
    return 0


def chosen(case: Case, beginning: str) -> Plan:
    """The plan to confirm: the one named, or the only one that people have begun to approve."""
    plans = [p for p in case.offers if p.terms.step_up and p.plan_hash.startswith(beginning)]
    clicks = case.current_clicks
    approved = {click.plan_hash for click in clicks if click.act is Act.APPROVE}
    plans = plans if beginning else [p for p in plans if p.plan_hash in approved] or plans
    if len(plans) == 1:
        return plans[0]
    if not plans:
        raise Trouble(f"{case.case_id} offers no such plan that needs a confirmation.")
    listed = ", ".join(f"{plan.remedy} {plan.plan_hash[:8]}" for plan in plans)
    raise Trouble(f"{case.case_id} offers several plans: {listed}.", "Say which one with --plan")


def signed(hub: Hub, *, case_id: str, plan_hash: str) -> dict[str, Any]:
    """The request for the hub’s STS, signed and not sent. The signature covers case and plan."""
    url = str(hub.client("sts").meta.endpoint_url)
    headers = {"Content-Type": FORM, "X-Unlatch-Case": case_id, "X-Unlatch-Plan": plan_hash}
    request = AWSRequest("POST", f"{url.rstrip('/')}/", headers=headers, data=BODY)
    credentials = hub.session.get_credentials()
    if credentials is None:
        raise Trouble("There are no AWS credentials.", LOG_IN)
    SigV4Auth(credentials.get_frozen_credentials(), "sts", hub.region).add_auth(request)
    told = {"case_id": case_id, "plan_hash": plan_hash, "url": url, "body": BODY}
    return {**told, "headers": dict(request.headers.items())}


def _post(url: str, posted: dict[str, Any]) -> tuple[int, str]:
    """The status, and the sentence that Unlatch answers with."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise Trouble(f"{url} is no https URL, so nothing was sent.")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(posted).encode(), headers)  # noqa: S310  # checked above
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as reply:  # noqa: S310  # same
            return reply.status, _sentence(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _sentence(error.read())


def _sentence(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    words = told.get("message") or told.get("Message") if isinstance(told, dict) else ""
    return str(words or "The answer could not be read.")


def _deployed(hub: Hub) -> str:
    """As AWS itself says; who may not look there takes what was noted down at the deployment."""
    try:
        urls = [r["rest_api_url"] for r in found(hub)["resources"] if "rest_api_url" in r]
    except Exception as error:
        if code_of(error) not in DENIED:
            raise
        noted = record.read(hub)
        urls = [noted.url] if noted else []
    if not urls:
        raise hub.not_deployed()
    return str(urls[0])


VERB = Verb(
    "approve",
    run,
    about=__doc__,
    params=[
        argument("case"),
        option(
            "--plan",
            metavar="HASH",
            default="",
            help="The plan as Slack shows it; with --url, nothing is read from the hub’s account.",
        ),
        option("--url", help="The deployed API (as `unlatch deploy` printed it)."),
        *place(),
    ],
)
