"""The tamper matrix: every edit of a case's items at each moment of each remedy and its ways back, on the fast stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from chalicelib.domain.simulation import MADE
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Snapshot
from sandbox import sample
from sandbox.reliability.cells import spread
from sandbox.reliability.edits import BODY, ENTRIES, INBOX, Edit, edits
from sandbox.reliability.fast_case import FastCase, Items, State
from sandbox.reliability.fast_cases import STORIES, WAYS, deeds, whole_world
from sandbox.reliability.workers import workers

Call = tuple[Operation, str, str]
BACK = frozenset(
    {
        Operation.CONNECT_KEY_STORE,
        Operation.ENABLE_KEY,
        Operation.CANCEL_KEY_DELETION,
        Operation.CREATE_HSM,
        Operation.DISCONNECT_KEY_STORE,
        Operation.UPDATE_KEY_STORE,
    }
)
"""What a cancel or an undo may call: of this nothing deletes."""
UNMAKE = frozenset({Operation.DELETE_HSM, Operation.DELETE_CLUSTER})
"""What the way back from a rescue may call, on the cluster that the rescue made."""
NEVER_MIND = 3
"""Rounds of turns and sweeps that a tampered case is given, and a true one to go on."""


@dataclass(frozen=True)
class Moment:
    """Where a story stands: everything, what may be called now, and what led here."""

    state: State
    case: Case
    earlier: tuple[Items, ...]

    def covers(self, call: Call, *, pressed: str = "") -> bool:
        """By approvals that are genuine, and of the round that is open, or by what was pressed since."""
        operation, target, on = call
        acts = {pressed, *(click.act for click in self.case.new_clicks)}
        is_back = operation in BACK or (operation in UNMAKE and on == MADE)
        if (self.case.ending or acts & {Act.CANCEL, Act.UNDO}) and is_back:
            return True
        plans = () if self.case.ending else _agreed(self.case)
        return any(target in plan.names(operation) for plan in plans)


def _agreed(case: Case) -> Sequence[Plan]:
    """The plan in force; before there is one, those that enough different people have said yes to."""
    if case.plan is not None:
        return () if case.is_closed else (case.plan,)
    yes = {(c.plan_hash, c.by) for c in case.current_clicks if c.act is Act.APPROVE}
    return [
        plan
        for plan in case.offers
        if sum(plan.plan_hash == agreed for agreed, _ in yes) >= plan.terms.people
    ]


@dataclass(frozen=True)
class Tried:
    """One edit at one moment of a story; `why` says what did not hold. `ended`: told to its end afterwards."""

    story: str
    kind: str
    what: str
    why: str = ""
    ended: bool = False


@cache
def told(story: str) -> tuple[Moment, ...]:
    """The moments of a story, from its first event to its end; none if somebody's deed never came."""
    played = STORIES[story]()
    moments: list[Moment] = []
    while True:
        earlier = tuple(moment.state.items for moment in moments)
        moments.append(Moment(played.state(), played.case, earlier))
        if not played.step():
            return tuple(moments) if played.done == len(played.deeds) else ()


@cache
def another() -> tuple[str, Items]:
    """A case of another cluster, just approved by the same people, and its items."""
    cluster = replace(whole_world(), cluster=replace(sample.cluster("1a", "1b"), cluster_id="cluster-7e7e7e7e7e7"), siblings=(), cluster_id="cluster-7e7e7e7e7e7", key_stores=())  # fmt: skip
    played = FastCase(cluster, deeds(Remedy.RETIRE, WAYS[0]))
    while played.done < len(played.deeds):
        played.step()
    return played.case_id, played.state().items


def all_edits(story: str, moment: Moment) -> list[Edit]:
    other_id, other = another()
    case_id = STORIES[story]().case_id
    mine = moment.state.items
    return list(edits(case_id, mine, other=other, other_id=other_id, earlier=moment.earlier))


def play(story: str, number: int, most: int | None = None, offset: int = 0) -> list[Tried]:
    """All edits of this moment, or so many of them; one of each kind goes on to the end of the story."""
    moments = told(story)
    moment, end = moments[number], moments[-1]
    played = STORIES[story]()
    chosen = all_edits(story, moment)
    if most is not None:
        chosen = spread(chosen, min(most, len(chosen)), offset + number)
    seen: set[str] = set()
    found = []
    for edit in chosen:
        why = broken(played, moment, edit)
        # If a turn went on without a click that was spoilt, less happens: another end.
        goes_on = edit.kind not in seen and played.items_are_back
        if goes_on and not why:
            seen.add(edit.kind)
            why = _to_the_end(played, end)
        found.append(Tried(story, edit.kind, f"moment {number}: {edit.what}", why, goes_on))
    return found


