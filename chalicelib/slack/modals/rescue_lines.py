"""What happens in a rescue, line by line, for its dialog. Our own words, numbers and ids only."""

from __future__ import annotations

from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.slack.messages.blocks import Piece, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import clean, count

Line = list[Piece]


def lines(_shown: Shown, plan: Plan) -> list[Line]:
    made = len(plan.names(Operation.CREATE_HSM))
    told: list[Line] = []
    if plan.backup_id:
        told.append([text("Now: the backup is kept for good")])
        words = f"A new cluster is made from it (hsm2m.medium, {clean(plan.mode)}), then "
        told.append([text(f"{words}{count(made, 'HSM')}, one after the other")])
        told.append(
            [text("The key store is disconnected, pointed to the new cluster and connected")]
        )
    elif made:
        told.append([text(f"Now: {count(made, 'HSM')} are made, one after the other")])
    if not plan.backup_id:
        again = "If a key fails all the same, the" if plan.if_needed and made else "The"
        told.append([text(f"{again} key store is disconnected and connected again")])
    checks = "Each enabled key is used once, to check. If AWS can’t log in, Unlatch stops with the "
    return [*told, [text(f"{checks}commands for a crypto officer")]]
