"""Block Kit as HTML: nothing that the bot sends is lost, and nothing that others wrote is HTML."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from chalicelib.slack.messages.fallback import plainer
from sandbox.page.blocks import render
from sandbox.page.markup import tag
from sandbox.page.words import mrkdwn, say_date
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import shown
from tests.slack.reading import words

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;"


def visible(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_every_message_of_the_bot_is_shown_whole(moment: str) -> None:
    message = shown(MOMENTS[moment]())
    for form in (message, plainer(message)):
        html = render(form.blocks, ts="1.0")
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
    html = render(blocks, ts=HOSTILE, people={HOSTILE: HOSTILE})
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


def test_an_element_escapes_what_is_no_html() -> None:
    assert tag("p", "a<b", tag("b", "c"), title='"') == '<p title="&quot;">a&lt;b<b>c</b></p>'
    assert tag("input", disabled=True, checked=False, aria_label="x") == (
        '<input disabled aria-label="x">'
    )
