"""A rescue in its dialog: from what, with which room, what happens, and the subnets to choose.

Our own words, numbers and ids only.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.room import USUAL_CLUSTERS, USUAL_HSMS, Room, Subnet
from chalicelib.domain.state.snapshot import Snapshot, StoreState
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import Piece, bold, code, date, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, be, clean, count, ident
from chalicelib.slack.modals import approving, shapes

Line = list[Piece]
MOST_NAMES = 3
HINT = (
    "Private ones, in two zones at least; the HSMs go to the first two. CloudHSM is not in every zone: "
    "AWS refuses one that it does not serve."
)


def lines(shown: Shown, plan: Plan) -> list[Line]:
    made, told = plan.new_hsms, list[Line]()
    begin = approving.start(shown, plan)
    if plan.backup_id:
        told.append([text(f"{begin}: the backup is kept for good")])
        words = f"A new cluster is made from it (hsm2m.medium, {clean(plan.mode)}), then "
        told.append([text(f"{words}{count(made, 'HSM')}, one after the other")])
        told.append(
            [text("The key store is disconnected, pointed to the new cluster and connected")]
        )
    elif made:
        told.append([text(f"{begin}: {count(made, 'HSM')} {be(made)} made, one after the other")])
    if not plan.backup_id:
        again = "If a key fails all the same, the" if plan.if_needed and made else "The"
        told.append([text(f"{again} key store is disconnected and connected again")])
    checks = "Each enabled key is used once, to check. If AWS can’t log in, Unlatch stops with the "
    return [*told, [text(f"{checks}commands for a crypto officer")]]


def to_undo(plan: Plan) -> str:
    if plan.backup_id:
        return (
            "press Stop here while it runs: what it made is removed, unless the key store is connected "
            "to it by then. The new cluster has new addresses: programs that use the HSMs directly need them."
        )
    if not plan.new_hsms:
        return "nothing: it only connects the key store."
    return (
        "press Stop here while it runs: HSMs that the key store does not use are removed. Those "
        "that it uses stay, as its keys work with them."
    )


def numbers(shown: Shown, plan: Plan) -> list[Line]:
    """What it is made from, what can't come back, where the key store is, and what room there is."""
    world = shown.case.snapshot
    if world is None:
        return []
    return [
        *_backup(world, plan),
        *_lost(shown, plan),
        *_store(shown, world),
        *_places(shown, world, plan),
        *_room(world.room, plan),
    ]


def _backup(world: Snapshot, plan: Plan) -> Iterator[Line]:
    for backup in world.known_backups:
        if backup.backup_id == plan.backup_id:
            state = "ready" if backup.is_ready else "waiting for its deletion"
            about = text(f", {state}, {clean(plan.mode)}: ")
            yield [text("Backup of "), date(backup.created_at), about, code(ident(plan.backup_id))]


def _lost(shown: Shown, plan: Plan) -> Iterator[Line]:
    names = [facts.key_name(shown.case, key_id) for key_id in plan.lost]
    fate = facts.fate_of_lost(shown.case)
    for name in names[:MOST_NAMES]:
        yield [bold(f"{name} was made after it and {fate}")]
    if len(names) > MOST_NAMES:
        more = count(len(names) - MOST_NAMES, "more key")
        yield [bold(f"{more} made after it {fate}")]


def _store(shown: Shown, world: Snapshot) -> Iterator[Line]:
    store = shown.case.store
    if store is None:
        return
    state, hsms = store.state.lower(), len(world.live_hsms)
    where = f"a cluster with {count(hsms, 'HSM')}" if hsms else "a cluster without HSMs"
    where = where if world.cluster else "a cluster that is gone"
    error = f" ({clean(store.error)})" if store.error else ""
    to = "to" if store.state is StoreState.CONNECTED else "on"
    yield [text(f"Key store {clean(store.name)} is {state}{error}, {to} {where}")]


def _places(shown: Shown, world: Snapshot, plan: Plan) -> Iterator[Line]:
    """The cluster's subnets: those for HSMs in it, and those that serve nobody any more."""
    if not plan.new_hsms:
        return
    room = world.room
    if room is None or room.subnets is None:
        yield [text("Free addresses in the subnets are not known: ec2:DescribeSubnets was refused")]
        return
    seen = {one.subnet_id: one for one in room.subnets}
    planned = () if plan.backup_id else plan.names(Operation.CREATE_HSM)
    for zone, name in rescue_subnets.of_cluster(shown.case, world):
        one = seen.get(name)
        label = f"{ident(name)} of the cluster, {clean(zone)}"
        if one is None:
            yield [bold(f"{label}, is gone")]
        elif one.free < rescue_subnets.NEEDED:
            yield [bold(f"{label}, has {_free(one)}; {rescue_subnets.NEEDED} are needed")]
        elif zone in planned:
            yield [text(f"{label}, has {_free(one)}")]


def _room(room: Room | None, plan: Plan) -> Iterator[Line]:
    """AWS has no call of CloudHSM that tells how many an account may have."""
    if room is None or not plan.new_hsms:
        return
    clusters, hsms = room.clusters + bool(plan.backup_id), room.hsms + plan.new_hsms
    used = (
        f"{room.clusters} of {USUAL_CLUSTERS} clusters, {room.hsms} of {USUAL_HSMS} HSMs are used"
    )
    words = f"Room for it in this account and Region: {used}, by AWS’s usual limits; its own are not known"
    yield [bold(words) if clusters > USUAL_CLUSTERS or hsms > USUAL_HSMS else text(words)]


def subnets(shown: Shown, plan: Plan) -> list[Block]:
    """The choice, if a cluster is made and EC2 tells what there is."""
    world = shown.case.snapshot
    choices = rescue_subnets.choosable(world.room) if world and plan.backup_id else ()
    if world is None or not choices:
        return []
    own = [name for _, name in rescue_subnets.serving(shown.case, world)]
    ticked = plan.subnets or own
    known = "Those of the old cluster are ticked. " if own and set(own) == set(ticked) else ""
    many = len({one.vpc for one in choices}) > 1
    listed = [(_value(one), _label(one), ident(one.vpc) if many else "") for one in choices]
    return [
        shapes.subnets(
            listed, [_value(one) for one in choices if one.subnet_id in ticked], known + HINT
        )
    ]


def _value(one: Subnet) -> str:
    return f"{ident(one.subnet_id)}/{ident(one.zone)}/{ident(one.vpc)}"


def _label(one: Subnet) -> str:
    return f"{ident(one.subnet_id)}, {ident(one.zone)}, {_free(one)}"


def _free(one: Subnet) -> str:
    return f"{count(one.free, 'address', 'addresses')} free"
