"""What Slack does with the app's answers to a submission, a command or a check of its URL."""

import json
from typing import Any

from sandbox.slack.limits import check_view
from sandbox.slack.records import CHANNEL, Message, SlackRefusal, View
from sandbox.slack.web_api import WebApi


def follow_submission(api: WebApi, view: View, body: str) -> str | None:
    """Does to the modal what the answer says; else what Slack would show."""
    try:
        answer = json.loads(body) if body.strip() else {}
    except ValueError:
        return "the answer to the submission is not JSON"
    match answer.get("response_action") if isinstance(answer, dict) else answer:
        case None:
            api.views.close(view)
        case "clear":
            api.views.close_all(view.user)
        case "errors":
            return _misplaced(view, answer.get("errors"))
        case "update" | "push" as action:
            return _show_view(api, view, action, answer.get("view"))
        case unknown:
            return f"unknown response_action: {unknown}"
    return None


def _show_view(api: WebApi, view: View, action: str, shown: Any) -> str | None:
    problems = check_view(shown)
    if problems:
        return "; ".join(problems)
    try:
        if action == "push":
            api.views.push(view, shown)
        else:
            api.views.update(view.id, shown)
    except SlackRefusal as refused:
        return refused.error
    return None


def _misplaced(view: View, errors: Any) -> str | None:
    """Slack shows an error only beside an input that the modal has."""
    inputs = {block.get("block_id") for block in view.blocks if block["type"] == "input"}
    if isinstance(errors, dict) and errors and errors.keys() <= inputs:
        return None
    return f"the errors name no input of the modal: {errors}"


def follow_command(api: WebApi, user: str, body: str) -> str | None:
    """JSON or plain text, to this person unless it says otherwise; else what Slack would show."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {"text": body}
    try:
        text, blocks = api.content(answer if isinstance(answer, dict) else {})
    except SlackRefusal as refused:
        return refused.error
    if answer.get("response_type") == "in_channel":
        api.workspace.post(
            Message(channel=CHANNEL, ts="", thread_ts=None, text=text, blocks=blocks)
        )
    else:
        api.workspace.whisper(user, CHANNEL, text=text, blocks=blocks, thread_ts=None)
    return None


def is_challenge_met(challenge: str, body: str) -> bool:
    """The challenge comes back as plain text, as a form or as JSON."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = body.strip().removeprefix("challenge=")
    return challenge == (answer.get("challenge") if isinstance(answer, dict) else answer)
