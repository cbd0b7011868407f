"""Lambda entry points only: parse, call one flow, return. Nothing is decided here."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from chalice.app import Chalice, CloudWatchEvent, Response

from chalicelib import event_patterns, garbage, observability, wiring

garbage.leave_modules_alone()
T = TypeVar("T")
app = Chalice(app_name="unlatch", configure_logs=False)
"""Chalice's log has the name of ours: with its own handler each line would be written twice."""
FORM = ["application/x-www-form-urlencoded", "application/json"]
"""Clicks and commands are forms; the one thing that Slack sends as JSON is its `url_verification`."""
PLAIN: dict[str, str | list[str]] = {"Content-Type": "text/plain"}

Hears: TypeAlias = Callable[[wiring.Wiring, dict[str, Any]], dict[str, Any]]


def _hears(entry: Hears) -> Callable[[CloudWatchEvent], dict[str, Any]]:
    """An entry point for events of CloudTrail. One that is not ours is refused with the reason."""

    @functools.wraps(entry)
    def heard(event: CloudWatchEvent) -> dict[str, Any]:
        from chalicelib.aws.cloudtrail import NotOursError

        with _invocation(event.context) as wired:
            try:
                return entry(wired, event.to_dict())
            except NotOursError as reason:
                observability.warn("event refused", reason=str(reason))
                return {"refused": str(reason)}

    return heard


@contextlib.contextmanager
def _invocation(context: Any, **keys: str) -> Iterator[wiring.Wiring]:
    """What each entry point runs in. `keys` are on each of its log lines, and on its trace."""
    wired = wiring.wired(context)
    with observability.invocation(context, trace=wired.trace, **keys):
        yield wired


@app.on_cw_event(event_patterns.DELETE_FAILED, name="on_delete_blocked")
@_hears
def on_delete_blocked(wired: wiring.Wiring, event: dict[str, Any]) -> dict[str, Any]:
    """A DeleteCluster that AWS refused: opens a case, or raises the counter of the open one."""
    from chalicelib.aws.cloudtrail import failed_delete
    from chalicelib.flows.open_case import open_case

    failed = failed_delete(event, codes=wired.settings.error_codes, own_roles=wired.own_roles)
    opened = open_case(wired.ports, failed)
    return {"case_id": opened.case_id} if opened else {"refused": "its account is not served"}


@app.on_cw_event(event_patterns.KEY_STORE_REFUSED, name="on_key_store_refused")
@_hears
def on_key_store_refused(wired: wiring.Wiring, event: dict[str, Any]) -> dict[str, Any]:
    """A key store that AWS would not create, delete or connect: opens a case, or folds into the open one."""
    from chalicelib.aws.store_calls import refused_store_call

    return _opened(wired, refused_store_call(event, own_roles=wired.own_roles))


@app.on_cw_event(event_patterns.CUT_OFF, name="on_cluster_lost")
@_hears
def on_cluster_lost(wired: wiring.Wiring, event: dict[str, Any]) -> dict[str, Any]:
    """An HSM or a cluster that somebody deleted: a case if a key store still needs it."""
    from chalicelib.aws.store_calls import cut_off

    return _opened(wired, cut_off(event, own_roles=wired.own_roles))


