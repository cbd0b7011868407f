"""Lambda entry points only: parse, call one flow, return. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from chalice.app import Chalice, CloudWatchEvent, Response

from chalicelib import event_patterns, garbage, observability, wiring

garbage.leave_modules_alone()
T = TypeVar("T")
app = Chalice(app_name="unlatch", configure_logs=False)
"""Chalice's log has the name of ours: with its own handler each line would stand there twice."""
FORM = ["application/x-www-form-urlencoded", "application/json"]
"""Clicks and commands are forms; the one thing that Slack sends as JSON is its `url_verification`."""
PLAIN: dict[str, str | list[str]] = {"Content-Type": "text/plain"}


@app.on_cw_event(event_patterns.DELETE_FAILED, name="on_delete_blocked")
def on_delete_blocked(event: CloudWatchEvent) -> dict[str, Any]:
    """A DeleteCluster that AWS refused: opens a case, or raises the counter of the open one."""
    from chalicelib.aws.cloudtrail import NotOurs, failed_delete
    from chalicelib.flows.open_case import open_case

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        try:
            failed = failed_delete(
                event.to_dict(), codes=wired.settings.error_codes, own_roles=wired.own_roles
            )
        except NotOurs as reason:
            observability.warn("event refused", reason=str(reason))
            return {"refused": str(reason)}
        opened = open_case(wired.ports, failed)
        return {"case_id": opened.case_id} if opened else {"refused": "its account is not served"}


@app.on_cw_event(event_patterns.KEY_STORE_REFUSED, name="on_key_store_refused")
def on_key_store_refused(event: CloudWatchEvent) -> dict[str, Any]:
    """A key store that AWS would not create, delete or connect: opens a case, or folds into the open one."""
    from chalicelib.aws.store_calls import refused_store_call

    return _heard(event, refused_store_call)


@app.on_cw_event(event_patterns.CUT_OFF, name="on_cluster_lost")
def on_cluster_lost(event: CloudWatchEvent) -> dict[str, Any]:
    """An HSM or a cluster that somebody deleted: a case if a key store still needs it."""
    from chalicelib.aws.store_calls import cut_off

    return _heard(event, cut_off)


