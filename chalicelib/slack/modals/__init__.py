"""The dialogs, as pure functions from a case to views. Nothing counts until a dialog is sent."""

from chalicelib.slack.modals.answers import (
    changed,
    field_error,
    impossible,
    loading,
    said,
    wrong_id,
)
from chalicelib.slack.modals.decide import decide

__all__ = ["changed", "decide", "field_error", "impossible", "loading", "said", "wrong_id"]
