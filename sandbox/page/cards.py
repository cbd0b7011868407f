"""The right half of the page as HTML: step 1, the clock, AWS, the run, and what Unlatch changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sandbox.page.markup import Html, join, tag
from sandbox.page.symbols import CLUSTER, STORE
from sandbox.page.world import GONE, ClusterNow, KeyNow, StoreNow, World
from sandbox.scenario.report import is_mutation
from sandbox.scenario.stage import SeenCall

HSM_HOUR_PRICE = 1.60
RECENT = timedelta(days=30)
READ_SERVICES = frozenset({"kms", "cloudhsm", "cloudtrail", "cloudwatch", "ec2"})
GOOD = frozenset({"ACTIVE", "CONNECTED", "Enabled"})
MOST_CHANGES = 8
USABLE = frozenset({"Enabled", "PendingDeletion", "Unavailable"})


def button(label: str, post: Mapping[str, Any], *, id_: str, spoken: str | None = None) -> Html:
    return tag(
        "button",
        label,
        type="button",
        class_="sm",
        id=id_,
        aria_label=spoken,
        data_post=json.dumps(post),
    )


def tries(calls: Sequence[SeenCall], cluster: str) -> Html:
    """What came of the failing call so far."""
    mine = [
        c for c in calls if c.operation == "DeleteCluster" and not (c.by_bot or c.by_deployment)
    ]
    if not mine:
        return tag("p", "CI wants to delete ", tag("b", cluster), ".")
    last, often = mine[-1], {1: "once", 2: "twice"}.get(len(mine), f"{len(mine)} times")
    answer = "AWS refused." if last.error else "AWS accepted."
    at = f" at {last.at:%H:%M}" if len(mine) == 1 else f", last at {last.at:%H:%M}"
    return tag("p", f"Tried {often}{at}. {answer}", title=last.error)


def clock(now: datetime, *, busy: str, note: str) -> Html:
    # one id for both, so that the focus stays where it is
    stop = button("Stop", {"act": "halt"}, id_="until")
    until = button("Run until something happens", {"act": "until"}, id_="until")
    return join(
        [
            tag(
                "div",
                tag("p", f"{now:%H:%M}", class_="t", title=f"{now:%Y-%m-%d %H:%M:%S} UTC"),
                tag("p", f"{now:%a} {now.day} {now:%B %Y}, UTC", class_="d"),
            ),
            tag("div", stop if busy else until, class_="btns"),
            tag("p", busy or note, class_="unseen" if busy else "note", role="status"),
        ]
    )


def world(world: World, *, now: datetime, heard: str) -> Html:
    """The note about keys elsewhere stands beside a lone store's last button, else below all."""
    elsewhere = f"{world.elsewhere} keys elsewhere" if world.elsewhere else ""
    lone = sum(s.state != GONE for c in world.clusters for s in c.stores) == 1
    tree = [_cluster(cluster, now, elsewhere if lone else "") for cluster in world.clusters]
    below = tag("p", elsewhere, class_="more") if elsewhere and not lone else None
    said = tag("p", heard, class_="heard", role="status") if heard else None
    return join([*tree, below, said])


def _cluster(cluster: ClusterNow, now: datetime, note: str) -> Html:
    hsms = "1 HSM" if cluster.hsms == 1 else f"{cluster.hsms} HSMs"
    price = cluster.hsms * HSM_HOUR_PRICE * 24
    cost = f"{hsms}, ${price:.0f} a day" if cluster.hsms else "No HSMs, no HSM hours"
    on = {"cluster": cluster.cluster_id}
    delete = button(
        "Delete one",
        {"act": "outside", "what": "delete_hsm", "on": on},
        id_=f"hsm-{cluster.cluster_id}",
        spoken=f"Delete one HSM of {cluster.cluster_id}",
    )
    dots = tag("span", *[tag("i")] * cluster.hsms, class_="hsm", aria_hidden="true")
    facts = tag("span", dots if cluster.hsms else None, tag("span", cost), class_="s")
    gone = cluster.state == GONE
    node = tag(
        "div",
        CLUSTER,
        tag("span", cluster.cluster_id, class_="n"),
        _pill(cluster.state),
        None if gone else facts,
        delete if cluster.hsms and not gone else None,
        class_="node gone" if gone else "node",
    )
    held = tag("div", tag("i"), tag("span", "used by"), class_="held")
    living = any(store.state != GONE for store in cluster.stores)
    stores = [_store(store, now, note) for store in cluster.stores]
    return join([node, held if living and not gone else None, *stores])


