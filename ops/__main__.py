"""`python -m ops VERB`: hands over to the verb’s module, and puts expected trouble into words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from ops import (
    approve,
    audit,
    cancel,
    cases,
    deploy,
    destroy,
    diagnose,
    doctor,
    freeze,
    replay,
    thaw,
)
from ops.desk import Desk
from ops.screen import Screen
from ops.trouble import EXPECTED, trouble_of

VERBS = (deploy, doctor, diagnose, cases, approve, cancel, freeze, thaw, replay, audit, destroy)
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, desk: Desk | None = None) -> int:
    """0: all is well; 1: something is wrong; 2: not understood."""
    desk = desk or Desk(Screen(sys.stdout, sys.stderr), lambda: datetime.now(UTC))
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(commands)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as said:
        return int(said.code or 0)
    try:
        return int(options.run(options, desk))
    except EXPECTED as error:
        trouble = trouble_of(error)
        desk.screen.wrong(trouble.reason)
        for advice in trouble.advice:
            desk.screen.wrong(f"  → {advice}")
        return 1
    except KeyboardInterrupt:
        desk.screen.wrong("Interrupted. Run the command again: every step can be repeated.")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
