"""Each request's way through the sandbox's AWS: identity, fault, answer, check, records.

Holds no lock while it calls moto, listeners or the killer of functions.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from moto.core.exceptions import JsonRESTError

from sandbox.aws.calls import AwsError, Call, RequestContext, json_object, read_request
from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudtrail import RECORDED
from sandbox.aws.faults import Fault
from sandbox.aws.replies import (
    CHECKED,
    Reply,
    WrongReplyError,
    check_error,
    check_result,
    injected,
    render,
    render_error,
    throttled,
)
from sandbox.aws.signatures import wrong_signature
from sandbox.aws.validation import check_request
from sandbox.loopback import HungUpError, broken_off
from sandbox.torn import TORN, Torn, tear

logger = logging.getLogger(__name__)
Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
TOLD_CODE = re.compile(rb"<Code>([^<]+)</Code>.*?<Message>([^<]*)</Message>", re.DOTALL)
RESET = "/moto-api/reset"  # moto forgets everything at this address, and so must we
STATUS_TEXT = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class Middleware:
    """The WSGI application that stands before moto's."""

    def __init__(self, server: Cloud, moto: App) -> None:
        self._server = server
        self._moto = moto
        self.stopped = threading.Event()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = read_request(environ)
        if request is None:  # unsigned: moto's own pages, or a deployed API
            if environ["PATH_INFO"] == RESET and environ["REQUEST_METHOD"] == "POST":
                self._server.forget()
            return self._moto(environ, start_response)
        server = self._server
        identity = server.identity.find(request.access_key)
        visit = RequestContext(
            request, identity, server.clock.now(), differs=frozenset(server.regions.differs)
        )
        fault = server.faults.hit(request.name) if self._by_bot(visit) else None
        reply = self._play(visit, environ, fault=fault)
        if fault is not None and fault.kind in TORN:
            sent = tear(fault.kind, reply.body, reply.headers)
        else:
            sent = Torn(reply.body, len(reply.body), reply.headers)
        start_response(f"{reply.status} {STATUS_TEXT.get(reply.status, 'Error')}", [
            *sent.headers, ("Content-Length", str(sent.length)),
        ])  # fmt: skip
        return broken_off(sent.body) if sent.breaks_off else [sent.body]

    def _play(self, visit: RequestContext, environ: Environ, *, fault: Fault | None) -> Reply:
        """Answer the request, or let happen to it what the fault says."""
        match fault.kind if fault else "":
            case "throttle":
                return self._refuse(visit, throttled(visit.request))
            case "error" if fault:
                return self._refuse(visit, injected(visit.request, fault.code))
            case "crash_before":
                self._remember(visit, error="crash_before", landed=False)
                self._server.kill(visit.request.peer_port)
                raise HungUpError
        reply = self._answer(visit, environ)
        landed = reply.error is None and visit.changed and not visit.read_only
        match fault.kind if fault else "":
            case "timeout" | "crash_after" as kind:
                self._remember(visit, error=kind, landed=landed)
                if kind == "crash_after":
                    self._server.kill(visit.request.peer_port)
                raise HungUpError
            case kind:
                told = kind if kind in TORN else None
                self._remember(visit, error=reply.error or told, landed=landed)
        if fault and fault.kind == "slow":
            self.stopped.wait(fault.seconds or 0)
        return reply

    def _answer(self, visit: RequestContext, environ: Environ) -> Reply:
        try:
            check_request(visit.request, differs=visit.differs)
            denied = self._denied(visit) or self._unsigned(visit, environ)
            if denied is not None:
                return self._refused(visit, denied)
            result = self._ours(visit)
            if result is not None:
                return self._told(visit, result)
        except AwsError as error:
            return self._refused(visit, error, check=True)
        except JsonRESTError as error:  # of a part of moto that the sandbox uses
            told = AwsError(str(error.error_type), str(error.message))
            return self._refused(visit, told, check=True)
        except WrongReplyError as error:
            return self._broken(visit, error)
        return self._from_moto(visit, environ)

    def _ours(self, visit: RequestContext) -> dict[str, Any] | None:
        """The sandbox's own answer, or None if moto answers."""
        server = self._server
        try:
            with server.regions.lock:
                server.settle(visit.account, visit.region)
                answer = server.services.get(visit.request.service)
                result = answer(visit) if answer is not None else None
                server.await_deletions(visit.account, visit.region)
                return result
        finally:
            server.tell_deletions()

    def _told(self, visit: RequestContext, result: dict[str, Any]) -> Reply:
        request = visit.request
        if request.service in CHECKED:
            check_result(request.service, request.operation, result=result)
        self._record(visit, result, error=None)
        return render(request, result, request_id=visit.request_id)

    def _refuse(self, visit: RequestContext, error: AwsError) -> Reply:
        reply = self._refused(visit, error)
        self._remember(visit, error=error.code, landed=False)
        return reply

    def _refused(self, visit: RequestContext, error: AwsError, *, check: bool = False) -> Reply:
        if check and visit.request.service in CHECKED:
            try:
                check_error(visit.request, error.code)
            except WrongReplyError as wrong:
                return self._broken(visit, wrong)
        self._record(visit, None, error=error)
        return render_error(visit.request, error, request_id=visit.request_id)

    def _broken(self, visit: RequestContext, wrong: WrongReplyError) -> Reply:
        logger.error("The sandbox answered what AWS can't: %s", wrong)
        error = AwsError("InternalFailure", f"Sandbox fault: {wrong}", status=500)
        return render_error(visit.request, error, request_id=visit.request_id)

    def _from_moto(self, visit: RequestContext, environ: Environ) -> Reply:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = visit.account
        return _captured(self._moto, environ)

    def _denied(self, visit: RequestContext) -> AwsError | None:
        request, hook, guard = visit.request, self._server.deny, self._server.guard
        reason = (
            hook(visit.identity, request.service, request.operation, request.params)
            if hook is not None
            else None
        )
        if reason is None and guard is not None:
            reason = guard.denial(visit)
        if reason is None:
            return None
        error = injected(request, "AccessDeniedException")
        return AwsError(error.code, reason, status=error.status)

    def _unsigned(self, visit: RequestContext, environ: Environ) -> AwsError | None:
        """Signatures count if they are the proof of who calls; elsewhere they are taken on trust."""
        if visit.request.name != "sts:GetCallerIdentity":
            return None
        secret = self._server.identity.secret_of(visit.request.access_key)
        return wrong_signature(environ, visit.request, secret=secret)

    def _record(
        self, visit: RequestContext, result: dict[str, Any] | None, *, error: AwsError | None
    ) -> None:
        if visit.request.service in RECORDED:
            self._server.trail.add(visit, result, error=error)

    def _by_bot(self, visit: RequestContext) -> bool:
        return not visit.identity.deployment and self._server.is_bot(visit.identity.role)

    def _remember(self, visit: RequestContext, *, error: str | None, landed: bool) -> None:
        request, identity = visit.request, visit.identity
        call = Call(
            at=visit.now,
            account=visit.account,
            region=visit.region,
            service=request.service,
            operation=request.operation,
            params=request.params,
            error=error,
            role=identity.role,
            source_identity=identity.source_identity,
            tags=identity.tags,
            user_agent=request.user_agent,
            landed=landed,
            request_id=visit.request_id,
            by_bot=self._by_bot(visit),
            by_deployment=identity.deployment,
        )
        self._server.calls.append(call)


def _captured(app: App, environ: Environ) -> Reply:
    """Run moto's application; its reply with the error that it tells."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[..., Any]:
        told.append((status, headers))
        return lambda _: None

    chunks = app(environ, start_response)
    body = b"".join(chunks)
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
    status, headers = int(told[-1][0].split(" ", 1)[0]), told[-1][1]
    kept = tuple((name, value) for name, value in headers if name.lower() != "content-length")
    reply = Reply(status, body, kept, result=json_object(body) if body.startswith(b"{") else None)
    if status < 300:
        return reply
    code, message = _told_error(reply)
    return replace(reply, error=code, message=message)


def _told_error(reply: Reply) -> tuple[str, str]:
    told = reply.result or {}
    message = str(told.get("message") or told.get("Message") or "")
    for name, value in reply.headers:
        if name.lower() == "x-amzn-errortype":
            return value.split(":", 1)[0], message
    if "__type" in told:
        return str(told["__type"]).rsplit("#", 1)[-1], message
    if found := TOLD_CODE.search(reply.body):
        return found[1].decode(), found[2].decode()
    return str(reply.status), message