def _store(store: StoreNow, now: datetime, note: str) -> Html:
    gone, on = store.state == GONE, {"store": store.store_id}
    what = "connect" if store.state in ("DISCONNECTED", "FAILED") else "disconnect"
    switch = button(
        what.title(),
        {"act": "outside", "what": what, "on": on},
        id_=f"store-{store.store_id}",
        spoken=f"{what.title()} key store {store.name}",
    )
    node = tag(
        "div",
        STORE,
        tag("span", store.name, class_="n"),
        _pill(store.state),
        None if gone else tag("span", f"Key store, {store.store_id}", class_="s"),
        None if gone or store.state.endswith("ING") else switch,
        class_="node gone" if gone else "node",
    )
    create = button(
        "Create a key",
        {"act": "outside", "what": "create_key", "on": on},
        id_=f"create-{store.store_id}",
        spoken=f"Create a key in {store.name}",
    )
    empty = "No keys in it" if not store.keys else ""
    said = ", ".join(words for words in (empty, note) if words)
    last = tag("li", tag("span", said), create, class_="more")
    rows = [_key(key, store.store_id, now) for key in store.keys]
    return join([node, tag("ul", *rows, None if gone else last, class_="keys")])


def _key(key: KeyNow, store_id: str, now: datetime) -> Html:
    on = {"name": key.name, "key_id": key.key_id, "store": store_id}
    use = button(
        "Use",
        {"act": "outside", "what": "use_key", "on": on},
        id_=f"use-{key.key_id}",
        spoken=f"Use {key.name}",
    )
    hot = key.used is not None and now - key.used < RECENT and key.deleted_at is None
    return tag(
        "li",
        tag("span", key.name, class_="k"),
        _pill(key.state, "Deleting" if key.state == "PendingDeletion" else key.state),
        tag("span", _age(key, now), class_="age hot" if hot else "age"),
        use if key.state in USABLE else tag("span"),
        class_="gone" if key.state == GONE else "",
    )


def _age(key: KeyNow, now: datetime) -> str:
    if key.state == GONE:
        return ""
    if key.deleted_at is not None:
        return f"on {key.deleted_at.day} {key.deleted_at:%b}"
    if key.used is None:
        return "never" if key.is_known else "not known"
    minutes = int((now - key.used).total_seconds() // 60)
    for name, size in (("d", 1440), ("h", 60), ("min", 1)):
        if minutes >= size:
            return f"{minutes // size} {name} ago"
    return "just now"


def _pill(state: str, label: str = "") -> Html:
    kind = "" if state in GOOD else " bad" if state in ("PendingDeletion", "FAILED") else " off"
    shown = (label or state).replace("_", " ")
    return tag("span", shown, class_=f"pill{kind}")


def changes(calls: Sequence[SeenCall]) -> Html:
    """What Unlatch has changed in AWS, and how often it looked."""
    mine = [call for call in calls if call.by_bot]
    landed = [call for call in mine if is_mutation(call) and call.landed]
    reads = sum(c.service in READ_SERVICES and not is_mutation(c) for c in mine)
    count = {0: "nothing", 1: "one thing"}.get(len(landed), f"{len(landed)} things")
    head = tag(
        "div",
        tag("p", "Unlatch has changed ", tag("b", count), " in AWS."),
        tag("span", f"{reads:,} reads, {len(landed)} writes"),
        class_="sum",
    )
    grouped = groupby(landed, key=lambda call: (call.operation, call.source_identity))
    batches = [list(batch) for _, batch in grouped][-MOST_CHANGES:]
    return join([head, tag("ol", *map(_change, batches)) if batches else None])


def _change(batch: list[SeenCall]) -> Html:
    """One line for equal calls in a row; the approver whose yes AWS got as source identity."""
    first = batch[0]
    often = f" ×{len(batch)}" if len(batch) > 1 else ""
    who = f" as {first.source_identity.title()}" if first.source_identity else ""
    at = tag("time", f"{first.at.day} {first.at:%b %H:%M}")
    said = tag("span", f"{first.service}:{first.operation}{often}", tag("small", who))
    return tag("li", at, said)
