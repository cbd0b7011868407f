"""The regions of the right half, read from the sandbox as it is now. Loads moto; changes nothing."""

from __future__ import annotations

from sandbox.page import cards
from sandbox.page.machine import newest_run
from sandbox.page.run_card import run_card
from sandbox.page.show import Opened, Show
from sandbox.page.stories import cluster_of
from sandbox.page.world import read_world


def regions(show: Show, opened: Opened) -> dict[str, str]:
    stage, scenario = opened.stage, show.scenario
    now, calls = stage.clock.now(), list(stage.aws.calls)
    hub, region = scenario.accounts[0], scenario.regions[0]
    run = newest_run(stage.clock, account=hub, region=region)
    world = read_world(stage.aws, scenario)
    return {
        "tries": cards.tries(calls, cluster_of(scenario)),
        "clock": cards.clock(now, busy=show.busy, note=show.note),
        "aws": cards.world(world, now=now, heard=show.heard),
        "run": run_card(run, show.case, now),
        "did": cards.changes(calls),
    }
