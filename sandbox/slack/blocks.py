"""The shapes of Slack's blocks with their limits: a table of facts, which decides nothing.

Blocks and elements that Unlatch has no use for are not listed, so they count as unsupported.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.slack.schema import (
    Check,
    both,
    by_type,
    flag,
    items,
    number,
    one_of,
    problem,
    record,
    string,
)

BLOCK_ID = {"block_id": string(255)}
ACTION_ID = {"action_id": string(255)}


def plain(longest: int = 3000) -> Check:
    """A text object that takes no mark-up."""
    fields = record({"text": string(longest)}, {"emoji": flag})
    return by_type({"plain_text": fields})


def marked(longest: int = 3000) -> Check:
    """A text object of either kind; `emoji` belongs to plain text alone."""
    return by_type(
        {
            "plain_text": record({"text": string(longest)}, {"emoji": flag}),
            "mrkdwn": record({"text": string(longest)}, {"verbatim": flag}),
        }
    )


CONFIRM = record(
    {"title": plain(100), "text": marked(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
OPTION = record(
    {"text": plain(75), "value": string(150)}, {"description": plain(75), "url": string(3000)}
)
MARKED_OPTION = record({"text": marked(75), "value": string(150)}, {"description": marked(75)})


def _offered(value: Any, at: str) -> Iterator[str]:
    """What is preselected must be one of the options, equal in every field."""
    if not isinstance(value, dict):
        return
    options = value.get("options") or []
    chosen = [value["initial_option"]] if "initial_option" in value else []
    for option in [*chosen, *(value.get("initial_options") or [])]:
        if option not in options:
            yield problem("initial options must be among the options", at)


PLACEHOLDER = {"placeholder": plain(150), "focus_on_load": flag, "confirm": CONFIRM}
BUTTON = record(
    {"text": plain(75)},
    ACTION_ID
    | {
        "value": string(2000),
        "url": string(3000),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
SELECTS: Mapping[str, Check] = {
    "static_select": both(
        record(
            {"options": items(OPTION, most=100)},
            ACTION_ID | PLACEHOLDER | {"initial_option": OPTION},
        ),
        _offered,
    ),
    "multi_static_select": both(
        record(
            {"options": items(OPTION, most=100)},
            ACTION_ID
            | PLACEHOLDER
            | {"initial_options": items(OPTION, most=100), "max_selected_items": number(1)},
        ),
        _offered,
    ),
    "users_select": record(optional=ACTION_ID | PLACEHOLDER | {"initial_user": string()}),
    "datepicker": record(optional=ACTION_ID | PLACEHOLDER | {"initial_date": string(10)}),
    "radio_buttons": both(
        record(
            {"options": items(MARKED_OPTION, most=10)},
            ACTION_ID
            | {"initial_option": MARKED_OPTION, "focus_on_load": flag, "confirm": CONFIRM},
        ),
        _offered,
    ),
    "checkboxes": both(
        record(
            {"options": items(MARKED_OPTION, most=10)},
            ACTION_ID
            | {"initial_options": items(MARKED_OPTION, most=10)}
            | {"focus_on_load": flag, "confirm": CONFIRM},
        ),
        _offered,
    ),
}
TEXT_INPUT = record(
    optional=ACTION_ID
    | {"placeholder": plain(150), "initial_value": string(3000), "multiline": flag}
    | {"min_length": number(0, 3000), "max_length": number(1, 3000), "focus_on_load": flag},
)
IMAGE = record({"image_url": string(3000), "alt_text": string(2000)})
OVERFLOW = record({"options": items(OPTION, most=5)}, ACTION_ID | {"confirm": CONFIRM})
ACTIONS = by_type({**SELECTS, "button": BUTTON, "overflow": OVERFLOW})
ACCESSORIES = by_type({**SELECTS, "button": BUTTON, "overflow": OVERFLOW, "image": IMAGE})
INPUTS = by_type({**SELECTS, "plain_text_input": TEXT_INPUT})

STYLE = {
    "style": record(optional=dict.fromkeys(("bold", "italic", "strike", "code", "underline"), flag))
}
RICH_PIECES: Mapping[str, Check] = {
    "text": record({"text": string()}, STYLE),
    "link": record({"url": string(3000)}, STYLE | {"text": string(), "unsafe": flag}),
    "emoji": record({"name": string()}, {"unicode": string()}),
    "user": record({"user_id": string()}, STYLE),
    "usergroup": record({"usergroup_id": string()}, STYLE),
    "channel": record({"channel_id": string()}, STYLE),
    "broadcast": record({"range": one_of("here", "channel", "everyone")}),
    "date": record(
        {"timestamp": number(0), "format": string()},
        STYLE | {"url": string(3000), "fallback": string()},
    ),
}
PIECES = {"elements": items(by_type(RICH_PIECES))}
BORDER = {"border": number(0, 1)}
RICH_TEXT = record(
    {
        "elements": items(
            by_type(
                {
                    "rich_text_section": record(PIECES),
                    "rich_text_quote": record(PIECES, BORDER),
                    "rich_text_preformatted": record(
                        {"elements": items(by_type({k: RICH_PIECES[k] for k in ("text", "link")}))},
                        BORDER | {"language": string()},
                    ),
                    "rich_text_list": record(
                        {
                            "style": one_of("bullet", "ordered"),
                            "elements": items(by_type({"rich_text_section": record(PIECES)})),
                        },
                        BORDER | {"indent": number(0, 8), "offset": number(0)},
                    ),
                }
            )
        )
    },
    BLOCK_ID,
)
RICH_TEXT_ONLY = by_type({"rich_text": RICH_TEXT})
TASK_CARD = record(
    {"task_id": string(), "title": string()},
    BLOCK_ID
    | {"status": one_of("pending", "in_progress", "complete", "error")}
    | {"details": RICH_TEXT_ONLY, "output": RICH_TEXT_ONLY}
    | {
        "sources": items(by_type({"url": record({"url": string(3000), "text": string()})}), least=0)
    },
)
TABLE_CELL = by_type(
    {
        "raw_text": record({"text": string()}),
        "raw_number": record({"text": string()}, {"value": number(0)}),
        "rich_text": RICH_TEXT,
    }
)
TABLE = record(
    {"rows": items(items(TABLE_CELL, most=20), most=100)},
    BLOCK_ID
    | {
        "column_settings": items(
            record(optional={"align": one_of("left", "center", "right"), "is_wrapped": flag}),
            least=0,
            most=20,
        )
    },
)
BOTH_SURFACES: Mapping[str, Check] = {
    "header": record({"text": plain(150)}, BLOCK_ID),
    "section": record(
        optional=BLOCK_ID
        | {"text": marked(3000), "fields": items(marked(2000), most=10)}
        | {"accessory": ACCESSORIES, "expand": flag},
    ),
    "divider": record(optional=BLOCK_ID),
    "context": record(
        {
            "elements": items(
                by_type(
                    {"image": IMAGE}
                    | {"plain_text": record({"text": string(3000)}, {"emoji": flag})}
                    | {"mrkdwn": record({"text": string(3000)}, {"verbatim": flag})}
                ),
                most=10,
            )
        },
        BLOCK_ID,
    ),
    "actions": record({"elements": items(ACTIONS, most=25)}, BLOCK_ID),
    "input": record(
        {"label": plain(2000), "element": INPUTS},
        BLOCK_ID | {"hint": plain(2000), "optional": flag, "dispatch_action": flag},
    ),
    "image": record(
        {"image_url": string(3000), "alt_text": string(2000)}, BLOCK_ID | {"title": plain(2000)}
    ),
    "rich_text": RICH_TEXT,
}
NEWER: Mapping[str, Check] = {
    "plan": record(
        {"title": string()}, BLOCK_ID | {"tasks": items(by_type({"task_card": TASK_CARD}))}
    ),
    "task_card": TASK_CARD,
    "table": TABLE,
}
IN_MESSAGES = {**BOTH_SURFACES, "markdown": record({"text": string(12_000)}, BLOCK_ID)}
IN_MODALS = {
    **BOTH_SURFACES,
    "alert": record(
        {"text": marked(200)},
        BLOCK_ID | {"level": one_of("default", "info", "warning", "error", "success")},
    ),
}