@app.lambda_function(name="turn")
def turn(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One turn of a case; called by the state machine."""
    from chalicelib.flows.take_turn import take_turn

    with _invocation(context, case_id=event["case_id"]) as wired:
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


@app.lambda_function(name="sleep")
def sleep(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Puts the run to sleep until its deadline or a click."""
    from chalicelib.flows.sleep import sleep as sleep_run

    with _invocation(context, case_id=event["case_id"]) as wired:
        version, token = int(event["version"]), event["token"]
        return {"asleep": sleep_run(wired.ports, event["case_id"], version=version, token=token)}


@app.lambda_function(name="park")
def park(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`sleep`, by the name that the runs of earlier deployments call: kept until the last of them ends."""
    return dict(sleep(event, context))


@app.schedule("rate(1 hour)", name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, Any]:
    """Finds what was never delivered and starts what has died."""
    from chalicelib.flows.sweep import sweep as sweep_all

    with _invocation(event.context) as wired:
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

    with _invocation(event.context) as wired:
        given = (wired.ports, wired.shelf, wired.survey, wired.reach.tell)
        return {"changes": scan_fleet(ScanPorts(*given, is_told=wired.settings.digest)).number}


@app.on_cw_event(event_patterns.KEY_USE_FAILED, name="on_key_used")
@_hears
def on_key_used(wired: wiring.Wiring, event: dict[str, Any]) -> dict[str, Any]:
    """Somebody tried a key in vain: the case that did that is told; a store that is down opens one."""
    from chalicelib.aws.cloudtrail import NotOursError, key_uses
    from chalicelib.aws.store_calls import failed_use
    from chalicelib.flows.failing_use import hear_use
    from chalicelib.flows.record_use import record_use

    uses, account, region = key_uses(event, own_roles=wired.own_roles)
    told = [record_use(wired.ports, use, account=account, region=region) for use in uses]
    cases = [case_id for heard in told for case_id in heard]
    try:
        heard = None if cases else failed_use(event, own_roles=wired.own_roles)
    except NotOursError:
        heard = None
    opened = hear_use(wired.ports, heard, uses) if heard else None
    return {"told": [*cases, *([opened.case_id] if opened else [])]}


@app.on_cw_event(event_patterns.LIVE_PROBE, name="on_probe")
@_hears
def on_probe(wired: wiring.Wiring, event: dict[str, Any]) -> dict[str, Any]:
    """`unlatch doctor --live` tries whether events arrive: this one is noted, and opens no case."""
    from chalicelib.aws.cloudtrail import probe_of

    record, place = probe_of(event)
    wired.probes.note(record, place=place, now=datetime.now(UTC))
    return {"noted": record["eventID"]}


@app.route("/slack/interactions", methods=["POST"], content_types=FORM)
def slack_interaction() -> Response:
    """A button or a dialog: answered within three seconds, carried out by the next turn."""
    from chalicelib.slack.requests import parse

    return _answered(parse, _click)


@app.route("/slack/commands", methods=["POST"], content_types=FORM)
def slack_command() -> Response:
    """`/unlatch help | status | scan | cluster-…`: answered within three seconds."""
    from chalicelib.slack.requests import parse_command

    return _answered(parse_command, _command)


@app.route("/slack/events", methods=["POST"], content_types=FORM)
def slack_events() -> Response:
    """Somebody opened the Home tab: it is written anew."""
    from chalicelib.slack.requests import parse_event

    return _answered(parse_event, _home)


@app.route("/approvals", methods=["POST"])
def approve() -> Response:
    """A plan confirmed in AWS: `python -m ops approve` posts here; STS says who signed."""
    from chalicelib.flows.confirm import confirm

    return _signed(confirm)


@app.route("/cancels", methods=["POST"])
def cancel_signed() -> Response:
    """A cancel without Slack: `unlatch cancel` posts here; STS says who signed."""
    from chalicelib.flows.cancel import cancel

    return _signed(cancel)


def _opened(wired: wiring.Wiring, heard: Any) -> dict[str, Any]:
    """The call that was heard of, placed by a look at AWS, and its case opened."""
    from chalicelib.flows.hear import hear

    opened = hear(wired.ports, heard)
    return {"refused": opened} if isinstance(opened, str) else {"case_id": opened.case_id}


def _answered(parse: Callable[[bytes], T], act: Callable[[wiring.Wiring, T], Response]) -> Response:
    """What Slack sent: its own checks first, and what nobody can read; then what it asks for."""
    from chalicelib.slack.requests import UnreadableError

    with _invocation(app.lambda_context) as wired:
        if met := _met(wired):
            return met
        try:
            asked = parse(_body())
        except UnreadableError as reason:
            observability.warn("request refused", reason=str(reason))
            return Response(f"Not understood: {reason}.", PLAIN, 400)
        return act(wired, asked)


def _click(wired: wiring.Wiring, clicked: Any) -> Response:
    from chalicelib.answers import Recorded
    from chalicelib.flows.command import open_from_scan
    from chalicelib.flows.record_click import record_click

    if clicked.action.startswith("open:"):
        wired.gateway.reply(open_from_scan(wired.ports, clicked), clicked)
        return Response("", PLAIN)
    observability.about(case_id=clicked.case_id)
    answer = record_click(wired.ports, clicked)
    # The gateway brings all of Slack's messages: a cold yes does without.
    reply = {} if answer == Recorded() else _gateway(wired, clicked).reply(answer, clicked)
    return Response(reply) if reply else Response("", PLAIN)


def _command(wired: wiring.Wiring, clicked: Any) -> Response:
    from chalicelib.flows.command import command

    at = (wired.hub_account, wired.region)
    said = command(wired.ports, clicked, here=at, speech=wired.reach)
    return Response({"response_type": "ephemeral", "text": wired.gateway.said(said)})


def _home(wired: wiring.Wiring, opened: Any) -> Response:
    from chalicelib.flows.homes import opened_home

    if opened:
        opened_home(wired.homes, opened.user_id, seen_in=opened.team_id)
    return Response("", PLAIN)


def _signed(act: Callable[..., Any]) -> Response:
    """What somebody signed with their AWS sign-in."""
    with _invocation(app.lambda_context) as wired:
        assert app.current_request is not None, "only called within a request"
        host = str(app.current_request.context.get("domainName", ""))
        said = act(wired.ports, wired.identify(host), _body())
        return Response({"message": said.text}, status_code=said.status)


def _gateway(wired: wiring.Wiring, clicked: Any) -> Any:
    """Speaks as the route of this case has it."""
    from chalicelib.flows.routing import gateway_of

    return gateway_of(wired.ports, clicked.case_id) if wired.ports.routes else wired.gateway


def _body() -> bytes:
    """The body as it came, which is what Slack signed."""
    assert app.current_request is not None, "only called within a request"
    raw = app.current_request.raw_body
    return raw.encode() if isinstance(raw, str) else raw or b""


def _met(wired: wiring.Wiring) -> Response | None:
    """The answer to what is not a click: Slack's own checks, and what Slack did not sign. None: go on."""
    from chalicelib.slack.door import met

    assert app.current_request is not None, "only called within a request"
    headers, now = app.current_request.headers, datetime.now(UTC)
    said = met(_body(), headers, wired.signing_secret, now=now, warn=observability.warn)
    return Response(said.text, PLAIN, said.status) if said else None
