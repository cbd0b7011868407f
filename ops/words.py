"""Words that were written for Slack, as a terminal has them. Judges nothing."""

from __future__ import annotations

import re

MENTION = re.compile(r"<@([^>]+)>")
PRESS = re.compile(r"\b([Pp])ress (?:Try|Check) again")
ASKS_AGAIN = " If AWS has changed meanwhile, Unlatch asks again first."


def for_a_shell(reason: str) -> str:
    """Advice without mark-up, for somebody who has no buttons."""
    plain = MENTION.sub(r"\1", reason).replace("`", "").replace(ASKS_AGAIN, "")
    return PRESS.sub(lambda found: f"{'R' if found[1] == 'P' else 'r'}un the command again", plain)
