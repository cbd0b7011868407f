"""Reads messages as a person would, and checks them against Slack's limits in three ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block as SdkBlock

from chalicelib.slack.messages.fallback import plainer
from chalicelib.slack.messages.text import Message
from sandbox.slack.limits import check_message, check_view

Json = dict[str, Any]
IN_MODALS_ONLY = "alert"
NEWER = {"plan", "task_card", "table", "alert"}
LONGEST = {"header": 150, "section": 3000}


def nodes(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from nodes(child)


def header(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def words(blocks: Any) -> str:
    """All words that are shown, in order; dates as their fallback."""
    found = []
    for node in nodes(blocks):
        if isinstance(node.get("text"), str):
            found.append(node["text"])
        if node.get("type") == "date":
            found.append(node["fallback"])
        if node.get("type") == "user":
            found.append(f"@{node['user_id']}")
        found += [node[name] for name in ("title",) if isinstance(node.get(name), str)]
    return " ".join(" ".join(found).split())


def buttons(message: Message) -> dict[str, str]:
    """Labels by action id, in the order in which they are shown."""
    return {
        b["action_id"]: b["text"]["text"]
        for b in nodes(message.blocks)
        if b.get("type") == "button"
    }


def button(message: Message, action_id: str) -> Json:
    return next(b for b in nodes(message.blocks) if b.get("action_id") == action_id)


def question(message: Message, action_id: str) -> str:
    return str(button(message, action_id)["confirm"]["text"]["text"])


def marked(blocks: Any) -> str:
    """All mrkdwn, where words of others must not stand as they are."""
    texts = [node["text"] for node in nodes(blocks) if node.get("type") == "mrkdwn"]
    return "\n".join(texts)


def problems(message: Message) -> list[str]:
    """What is wrong with a message, and with its plainer form."""
    plain = plainer(message)
    kinds = {node.get("type") for node in nodes(plain.blocks)}
    return [
        *check_message(list(message.blocks), message.text),
        *check_message(list(plain.blocks), plain.text, plan_blocks=False),
        *sdk_problems(message.blocks),
        *[f"plainer still has {kind}" for kind in kinds & NEWER],
        *[
            f"{n['type']} stands in a message"
            for n in nodes(message.blocks)
            if n.get("type") == IN_MODALS_ONLY
        ],
        *own_problems(message.blocks),
        *([] if message.text.strip() else ["no notification text"]),
    ]


def view_problems(view: Json) -> list[str]:
    return [*check_view(view), *sdk_problems(view["blocks"]), *own_problems(view["blocks"])]


def sdk_problems(blocks: Any) -> list[str]:
    """What the SDK's own models would refuse."""
    found = []
    for block in blocks:
        parsed = SdkBlock.parse(block)
        if parsed is None:
            found.append(f"the SDK does not know {block['type']}")
            continue
        try:
            parsed.to_dict()
        except Exception as error:  # noqa: BLE001  # the SDK has an error of its own for each rule
            found.append(f"{block['type']}: {error}")
    return found


def own_problems(blocks: Any) -> list[str]:
    """Limits that matter most, said again in a few lines that owe nothing to the sandbox."""
    found = ["more than 50 blocks"] if len(blocks) > 50 else []
    for node in nodes(blocks):
        kind, text = node.get("type"), node.get("text")
        longest = LONGEST.get(str(kind))
        if longest and isinstance(text, dict) and len(text["text"]) > longest:
            found.append(f"{kind} is too long")
        if kind == "button" and len(node["text"]["text"]) > 75:
            found.append("a button is too long")
        if len(str(node.get("accessibility_label", ""))) > 75:
            found.append("a spoken label is too long")
        if kind == "alert" and len(node["text"]["text"]) > 200:
            found.append("an alert is too long")
    ids = [n["action_id"] for n in nodes(blocks) if "action_id" in n]
    if len(ids) != len(set(ids)):
        found.append("an action id stands twice")
    try:
        json.dumps(blocks, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        found.append("lone surrogates can’t be sent")
    return found
