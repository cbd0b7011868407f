"""Shapes of dialogs: the view around the blocks, and its inputs. Block id and action id are the same word."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import plain
from chalicelib.slack.messages.fallback import plainer_blocks
from chalicelib.slack.messages.text import PERSON, Block, ident

LONGEST_REASON = 500
MOST_BOXES, MOST_OPTIONS = 10, 100


def modal(
    title: str,
    blocks: Sequence[Block],
    *,
    callback_id: str,
    metadata: str,
    submit: str = "",
    close: str = "Back",
) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": metadata,
        "blocks": list(blocks)[:100],
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def metadata(case: Case, remedy: Remedy, plan_hash: str = "") -> str:
    """Which case, as of when, which way, and exactly which plan was shown."""
    return f"{case.case_id}:{case.version}:{remedy.value}:{plan_hash}"


def fit_for(case: Case, blocks: Sequence[Block]) -> list[Block]:
    """Without newer blocks if this Slack has shown that it lacks them."""
    return plainer_blocks(blocks) if case.message.plain_blocks else list(blocks)


def alert(words: str, level: str) -> Block:
    """Dialogs only. `level` is info, warning or error."""
    return {"type": "alert", "level": level, "text": plain(words, 200)}


def given(block_id: str, label: str, element: Block, hint: str = "") -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": {**element, "action_id": block_id},
    }
    return {**block, "hint": plain(hint, 2000)} if hint else block


def typed_cluster_id(case: Case) -> Block:
    element = {"type": "plain_text_input", "multiline": False, "max_length": 64}
    return given("cluster_id", f"Type the cluster id: {facts.cluster(case)}", element)


def reason(hint: str, *, first: str = "") -> Block:
    element: Block = {"type": "plain_text_input", "multiline": False, "max_length": LONGEST_REASON}
    if first:
        element["initial_value"] = first
    return given("reason", "Reason", element, hint)


BOXES = {"override": "in_use", "unproven": "unproven"}
"""Block ids of boxes, and the value that a ticked one sends."""


def box(block_id: str, label: str, words: str) -> Block:
    """A box that must be ticked; Slack does not send the dialog without it."""
    options = [{"text": plain(words, 75), "value": BOXES[block_id]}]
    return given(block_id, label, {"type": "checkboxes", "options": options})


def subnets(choices: Sequence[tuple[str, str, str]], ticked: Sequence[str], hint: str) -> Block:
    """Values, labels and second lines ("" for none); boxes, or a menu if there are more than ten."""
    options: list[Block] = []
    for value, label, more in choices:
        option: Block = {"text": plain(label, 75), "value": value}
        options.append({**option, "description": plain(more, 75)} if more else option)
    element: Block = {"type": "checkboxes", "options": options}
    if len(options) > MOST_BOXES:
        element = {"type": "multi_static_select", "options": options[:MOST_OPTIONS]}
        element["max_selected_items"] = MOST_BOXES
    first = [option for option in element["options"] if option["value"] in ticked]
    if first:
        element["initial_options"] = first[:MOST_BOXES]
    return given("subnets", "Subnets of the new cluster", element, hint)


def target(clusters: Sequence[tuple[str, str]], chosen: str) -> Block:
    """Ids and labels of the clusters to choose from."""
    options = [{"text": plain(label, 75), "value": value} for value, label in clusters[:10]]
    first = next((o for o in options if o["value"] == chosen), options[0])
    element = {"type": "radio_buttons", "options": options, "initial_option": first}
    return given(
        "target",
        "Move the keys to",
        element,
        "Only clusters with the same certificate are listed.",
    )


def how_long(days: Sequence[int], first: int) -> Block:
    options = [{"text": plain(f"{n} days", 75), "value": f"{n}d"} for n in days]
    chosen = options[list(days).index(first)]
    return given(
        "for",
        "Ask again in",
        {"type": "static_select", "options": options, "initial_option": chosen},
    )


def owner(user: str) -> Block:
    element: Block = {"type": "users_select"}
    if PERSON.fullmatch(user):
        element["initial_user"] = ident(user)
    return given("owner", "Who looks after it", element)
