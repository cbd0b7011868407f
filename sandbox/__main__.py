"""The sandbox's commands: `python -m sandbox play FILE`, `demo`, `aws` and more. Never reaches a real AWS or Slack."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from sandbox.permissions.command import add_to as add_permissions
from sandbox.reliability.commands import add_to as add_reliability
from sandbox.scenario.command import OpenSandbox, play_file
from sandbox.scenario.model import Scenario

INTERRUPTED = 130
HIGHEST_PORT, FASTEST = 65_535, 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_play(commands.add_parser("play", help="play a scenario and check what it expects"))
    _add_demo(commands.add_parser("demo", help="serve the demo page on this machine"))
    _add_aws(commands.add_parser("aws", help="serve the sandbox's AWS alone, for other programs"))
    _add_pictures(commands.add_parser("pictures", help="take the pictures of docs/pictures"))
    add_reliability(commands)
    add_permissions(commands)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        return INTERRUPTED


def _add_play(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, help="a scenario, such as sandbox/scenarios/flagship.yaml"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the story")
    parser.add_argument(
        "--debug",
        action="store_true",
        help="on stderr: what the functions printed, and a traceback if the sandbox breaks",
    )
    parser.add_argument(
        "--rights", type=Path, metavar="FILE", help="write which rights the bot used to this file"
    )
    parser.set_defaults(run=_play)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, help="instead of the usual one, or any that is free")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument("--scenario", type=Path, help="a world of your own to begin with")
    parser.set_defaults(run=_demo)


def _add_aws(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=0, help="any that is free, unless given")
    parser.add_argument(
        "--seed", type=Path, metavar="FILE", help="a scenario, or its world: part alone"
    )
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="how many seconds pass there in one of ours"
    )
    parser.set_defaults(run=_aws)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/pictures"))
    parser.set_defaults(run=_pictures)


def _demo(chosen: argparse.Namespace) -> int:
    from sandbox.page.command import serve  # `play` does without

    with own_stdout() as out:
        show_page = _ignore if chosen.no_browser else open_in_browser
        return serve(
            chosen.scenario, port=chosen.port, out=out, err=sys.stderr, show_page=show_page
        )


def open_in_browser(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a browser with a window was asked to show it; one in this terminal would be in the way."""
    has_windows = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & {*environ}
    if not has_windows:
        return False
    import webbrowser  # `play` does without

    return webbrowser.open(url)


def _ignore(_: str) -> bool:
    return False


def _port(text: str) -> int:
    if not text.isdigit() or not int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {HIGHEST_PORT}")
    return int(text)


def _aws(chosen: argparse.Namespace) -> int:
    from sandbox.alone import serve  # help does without moto

    with own_stdout() as out:
        return serve(chosen.seed, port=chosen.port, speed=chosen.speed, out=out, err=sys.stderr)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0, up to {FASTEST}")
    return speed


def _pictures(chosen: argparse.Namespace) -> int:
    from sandbox.page.pictures import take  # needs a browser

    return take(chosen.folder)


def _play(chosen: argparse.Namespace) -> int:
    with own_stdout() as out:
        return play_file(
            chosen.file,
            partial(_open_sandbox, rights=chosen.rights),
            out=out,
            err=sys.stderr,
            as_json=chosen.json,
            debug=chosen.debug,
        )


def _open_sandbox(scenario: Scenario, *, rights: Path | None) -> OpenSandbox:
    # not at the top, so that help and a file's errors don't wait for moto to load
    from sandbox.permissions.record import open_recorded

    return open_recorded(scenario, rights)


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """Standard output for us alone: what anybody else prints, children included, goes to stderr."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        try:
            yield out
        finally:
            sys.stdout.flush()
            out.flush()
            os.dup2(out.fileno(), 1)


if __name__ == "__main__":
    sys.exit(main())
