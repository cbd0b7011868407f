"""Block Kit as HTML: nothing that the bot sends is lost, and nothing that others wrote is HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

import pytest

from chalicelib.slack.messages.fallback import plainer
from sandbox.page.templates import ENVIRONMENT, attributes
from sandbox.page.words import mrkdwn, say_date
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import shown
from tests.slack.reading import words

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;"


def render(blocks: Sequence[Mapping[str, Any]], place: str, people: Mapping[str, str]) -> str:
    module: Any = ENVIRONMENT.get_template("blocks.html").module
    return str(module.blocks(blocks, place, people))


def visible(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_every_message_of_the_bot_is_shown_whole(moment: str) -> None:
    message = shown(MOMENTS[moment]())
    for form in (message, plainer(message)):
        html = render(form.blocks, "1.0", {})
        assert "[" not in visible(html).replace("[redacted", "")
        assert len(visible(html)) > 0.8 * len(words(form)) - 200


def test_foreign_text_never_becomes_html() -> None:
    text = {"type": "text", "text": HOSTILE, "style": {"bold": True, "code": True}}
    rich = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [text]},
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [text]}],
            },
            {"type": "rich_text_preformatted", "elements": [text]},
        ],
    }
    plain = {"type": "plain_text", "text": HOSTILE, "emoji": True}
    marked = {"type": "mrkdwn", "text": f"*{HOSTILE}* `{HOSTILE}` <{HOSTILE}|{HOSTILE}>"}
    button = {
        "type": "button",
        "text": plain,
        "action_id": HOSTILE,
        "value": HOSTILE,
        "accessibility_label": HOSTILE,
        "confirm": dict.fromkeys(("title", "text", "confirm", "deny"), plain),
    }
    task = {"type": "task_card", "title": HOSTILE, "status": "pending", "output": rich}
    field = {
        "type": "input",
        "block_id": HOSTILE,
        "label": plain,
        "hint": plain,
        "element": {"type": "plain_text_input", "initial_value": HOSTILE},
    }
    options = [{"text": plain, "value": HOSTILE}]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain},
        {"type": "section", "text": marked, "fields": [plain, marked], "accessory": button},
        {"type": "context", "elements": [plain, marked]},
        {"type": "actions", "elements": [button]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}], [rich]]},
        {"type": "plan", "title": HOSTILE, "tasks": [task]},
        {"type": "alert", "level": "error", "text": plain},
        field,
        {**field, "element": {"type": "checkboxes", "options": options}},
        {**field, "element": {"type": "static_select", "options": options}},
        {**field, "element": {"type": "users_select"}},
        {"type": "markdown", "text": HOSTILE},
        {"type": HOSTILE},
        rich,
    ]
    html = render(blocks, HOSTILE, {HOSTILE: HOSTILE})
    assert "<img" not in html
    # in an attribute, the quote would end it
    assert 'alert(1)>"' not in html
    assert visible(html).count("onerror=alert(1)") >= 20


def test_mrkdwn_reads_as_in_slack() -> None:
    said = mrkdwn("*Park*: `a_b` of <@alice>, <!subteam^S0KEYS> &lt;b&gt; 2*3*4 :warning:\nby hand")
    assert said.startswith('<b>Park</b>: <code>a_b</code> of <span class="at">@Alice</span>, ')
    assert '<span class="at">@kms-approvers</span> &lt;b&gt; 2*3*4 <svg' in said
    assert said.endswith("<br>by hand")
    assert mrkdwn("<!date^1772507220^{date_short_pretty}, {time}|x>") == "3 Mar, 03:07 UTC"
    assert say_date(1772507261, "{time_secs}") == "03:07:41 UTC"


def test_attributes_are_escaped_and_left_out() -> None:
    given = {"disabled": True, "checked": False, "value": None, "aria_label": '"x'}
    assert attributes(given) == ' disabled="" aria-label="&#34;x"'


def test_links_lead_to_messages_of_this_page_alone() -> None:
    said = mrkdwn("<https://local.slack.com/archives/C0UNLATCH/p1772420820000001|the message>")
    assert said == '<a href="#m-1772420820.000001" data-place="channel">the message</a>'
    assert mrkdwn("<https://example.com|elsewhere>") == "<u>elsewhere</u>"
