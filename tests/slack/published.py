"""What Slack's reference shows as samples: requests to an app, replies of methods. Shapes alone; ids and words are ours.

docs.slack.dev/reference/interaction-payloads, /interactivity, /events and /methods, as of autumn 2026.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEAM: Json = {"id": "T0AAAAAAAAA", "domain": "acme"}
GRID: Json = {**TEAM, "enterprise_id": "E0AAAAAAAAA", "enterprise_name": "Acme"}
USER: Json = {"id": "U0AAAAAAAAA", "username": "ann", "name": "ann", "team_id": "T0AAAAAAAAA"}
CHANNEL: Json = {"id": "C0AAAAAAAAA", "name": "ops"}
BUTTON: Json = {
    "type": "button",
    "action_id": "park",
    "block_id": "b1",
    "text": {"type": "plain_text", "text": "Park", "emoji": True},
    "value": "case-aaaaaaaaaa:3",
    "style": "primary",
    "action_ts": "1700000000.000100",
}
MESSAGE: Json = {
    "type": "message",
    "bot_id": "B0AAAAAAAAA",
    "app_id": "A0AAAAAAAAA",
    "user": "U0AAAAAAABB",
    "ts": "1700000000.000200",
    "text": "words",
    "team": "T0AAAAAAAAA",
    "blocks": [{"type": "divider", "block_id": "b0"}],
}
COMMON: Json = {
    "api_app_id": "A0AAAAAAAAA",
    "token": "a-token-of-old",
    "trigger_id": "1700000000.1234567890.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "team": TEAM,
    "user": USER,
    "enterprise": None,
    "is_enterprise_install": False,
}
VIEW: Json = {
    "id": "V0AAAAAAAAA",
    "team_id": "T0AAAAAAAAA",
    "app_id": "A0AAAAAAAAA",
    "bot_id": "B0AAAAAAAAA",
    "app_installed_team_id": "T0AAAAAAAAA",
    "type": "modal",
    "callback_id": "decide",
    "private_metadata": "case-aaaaaaaaaa:3:park:0123456789abcdef",
    "title": {"type": "plain_text", "text": "Park"},
    "close": None,
    "submit": {"type": "plain_text", "text": "Park"},
    "blocks": [],
    "hash": "1700000000.aaaaaaaa",
    "root_view_id": "V0AAAAAAAAA",
    "previous_view_id": None,
    "external_id": "",
    "clear_on_close": False,
    "notify_on_close": False,
    "state": {"values": {}},
}
VALUES: Json = {
    "text": {"a": {"type": "plain_text_input", "value": None}},
    "choice": {"a": {"type": "static_select", "selected_option": None}},
    "person": {"a": {"type": "users_select", "selected_user": "U0AAAAAAAAA"}},
    "people": {"a": {"type": "multi_users_select", "selected_users": ["U0AAAAAAAAA"]}},
    "channel": {"a": {"type": "conversations_select", "selected_conversation": "C0AAAAAAAAA"}},
    "date": {"a": {"type": "datepicker", "selected_date": "2026-12-01"}},
    "time": {"a": {"type": "timepicker", "selected_time": "12:30"}},
    "moment": {"a": {"type": "datetimepicker", "selected_date_time": 1_700_000_000}},
    "boxes": {
        "a": {
            "type": "checkboxes",
            "selected_options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "v"}],
        }
    },
    "radio": {"a": {"type": "radio_buttons", "selected_option": {"value": "v"}}},
    "rich": {"a": {"type": "rich_text_input", "rich_text_value": {"type": "rich_text"}}},
    "file": {"a": {"type": "file_input", "files": [{"id": "F0AAAAAAAAA"}]}},
    "number": {"a": {"type": "number_input", "value": "1"}},
}


def _action(**more: Any) -> Json:
    container = {
        "type": "message",
        "message_ts": MESSAGE["ts"],
        "channel_id": CHANNEL["id"],
        "is_ephemeral": False,
    }
    return {
        "type": "block_actions",
        **COMMON,
        "container": container,
        "channel": CHANNEL,
        "message": MESSAGE,
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T0AAAAAAAAA/1/aaaa",
        "actions": [BUTTON],
        **more,
    }


def _submission(**more: Any) -> Json:
    return {"type": "view_submission", **COMMON, "view": VIEW, "response_urls": [], **more}


INTERACTIONS: dict[str, Json] = {
    "a click on a message": _action(),
    "a click in an organisation": _action(
        team=GRID, enterprise={"id": "E0AAAAAAAAA", "name": "Acme"}, is_enterprise_install=True
    ),
    "a click without a team": _action(team=None, is_enterprise_install=True),
    "a click on a private answer": _action(
        container={
            "type": "message",
            "message_ts": MESSAGE["ts"],
            "channel_id": CHANNEL["id"],
            "is_ephemeral": True,
        },
        message={"type": "message", "ts": MESSAGE["ts"], "is_ephemeral": True},
    ),
    "a click in a thread": _action(message={**MESSAGE, "thread_ts": "1700000000.000001"}),
    "a click in a dialog": {
        "type": "block_actions",
        **COMMON,
        "container": {"type": "view", "view_id": VIEW["id"]},
        "view": VIEW,
        "actions": [BUTTON],
    },
    "a click in the Home tab": {
        "type": "block_actions",
        **COMMON,
        "container": {"type": "view", "view_id": VIEW["id"]},
        "view": {**VIEW, "type": "home", "title": {"type": "plain_text", "text": "View Title"}},
        "actions": [BUTTON],
    },
    "a link that is a button": _action(actions=[{**BUTTON, "url": "https://example.com"}]),
    "a choice in a menu": _action(
        actions=[{"type": "static_select", "action_id": "x", "selected_option": {"value": "v"}}]
    ),
    "an overflow menu": _action(
        actions=[{"type": "overflow", "action_id": "x", "selected_option": {"value": "v"}}]
    ),
    "a date": _action(
        actions=[{"type": "datepicker", "action_id": "x", "selected_date": "2026-12-01"}]
    ),
    "a button of a workflow": _action(
        actions=[{**BUTTON, "type": "workflow_button"}],
        function_data={"execution_id": "Fx0AAAAAAAA", "function": {"callback_id": "x"}},
        bot_access_token="xwfp-not-one",
    ),
    "a dialog": _submission(view={**VIEW, "state": {"values": VALUES}}),
    "a dialog of an organisation": _submission(team=None, is_enterprise_install=True),
    "a dialog with a place to answer": _submission(
        response_urls=[
            {
                "block_id": "b",
                "action_id": "a",
                "channel_id": "C0AAAAAAAAA",
                "response_url": "https://hooks.slack.com/app/T0AAAAAAAAA/1/aaaa",
            }
        ]
    ),
    "a dialog that was closed": {
        "type": "view_closed",
        **COMMON,
        "view": VIEW,
        "is_cleared": False,
    },
    "a shortcut": {
        "type": "shortcut",
        **COMMON,
        "callback_id": "x",
        "action_ts": "1700000000.000100",
    },
    "a shortcut on a message": {
        "type": "message_action",
        **COMMON,
        "callback_id": "x",
        "message": MESSAGE,
        "channel": CHANNEL,
        "message_ts": MESSAGE["ts"],
        "response_url": "https://hooks.slack.com/app/T0AAAAAAAAA/1/aaaa",
    },
    "a question for options": {
        "type": "block_suggestion",
        **COMMON,
        "action_id": "x",
        "block_id": "b",
        "value": "ty",
        "container": {"type": "view", "view_id": VIEW["id"]},
        "view": VIEW,
    },
    "a message of old with attachments": {
        "type": "interactive_message",
        **COMMON,
        "actions": [{"name": "x", "type": "button", "value": "v"}],
        "callback_id": "x",
        "original_message": MESSAGE,
    },
    "a dialog of old": {
        "type": "dialog_submission",
        **COMMON,
        "submission": {"name": "x"},
        "callback_id": "x",
        "state": "limo",
    },
}
"""By what happened. The sample of each is sent as `payload` of a form."""

COMMAND: dict[str, str] = {
    "token": "a-token-of-old",
    "team_id": "T0AAAAAAAAA",
    "team_domain": "acme",
    "enterprise_id": "E0AAAAAAAAA",
    "enterprise_name": "Acme",
    "channel_id": "C0AAAAAAAAA",
    "channel_name": "ops",
    "user_id": "U0AAAAAAAAA",
    "user_name": "ann",
    "command": "/unlatch",
    "text": "status",
    "response_url": "https://hooks.slack.com/commands/T0AAAAAAAAA/1/aaaa",
    "trigger_id": "1700000000.1234567890.aaaa",
    "api_app_id": "A0AAAAAAAAA",
    "is_enterprise_install": "false",
}

PROFILE: Json = {
    "real_name": "Ann",
    "display_name": "ann",
    "email": "ann@example.com",
    "status_text": "",
    "image_72": "https://example.com/72.jpg",
    "team": "T0AAAAAAAAA",
}
PERSON: Json = {
    "id": "U0AAAAAAAAA",
    "team_id": "T0AAAAAAAAA",
    "name": "ann",
    "deleted": False,
    "color": "9f69e7",
    "real_name": "Ann",
    "tz": "Europe/Amsterdam",
    "tz_offset": 3600,
    "profile": PROFILE,
    "is_admin": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "is_app_user": False,
    "updated": 1_700_000_000,
    "has_2fa": True,
}
POSTED: Json = {"ok": True, "channel": "C0AAAAAAAAA", "ts": "1700000000.000200", "message": MESSAGE}
WARNS: Json = {
    "warning": "missing_charset",
    "response_metadata": {"warnings": ["missing_charset"]},
}

REPLIES: dict[str, Json] = {
    "auth.test": {
        "ok": True,
        "url": "https://acme.slack.com/",
        "team": "Acme",
        "user": "unlatch",
        "team_id": "T0AAAAAAAAA",
        "user_id": "U0AAAAAAABB",
        "bot_id": "B0AAAAAAAAA",
        "is_enterprise_install": False,
    },
    "chat.postMessage": {**POSTED, **WARNS},
    "chat.update": {**POSTED, "text": "words"},
    "chat.delete": {"ok": True, "channel": "C0AAAAAAAAA", "ts": "1700000000.000200"},
    "chat.postEphemeral": {"ok": True, "message_ts": "1700000000.000300"},
    "views.open": {"ok": True, "view": VIEW},
    "views.update": {"ok": True, "view": VIEW},
    "views.publish": {"ok": True, "view": {**VIEW, "type": "home"}},
    "users.info": {"ok": True, "user": PERSON},
    "users.lookupByEmail": {"ok": True, "user": PERSON},
    "usergroups.users.list": {"ok": True, "users": ["U0AAAAAAAAA", "W0AAAAAAAAA"]},
    "usergroups.list": {
        "ok": True,
        "usergroups": [
            {
                "id": "S0AAAAAAAAA",
                "team_id": "T0AAAAAAAAA",
                "is_usergroup": True,
                "name": "Keepers of keys",
                "handle": "keepers",
                "is_external": False,
                "date_delete": 0,
                "user_count": 2,
            }
        ],
    },
    "conversations.info": {
        "ok": True,
        "channel": {
            **CHANNEL,
            "is_channel": True,
            "is_archived": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_pending_ext_shared": False,
            "is_member": True,
            "topic": {"value": "", "creator": "", "last_set": 0},
        },
    },
    "conversations.history": {
        "ok": True,
        "messages": [
            MESSAGE,
            {"type": "message", "user": "U0AAAAAAAAA", "text": "hi", "ts": "1.2"},
        ],
        "has_more": True,
        "pin_count": 0,
        "response_metadata": {"next_cursor": "bmV4dA=="},
    },
}
"""The success of each method that Unlatch calls."""

REFUSALS: dict[str, Json] = {
    "a word": {"ok": False, "error": "channel_not_found"},
    "a missing scope": {
        "ok": False,
        "error": "missing_scope",
        "needed": "chat:write",
        "provided": "identify,bot:basic",
    },
    "wrong blocks": {
        "ok": False,
        "error": "invalid_blocks",
        "errors": ["unsupported type: x [json-pointer:/blocks/0/type]"],
        "response_metadata": {"messages": ["[ERROR] unsupported type: x"]},
    },
    "a trigger that is over": {"ok": False, "error": "expired_trigger_id"},
    "an argument": {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {"messages": ["[ERROR] missing required field: channel"]},
    },
}