def broken(played: FastCase, moment: Moment, edit: Edit) -> str:
    """What this edit made the bot do that it must not; "" if nothing. Afterwards the true items are back."""
    played.back_to(moment.state)
    played.put(edit.items)
    pressed = played.deeds[played.done - 1].button if not played.living and played.do_next() else ""
    for _ in range(NEVER_MIND):
        played.take_turns()
        played.sweep()
    if wrong := [call for call in played.landed if not moment.covers(call, pressed=pressed)]:
        return f"called {wrong[0][0]} on {wrong[0][1]}"
    if played.surprises:
        return f"broke: {played.surprises[0]}"
    told = played.counted["BodyRefused"] + played.counted["SealRefused"]
    if (
        played.turns
        and not told
        and must_alarm(played.case_id, moment.state.items, edit.items, earlier=moment.earlier)
    ):
        return f"no alarm; counted {dict(played.counted)}"
    return _goes_on(played, moment)


def must_alarm(case_id: str, true: Items, now: Items, *, earlier: Sequence[Items]) -> bool:
    """A turn that reads this in place of what is true has to count a refusal."""
    body, inbox = (f"CASE#{case_id}", BODY), (f"CASE#{case_id}", INBOX)
    if inbox not in now or str(now[inbox].get("generation")) != str(true[inbox]["generation"]):
        return False
    names = ("body", "generation", "since", "attempt")
    was, is_now = (
        [str(items.get(body, {}).get(name, "")) for name in names] for items in (true, now)
    )
    if was != is_now or (body not in true and now[inbox].get("first") != true[inbox]["first"]):
        return True
    genuine = {
        (kind, entry)
        for items in (true, *earlier)
        for kind in ENTRIES
        for entry in items[inbox][kind]
    }
    return bool({(kind, str(e)) for kind in ENTRIES for e in now[inbox].get(kind, ())} - genuine)


def _goes_on(played: FastCase, moment: Moment) -> str:
    """The true items are back, unless a turn has saved since: then its own are the true ones."""
    remembered = {run.body for run in moment.state.runs.values()}
    saved = {run.body for run in played.runs.known.values()} - remembered - {""}
    played.items_are_back = not saved
    if not saved:
        played.put(moment.state.items)
        played.done = moment.state.deeds
    bodies = {run.body for run in played.runs.known.values()}
    played.counted.clear()
    if played.case.is_over and not played.do_next():
        return ""
    for _ in range(NEVER_MIND):
        played.sweep()
        played.do_next()  # people don't wait for days either
        played.take_turns()
    if played.counted["BodyRefused"]:
        return f"refused though it is true; counted {dict(played.counted)}"
    if not {run.body for run in played.runs.known.values()} - bodies:
        return f"never went on; runs {played.runs.known}"
    return ""


def _to_the_end(played: FastCase, end: Moment) -> str:
    """The story from here, held against how it should end."""
    for _ in range(5):
        played.to_the_end()
        played.sweep()
    differ = played.case.outcome, _seen(played.world)
    good = end.case.outcome, _seen(end.state.world)
    return "" if differ == good else f"ended as {differ}, not {good}"


def _seen(world: Snapshot) -> object:
    """The state of the world without times and ids of what was made again."""
    cluster = world.cluster
    return (
        (cluster.state, sorted(cluster.zones)) if cluster else None,
        [(store.state, store.cluster_id) for store in world.key_stores],
        [(key.key_id, key.state) for key in world.keys],
    )


class Matrix:
    """All moments of all stories, on all processors."""

    def __init__(self, *, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.moments = 0

    def play(self, *, sample: int | None = None, offset: int = 0) -> list[Tried]:
        """`sample`: only so many edits of each moment."""
        with workers() as pool:
            counts = dict(zip(STORIES, pool.map(_moments, STORIES), strict=True))
            places = [(story, number) for story, count in counts.items() for number in range(count)]
            self.moments = len(places)
            act = partial(_at, most=sample, offset=offset)
            return list(self._told(pool.map(act, places)))

    def _told(self, found: Iterator[list[Tried]]) -> Iterator[Tried]:
        for tried in found:
            for one in tried:
                if one.why:
                    self._tell(f"BROKEN {one.story}, {one.what}, {one.kind}: {one.why}")
            yield from tried


def _moments(story: str) -> int:
    return len(told(story))


def _at(place: tuple[str, int], *, most: int | None, offset: int) -> list[Tried]:
    return play(*place, most, offset)
