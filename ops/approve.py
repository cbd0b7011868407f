"""`unlatch approve CASE`: confirms an irreversible plan with your AWS sign-in. Changes nothing by itself.

Signs a GetCallerIdentity request that names the deployment, the case and the plan, and gives it to
Unlatch, which lets STS say who signed. Your credentials never leave this machine.
"""

from __future__ import annotations

import re

from chalicelib.domain.rules.approval import approved
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan
from ops.command_context import CommandContext
from ops.console import GREEN
from ops.errors import OperatorError
from ops.hub import connect
from ops.signed import api_of, ask
from ops.verb import Options, Verb, argument, option, place

WHOLE = re.compile(r"[0-9a-f]{64}")


def run(options: Options, context: CommandContext) -> int:
    hub = connect(options, context.clock)
    url = api_of(hub, given=options.url, path="approvals")
    plan_hash = options.plan
    if not WHOLE.fullmatch(plan_hash):
        case = hub.case(options.case)
        plan = chosen(case, options.plan)
        plan_hash = plan.plan_hash
        context.say(f"{plan.remedy} {case.cluster_id} in {case.account} {case.region}")
    context.say(f"plan {plan_hash}")
    context.say(f"as {hub.caller.arn}")
    text = ask(
        hub,
        url,
        case_id=options.case,
        told={"plan_hash": plan_hash},
        headers={"X-Unlatch-Plan": plan_hash},
    )
    context.screen.line(text, colour=GREEN)
    context.screen.answer({"case_id": options.case, "plan_hash": plan_hash, "says": text})
    return 0


def chosen(case: Case, beginning: str) -> Plan:
    """The plan to confirm: the one named, or the only one that people have begun to approve."""
    plans = [p for p in case.offers if p.terms.step_up and p.plan_hash.startswith(beginning)]
    plans = plans if beginning else [p for p in plans if approved(p, case)] or plans
    if len(plans) == 1:
        return plans[0]
    if not plans:
        raise OperatorError(f"{case.case_id} offers no such plan that needs a confirmation.")
    listed = ", ".join(f"{plan.remedy} {plan.plan_hash[:8]}" for plan in plans)
    raise OperatorError(
        f"{case.case_id} offers several plans: {listed}.", "Say which one with --plan"
    )


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
