"""What Unlatch asks once more and reminds of, for the thread."""

from __future__ import annotations

from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case
from chalicelib.slack.messages.blocks import WARNING, date, symbol, text
from chalicelib.slack.messages.happened import Told, moment


def once_more(_entry: Entry, _case: Case) -> Told:
    words = (
        "The next step can’t be undone, and the last approval is old. The plan stands as it was "
        "approved; one fresh yes lets it go on."
    )
    return "One fresh yes is needed", [text(words)]


def reminded(entry: Entry, _case: Case) -> Told:
    """A reminder before nobody's silence decides, or before the keys go."""
    until = moment(entry["until"])
    when = [date(until)] if until else [text("soon")]
    if entry["what"] == "keys":
        words = text(
            ". After that nobody can bring them back. To cancel, use the button in the message above."
        )
        return "Last call", [symbol(WARNING), text(" The keys will be deleted on "), *when, words]
    if entry["what"] == "once more":
        return "Reminder", [text("Nobody has said yes yet. The plan waits until somebody does.")]
    words = text(". Nothing changes then. The message above shows what can be decided.")
    return "Reminder", [text("Nobody has decided yet. The case closes "), *when, words]
