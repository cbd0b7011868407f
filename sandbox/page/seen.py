"""What there is to see in an opened sandbox, read as it is now. Loads moto; changes nothing."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import Any

from sandbox.page.machine import newest_run
from sandbox.page.openings import cluster_of, opening_of
from sandbox.page.show import Opened
from sandbox.page.world import read_world
from sandbox.scenario.model import Scenario
from sandbox.scenario.report import is_mutation
from sandbox.scenario.watch import message_words
from sandbox.slack.records import BOT_USER, CHANNEL, direct_id

MOST_TOLD = 2
MOST_CHANGES = 8
READ_SERVICES = frozenset({"kms", "cloudhsm", "cloudtrail", "cloudwatch", "ec2"})


def in_slack(opened: Opened, person: str, *, dismissed: AbstractSet[str]) -> dict[str, Any]:
    """The channel, the thread of its newest message of the bot's, and what is this person's own."""
    slack = opened.stage.slack
    posted = [message for message in slack.messages if message.channel == CHANNEL]
    top = [message for message in posted if message.thread_ts is None]
    shown = [message for message in posted if message.in_channel]
    threads = {m.ts: [reply for reply in posted if reply.thread_ts == m.ts] for m in shown}
    newest = next((m for m in reversed(top) if m.user == BOT_USER), None)
    thread = threads[newest.ts] if newest else []
    mine = direct_id(person)
    told = [e for e in slack.ephemerals if e.user == person and e.ts not in dismissed]
    return {
        "messages": shown,
        "threads": threads,
        "newest": newest,
        "thread": thread,
        "last_words": message_words(thread[-1]) if thread else "",
        "told": told[-MOST_TOLD:],
        "direct": [message for message in slack.messages if message.channel == mine],
        "dialog": slack.modals.get(person),
        "home": slack.homes.get(person),
        "has_home": slack.manifest.has_home_tab,
    }


def in_world(opened: Opened, scenario: Scenario) -> dict[str, Any]:
    stage, cluster = opened.stage, cluster_of(scenario)
    wanted = opening_of(scenario).operation
    calls = list(stage.aws.calls)
    mine = [call for call in calls if call.by_bot]
    landed = [call for call in mine if is_mutation(call) and call.landed]
    alike = groupby(landed, key=lambda call: (call.operation, call.source_identity))
    hub, region = scenario.accounts[0], scenario.regions[0]
    world = read_world(stage.aws, scenario)
    return {
        "now": stage.clock.now(),
        "tries": [
            call
            for call in calls
            if call.operation == wanted and not (call.by_bot or call.by_deployment)
        ],
        "is_over": any(c.cluster_id == cluster and c.is_gone for c in world.clusters),
        "world": world,
        "run": newest_run(stage.clock, account=hub, region=region),
        "landed": landed,
        "reads": sum(c.service in READ_SERVICES and not is_mutation(c) for c in mine),
        "batches": [list(batch) for _, batch in alike][-MOST_CHANGES:],
    }
