"""Which Python the functions run on: the one that deploys. Refuses one that Lambda does not offer. Calls nothing."""

from __future__ import annotations

from datetime import date, timedelta

from ops.errors import OperatorError
from ops.exits import Exit

OFFERED_UNTIL = {
    (3, 11): date(2027, 6, 30),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 6, 30),
    (3, 14): date(2029, 6, 30),
}
"""AWS’s table of Lambda runtimes, October 2026: Lambda supports each until this day."""
PREVIEWED = {(3, 15)}
SOON = timedelta(days=180)
BEST = "3.13 or 3.14"


def runtime(version: tuple[int, int], today: date) -> str:
    """`python3.13`. Raises OperatorError for what functions can’t, or should not, run on."""
    name = f"Python {version[0]}.{version[1]}"
    use = f"Use Python {BEST}: rm -r .venv, then make setup PYTHON=python{BEST[:4]}"
    if version in PREVIEWED:
        reason = f"Lambda only previews {name}: AWS promises no fixes and may take it away."
        raise OperatorError(reason, use, code=Exit.DECLINED)
    until = OFFERED_UNTIL.get(version)
    if until is None:
        offered = ", ".join(f"{major}.{minor}" for major, minor in OFFERED_UNTIL)
        reason = f"Lambda does not offer {name}; it offers {offered}."
        raise OperatorError(reason, use, code=Exit.DECLINED)
    if today > until:
        raise OperatorError(
            f"Lambda’s support of {name} ended on {until}.", use, code=Exit.DECLINED
        )
    return f"python{version[0]}.{version[1]}"


def about(version: tuple[int, int], today: date) -> str:
    """The runtime in words, with a warning half a year before its end."""
    name, until = runtime(version, today), OFFERED_UNTIL[version]
    said = f"{name}, which Lambda supports until {until}"
    return f"{said}. Move to Python {BEST} before then" if until - today < SOON else said
