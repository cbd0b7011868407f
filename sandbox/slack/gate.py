"""Slack's front door for the bot: who calls, how fast, what goes wrong, and then the method."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

from sandbox.loopback import broken_off, peer_port
from sandbox.slack.methods import call, scopes_of
from sandbox.slack.rates import RateLimits
from sandbox.slack.records import BOT_TOKEN, Fault, Faults, Json, Message, SlackRefusal
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import Hook
from sandbox.torn import tear


@dataclass(kw_only=True)
class Gate:
    """Answers each request from outside. None closes the connection without an answer."""

    web_api: WebApi
    faults: Faults | None
    kill: Callable[[int], None] | None
    rates: RateLimits
    down: bool = False
    token: str = BOT_TOKEN
    refusal: str = "invalid_auth"
    """What Slack says of any other token."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Response | None:
        if self.down:
            return None
        place, _, rest = request.path.lstrip("/").partition("/")
        match request.method, place:
            case "POST", "api":
                return self._with_faults(f"slack:{rest}", request, lambda: self._api(rest, request))
            case "POST", "respond":
                return self._with_faults(
                    "slack:response_url", request, lambda: self._respond(rest, request)
                )
        return Response("not found", 404)

    def _with_faults(
        self, call: str, request: Request, land: Callable[[], Response]
    ) -> Response | None:
        fault = self.faults.hit(call) if self.faults else None
        if fault is None:
            return land()
        reply: Response | None = None
        match fault.kind:
            case "throttle":
                reply = _throttled(int(fault.seconds or 1))
            case "error":
                reply = _answer(_refusal(SlackRefusal(fault.code or "internal_error")))
            case "slow":
                self.stopping.wait(_seconds(fault))
                reply = land()
            case "timeout":
                land()
            case "crash_before":
                self._kill_caller(request)
            case "crash_after":
                land()
                self._kill_caller(request)
            case "cut" | "dropped" | "empty" as kind:
                reply = _torn(kind, land())
            case unknown:
                raise ValueError(f"the local Slack knows no fault of the kind {unknown}")
        return reply

    def _kill_caller(self, request: Request) -> None:
        if self.kill:
            self.kill(peer_port(request))

    def _api(self, method: str, request: Request) -> Response:
        try:
            args = arguments(request)
            self._authenticate(request, args)
            wait = self.rates.wait_seconds(method, args)
            reply = _throttled(wait) if wait else _answer(call(self.web_api, method, args))
        except SlackRefusal as refused:
            reply = _answer(_refusal(refused))
        reply.headers["X-OAuth-Scopes"] = scopes_of(self.web_api)
        return reply

    def _authenticate(self, request: Request, args: Json) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not (token or args.get("token")):
            raise SlackRefusal("not_authed")
        if (token or args["token"]) != self.token:
            raise SlackRefusal(self.refusal)

    def _respond(self, hook_id: str, request: Request) -> Response:
        try:
            hook = self.web_api.workspace.use_hook(hook_id)
            self._follow(hook, arguments(request))
        except SlackRefusal as refused:
            return _answer(_refusal(refused), status=404 if "_url" in refused.error else 400)
        return Response("ok")

    def _follow(self, hook: Hook, args: Json) -> None:
        """What a response_url is told to do with its message, or to say beside it."""
        workspace = self.web_api.workspace
        replaced = hook.message_ts if args.get("replace_original") in (True, "true") else None
        if args.get("delete_original") in (True, "true") and hook.message_ts:
            workspace.remove(hook.message_ts)
            return
        text, blocks = self.web_api.content(args)
        if replaced and workspace.find_message(replaced):
            workspace.update(replaced, text=text, blocks=blocks)
        elif args.get("response_type") == "in_channel":
            thread = args.get("thread_ts")
            workspace.post(
                Message(channel=hook.channel, ts="", thread_ts=thread, text=text, blocks=blocks)
            )
        else:
            thread = args.get("thread_ts")
            workspace.whisper(hook.user, hook.channel, text=text, blocks=blocks, thread_ts=thread)


def arguments(request: Request) -> Json:
    """The arguments from query string and body; slack_sdk sends reads in the query string."""
    args: Json = request.args.to_dict()
    if not request.is_json:
        return args | request.form.to_dict()
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as unreadable:
        raise SlackRefusal("invalid_json") from unreadable
    if not isinstance(body, dict):
        raise SlackRefusal("json_not_object")
    return args | body


def _torn(kind: str, reply: Response) -> Response:
    sent = tear(kind, reply.get_data())
    body = broken_off(sent.body) if sent.breaks_off else [sent.body]
    torn = Response(body, reply.status, reply.headers)
    torn.content_length = sent.length
    return torn


def _seconds(fault: Fault) -> float:
    return 1.0 if fault.seconds is None else fault.seconds


def _refusal(refused: SlackRefusal) -> Json:
    answer: Json = {"ok": False, "error": refused.error, **refused.fields}
    if refused.details:
        answer["errors"] = refused.details
        answer["response_metadata"] = {"messages": [f"[ERROR] {said}" for said in refused.details]}
    return answer


def _throttled(seconds: int) -> Response:
    answer = _answer(_refusal(SlackRefusal("ratelimited")), status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _answer(answer: Json, *, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json; charset=utf-8")