@app.lambda_function(name="turn")
def turn(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One turn of a case; called by the state machine."""
    from chalicelib.flows.take_turn import take_turn

    wired = wiring.wired(context)
    with observability.invocation(context, trace=wired.trace, case_id=event["case_id"]):
        done = take_turn(
            wired.ports,
            event["case_id"],
            int(event["generation"]),
            given=event.get("body"),  # runs that were started before bodies were sealed give none
            attempt=int(event.get("attempt", 0)),
            trusted=event.get("turn", {}).get("trusted", {}),
        )
        return {
            "finished": done.finished,
            "wait_seconds": done.wait_seconds,
            "version": done.version,
            "body": done.body,
        }


@app.lambda_function(name="park")
def park(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Puts the run to sleep until its deadline or a click."""
    from chalicelib.flows.park import park as park_run

    wired = wiring.wired(context)
    with observability.invocation(context, trace=wired.trace, case_id=event["case_id"]):
        version, token = int(event["version"]), event["token"]
        return {"asleep": park_run(wired.ports, event["case_id"], version=version, token=token)}


@app.schedule("rate(1 hour)", name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, Any]:
    """Finds what was never delivered and starts what has died."""
    from chalicelib.flows.sweep import sweep as sweep_all

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        swept = sweep_all(wired.ports)
        return {
            "found": swept.found,
            "restarted": swept.restarted,
            "used": swept.used,
            "unread": list(swept.unread),
        }


@app.schedule("rate(7 days)", name="digest")
def digest(event: CloudWatchEvent) -> dict[str, Any]:
    """Looks at all accounts once a week; a message only if something changed, and if DIGEST says so."""
    from chalicelib.flows.scan_fleet import ScanPorts, scan_fleet

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        given = (wired.ports, wired.shelf, wired.survey, wired.reach.tell)
        return {"changes": scan_fleet(ScanPorts(*given, is_told=wired.settings.digest)).number}


@app.on_cw_event(event_patterns.KEY_USE_FAILED, name="on_key_used")
def on_key_used(event: CloudWatchEvent) -> dict[str, Any]:
    """Somebody tried a key in vain: the case that did that is told; a store that is down opens one."""
    from chalicelib.aws.cloudtrail import NotOurs, key_uses
    from chalicelib.aws.store_calls import failed_use
    from chalicelib.flows.failing_use import hear_use
    from chalicelib.flows.record_use import record_use

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        try:
            uses, account, region = key_uses(event.to_dict(), own_roles=wired.own_roles)
        except NotOurs as reason:
            observability.warn("event refused", reason=str(reason))
            return {"refused": str(reason)}
        told = [record_use(wired.ports, use, account=account, region=region) for use in uses]
        cases = [case_id for heard in told for case_id in heard]
        try:
            heard = None if cases else failed_use(event.to_dict(), own_roles=wired.own_roles)
        except NotOurs:
            heard = None
        opened = hear_use(wired.ports, heard, uses) if heard else None
        return {"told": [*cases, *([opened.case_id] if opened else [])]}


@app.on_cw_event(event_patterns.LIVE_PROBE, name="on_probe")
def on_probe(event: CloudWatchEvent) -> dict[str, Any]:
    """`unlatch doctor --live` tries whether events arrive: this one is noted, and opens no case."""
    from chalicelib.aws.cloudtrail import NotOurs, probe_of

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        try:
            record = probe_of(event.to_dict())
        except NotOurs as reason:
            observability.warn("event refused", reason=str(reason))
            return {"refused": str(reason)}
        wired.probes.note(record, now=datetime.now(UTC))
        return {"noted": record["eventID"]}


@app.route("/slack/interactions", methods=["POST"], content_types=FORM)
def slack_interaction() -> Response:
    """A button or a dialog: answered within three seconds, carried out by the next turn."""
    from chalicelib.answers import Recorded
    from chalicelib.flows.command import open_from_scan
    from chalicelib.flows.record_click import record_click
    from chalicelib.slack.requests import parse

    wired = wiring.wired(app.lambda_context)
    with observability.invocation(app.lambda_context, trace=wired.trace):
        if met := _met(wired):
            return met
        clicked = _understood(parse)
        if isinstance(clicked, Response):
            return clicked
        if clicked.action.startswith("open:"):
            wired.gateway.reply(open_from_scan(wired.ports, clicked), clicked)
            return Response("", PLAIN)
        observability.about(case_id=clicked.case_id)
        answer = record_click(wired.ports, clicked)
        # The gateway brings all of Slack's messages: a cold yes does without.
        reply = {} if answer == Recorded() else _gateway(wired, clicked).reply(answer, clicked)
        return Response(reply) if reply else Response("", PLAIN)


@app.route("/slack/commands", methods=["POST"], content_types=FORM)
def slack_command() -> Response:
    """`/unlatch help | status | scan | cluster-…`: answered within three seconds."""
    from chalicelib.flows.command import command
    from chalicelib.slack.requests import parse_command

    wired = wiring.wired(app.lambda_context)
    with observability.invocation(app.lambda_context, trace=wired.trace):
        if met := _met(wired):
            return met
        clicked = _understood(parse_command)
        if isinstance(clicked, Response):
            return clicked
        at = (wired.hub_account, wired.region)
        said = command(wired.ports, clicked, here=at, speech=wired.reach)
        return Response({"response_type": "ephemeral", "text": wired.gateway.said(said)})


@app.route("/slack/events", methods=["POST"], content_types=FORM)
def slack_events() -> Response:
    """Somebody opened the Home tab: it is written anew."""
    from chalicelib.flows.homes import opened_home
    from chalicelib.slack.requests import parse_event

    wired = wiring.wired(app.lambda_context)
    with observability.invocation(app.lambda_context, trace=wired.trace):
        if met := _met(wired):
            return met
        opened = _understood(parse_event)
        if isinstance(opened, Response):
            return opened
        if opened:
            opened_home(wired.homes, opened.user_id)
        return Response("", PLAIN)


@app.route("/approvals", methods=["POST"])
def approve() -> Response:
    """A plan confirmed in AWS: `python -m ops approve` posts here; STS says who signed."""
    from chalicelib.flows.confirm import confirm

    wired = wiring.wired(app.lambda_context)
    with observability.invocation(app.lambda_context, trace=wired.trace):
        said = confirm(wired.ports, wired.identify(_host()), _body())
        return Response({"message": said.text}, status_code=said.status)


@app.route("/cancels", methods=["POST"])
def cancel_signed() -> Response:
    """A cancel without Slack: `unlatch cancel` posts here; STS says who signed."""
    from chalicelib.flows.cancel import cancel

    wired = wiring.wired(app.lambda_context)
    with observability.invocation(app.lambda_context, trace=wired.trace):
        said = cancel(wired.ports, wired.identify(_host()), _body())
        return Response({"message": said.text}, status_code=said.status)


def _heard(event: CloudWatchEvent, read: Any) -> dict[str, Any]:
    """The call that `read` takes from the event, placed by a look at AWS, and its case opened."""
    from chalicelib.aws.cloudtrail import NotOurs
    from chalicelib.flows.hear import hear

    wired = wiring.wired(event.context)
    with observability.invocation(event.context, trace=wired.trace):
        try:
            heard = read(event.to_dict(), own_roles=wired.own_roles)
        except NotOurs as reason:
            observability.warn("event refused", reason=str(reason))
            return {"refused": str(reason)}
        opened = hear(wired.ports, heard)
        return {"refused": opened} if isinstance(opened, str) else {"case_id": opened.case_id}


def _gateway(wired: wiring.Wiring, clicked: Any) -> Any:
    """Speaks as the route of this case has it."""
    from chalicelib.flows.routing import gateway_of

    return gateway_of(wired.ports, clicked.case_id) if wired.ports.routes else wired.gateway


def _host() -> str:
    """By which the API was called, as API Gateway says."""
    assert app.current_request is not None, "only called within a request"
    return str(app.current_request.context.get("domainName", ""))


def _body() -> bytes:
    """The body as it came, which is what Slack signed."""
    assert app.current_request is not None, "only called within a request"
    raw = app.current_request.raw_body
    return raw.encode() if isinstance(raw, str) else raw or b""


def _understood(parse: Callable[[bytes], T]) -> T | Response:
    """What Slack sent; or the answer to what nobody can read."""
    from chalicelib.slack.requests import Unreadable

    try:
        return parse(_body())
    except Unreadable as reason:
        observability.warn("request refused", reason=str(reason))
        return Response(f"Not understood: {reason}.", PLAIN, 400)


def _met(wired: wiring.Wiring) -> Response | None:
    """The answer to what is no click: Slack's own checks, and what Slack did not sign. None: go on."""
    from chalicelib.slack.door import met

    assert app.current_request is not None, "only called within a request"
    headers, now = app.current_request.headers, datetime.now(UTC)
    said = met(_body(), headers, wired.signing_secret, now=now, warn=observability.warn)
    return Response(said.text, PLAIN, said.status) if said else None
