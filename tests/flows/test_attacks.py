"""Attempts to get past the approvals: by the table, by replays, by sending what was never offered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from operator import methodcaller
from typing import Any

import pytest

from chalicelib.answers import Answer, FieldError, PlanChanged, Recorded
from chalicelib.aws.store import codec
from chalicelib.aws.store.body import BODY, text_of
from chalicelib.aws.store.inbox import INBOX, split
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import Cluster, KeyState
from chalicelib.failures import TemporaryError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.record_click import record_click
from chalicelib.flows.sweep import sweep
from chalicelib.flows.take_turn import take_turn
from chalicelib.ports import Interaction
from tests.domain.worlds import hsms
from tests.flows.answers import private
from tests.flows.answers import refusal as refusal_of
from tests.flows.stand import CLUSTER, HUB, Stand, key, world

Make = Callable[..., Stand]


def asked(stand: Make, *keys: Any, arn: str = "", **policy: object) -> tuple[Stand, str]:
    it = stand(world(*keys), **policy)
    failed = it.failed(arn=arn) if arn else it.failed()
    opened = open_case(it.ports, failed)
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    return it, opened.case_id


def offer(it: Stand, case_id: str, remedy: Remedy = Remedy.RETIRE) -> Plan:
    plan = it.case(case_id).offer(remedy)
    assert plan
    return plan


def write(it: Stand, case_id: str, sk: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Somebody with write access to the table changes a stored item."""
    where = {"pk": f"CASE#{case_id}", "sk": sk}
    item = copy.deepcopy(it.stored._table.get_item(Key=where)["Item"])
    change(item)
    it.stored._table.put_item(Item=item)


def write_click(it: Stand, case_id: str, click: Click, *, seal: str = "Zm9yZ2Vk") -> None:
    entry = f"{seal} {codec.dump(click)}"
    write(it, case_id, INBOX, lambda item: item["clicks"].append(entry))


def write_body(it: Stand, case: Case) -> None:
    """With the seal of what stood there before: nobody else can make one."""
    write(it, case.case_id, BODY, lambda item: item.update(body=codec.packed(text_of(case))))


def sealed_click(it: Stand, case_id: str, act: Act = Act.APPROVE) -> tuple[str, Click]:
    """A genuine entry that no turn has heard yet, and its click."""
    entries = it.stored.stored(case_id).inbox.waiting["clicks"]
    found = [(entry, codec.load(split(entry)[1], Click)) for entry in entries]
    return next((entry, click) for entry, click in found if click.act is act)


def refuses(it: Stand, case_id: str) -> None:
    """The turn does nothing, alarms, and leaves its mark."""
    landed = list(it.aws.landed)
    for _ in range(3):
        assert not it.turn(case_id).finished
    assert it.aws.landed == landed
    assert "BodyRefused" in it.counted
    assert it.stored.stored(case_id).inbox.refused
    case, world = it.slack.held[-1]
    assert (case.cluster_id, case.plan, case.message.ts) == (CLUSTER, None, ""), "not from the body"
    assert world is not None
    (first, known), *_, last = it.slack.held_with
    assert last == (first, known), "since it was seen first; what the run remembers stays"
    assert known == it.runs.bodies[case_id, it.stored.stored(case_id).inbox.generation]


def yes(plan: Plan, by: str, it: Stand, **values: object) -> Click:
    known: dict[str, object] = {"remedy": plan.remedy, "plan_hash": plan.plan_hash, "reason": "yes"}
    return Click(Act.APPROVE, by, it.clock.now, **known | values)  # type: ignore[arg-type]


def nothing_began(it: Stand, case_id: str) -> None:
    for _ in range(3):
        it.turn(case_id)
    assert it.aws.landed == []
    assert it.case(case_id).plan is None


# Written into the table


def test_a_click_without_a_seal_is_refused_logged_and_alarmed(stand: Make) -> None:
    it, case_id = asked(stand)
    plan = offer(it, case_id)
    for name in ("alice", "bob"):
        write_click(it, case_id, yes(plan, name, it))
    nothing_began(it, case_id)
    assert "SealRefused" in it.counted
    forged = [e["by"] for e in it.stored.entries(case_id) if e.kind is Kind.FORGED]
    assert forged == ["alice", "bob"]
    assert it.stored.stored(case_id).inbox.waiting["clicks"] == ()


def test_a_forged_click_in_alices_name_does_not_stand_in_her_way(stand: Make) -> None:
    it, case_id = asked(stand)
    write_click(it, case_id, yes(offer(it, case_id), "alice", it))
    assert submit(it, "alice", case_id) == Recorded()
    assert private(submit(it, "alice", case_id)) == "You approved this already. It counts once."
    submit(it, "bob", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED


COPIES = [
    ("in another's name", {"by": "bob"}),
    ("for another plan", {"plan_hash": "0" * 64}),
    ("for another way", {"remedy": Remedy.PARK}),
    ("with the override", {"override": True}),
    ("with another target", {"target": "cluster-7e6d5c4b3a2"}),
    ("with a younger date", {"at": None}),
    ("with another reason", {"reason": "fine"}),
    ("as a confirmation", {"act": Act.CONFIRM}),
]


@pytest.mark.parametrize(("how", "values"), COPIES, ids=[c[0] for c in COPIES])
def test_a_real_approval_copied(stand: Make, how: str, values: dict[str, Any]) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    entry, real = sealed_click(it, case_id)
    if "at" in values:
        values = {"at": real.at + timedelta(hours=1)}
    write_click(it, case_id, replace(real, **values), seal=split(entry)[0])
    nothing_began(it, case_id)
    assert "SealRefused" in it.counted, how


def test_a_real_approval_written_twice_counts_once(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    entry, _ = sealed_click(it, case_id)
    for _ in range(3):
        write(it, case_id, INBOX, lambda item: item["clicks"].append(entry))
        nothing_began(it, case_id)
    assert approvals(it, case_id) == ["alice"]


def test_an_approval_of_an_earlier_round_kept_back_and_put_in_later(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    entry, _ = sealed_click(it, case_id)
    write(it, case_id, INBOX, lambda item: item["clicks"].clear())
    submit(it, "bob", case_id)
    it.turn(case_id)
    it.aws.model.world = replace(it.aws.model.world, keys=(key(9),))
    it.turn(case_id)
    assert it.case(case_id).round > 1
    write(it, case_id, INBOX, lambda item: item["clicks"].append(entry))
    submit(it, "bob", case_id)
    nothing_began(it, case_id)


def test_an_approval_of_another_case_of_the_same_cluster(stand: Make) -> None:
    """The plan may be the same to the last letter; the seal names the case."""
    it, first = asked(stand)
    submit(it, "alice", first)
    entry, real = sealed_click(it, first)
    it.click("alice", "reject", first)
    it.run(first, until=lambda c: c.is_closed)
    opened = open_case(it.ports, it.failed("event-2"))
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    assert offer(it, opened.case_id).plan_hash == real.plan_hash
    write(it, opened.case_id, INBOX, lambda item: item["clicks"].append(entry))
    submit(it, "bob", opened.case_id)
    nothing_began(it, opened.case_id)
    assert "SealRefused" in it.counted


def test_an_entry_of_one_kind_moved_to_another(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    entry, _ = sealed_click(it, case_id)
    write(it, case_id, INBOX, lambda item: item["triggers"].append(entry))
    it.turn(case_id)
    assert "SealRefused" in it.counted


def test_a_trigger_of_another_cluster_moved_here(stand: Make) -> None:
    """The case that it was sealed for is another one."""
    it, case_id = asked(stand)
    other = replace(it.failed("event-2"), cluster_id="cluster-7e6d5c4b3a2")
    opened = open_case(it.ports, other)
    assert opened
    first = it.stored.stored(opened.case_id).inbox.first
    write(it, case_id, INBOX, lambda item: item["triggers"].append(first))
    it.turn(case_id)
    assert "SealRefused" in it.counted
    assert len(it.case(case_id).attempts) == 1


def plan_in_force(it: Stand, case_id: str) -> Case:
    case, plan = it.case(case_id), offer(it, case_id)
    return replace(case, phase=Phase.RUNNING, plan=plan, last_plan=plan, approved=())


BODIES = [
    ("a plan in force", plan_in_force),
    ("another cluster", lambda it, c: replace(it.case(c), cluster_id="cluster-7e6d5c4b3a2")),
    ("another account", lambda it, c: replace(it.case(c), account="444455556666")),
    ("an easier offer", lambda it, c: replace(it.case(c), offers=(replace(offer(it, c), terms=replace(offer(it, c).terms, people=0)),))),
    ("no callers", lambda it, c: replace(it.case(c), attempts=(), attempts_seen=0)),
    ("a closed case", lambda it, c: replace(it.case(c), phase=Phase.CLOSED, outcome=Outcome.KEPT)),
    ("another round", lambda it, c: replace(it.case(c), round=7)),
    ("a shorter log", lambda it, c: replace(it.case(c), log_length=1)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change"), BODIES, ids=[b[0] for b in BODIES])
def test_an_edited_body_is_refused_and_the_true_one_goes_on(
    stand: Make, what: str, change: Callable[[Stand, str], Case]
) -> None:
    it, case_id = asked(stand)
    true = copy.deepcopy(it.stored._table.items[f"CASE#{case_id}", BODY])
    write_body(it, change(it, case_id))
    refuses(it, case_id)
    it.stored._table.put_item(Item=true)
    it.turn(case_id)
    assert not it.stored.stored(case_id).inbox.refused, what
    assert it.case(case_id).message.shown, "shown anew"
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED


def test_nobody_decides_about_a_case_on_hold_and_looks_grow_rare(stand: Make) -> None:
    it, case_id = asked(stand)
    write_body(it, replace(it.case(case_id), round=7))
    waits = []
    for _ in range(60):
        turn = it.turn(case_id)
        waits.append(turn.wait_seconds)
        it.clock.now += timedelta(seconds=turn.wait_seconds)
    assert (waits[0], waits[-1]) == (300, 3600)
    for button in ("retire", "cancel", "keep", "refresh"):
        assert "on hold" in private(it.click("alice", button, case_id))
    assert it.stored.stored(case_id).inbox.waiting["clicks"] == ()


def test_without_a_look_at_aws_it_is_said_all_the_same(stand: Make) -> None:
    it, case_id = asked(stand)
    write_body(it, replace(it.case(case_id), round=7))

    class Blind:
        def snapshot(self, case: Case, *, now: object) -> None:
            raise TemporaryError("AWS is busy")

    blind: Any = Blind()
    it.ports = replace(it.ports, inventory=blind)
    it.turn(case_id)
    assert it.slack.held[-1][1] is None


def test_a_trigger_that_is_forged_too_shows_nothing(stand: Make) -> None:
    """Nobody knows then of which cluster the case is."""
    it, case_id = asked(stand)
    write_body(it, replace(it.case(case_id), round=7))
    write(it, case_id, INBOX, lambda item: item.update(first=f"bm8= {split(item['first'])[1]}"))
    it.turn(case_id)
    assert it.slack.held == []
    assert "BodyRefused" in it.counted


def test_a_removed_body(stand: Make) -> None:
    it, case_id = asked(stand)
    it.stored._table.delete_item(Key={"pk": f"CASE#{case_id}", "sk": BODY})
    refuses(it, case_id)


def test_a_body_of_another_case(stand: Make) -> None:
    it, first = asked(stand)
    other = open_case(it.ports, replace(it.failed("event-2"), cluster_id="cluster-7e6d5c4b3a2"))
    assert other
    it.turn(other.case_id)
    body = it.stored._table.items[f"CASE#{other.case_id}", BODY]
    it.stored._table.put_item(Item={**body, "pk": f"CASE#{first}"})
    refuses(it, first)


def test_a_cancelled_case_put_back_whole_stays_cancelled(stand: Make) -> None:
    """Body and inbox were genuine once; the run that went on does not remember them."""
    it, case_id = asked(stand, key(1))
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    it.run(case_id, until=lambda c: "ScheduleKeyDeletion" in it.aws.operations)
    before = copy.deepcopy(it.stored._table.items)
    it.click("alice", "cancel", case_id)
    it.run(case_id, until=lambda c: c.is_closed)
    landed = list(it.aws.landed)
    it.stored._table.items.clear()
    it.stored._table.items.update(before)
    it.runs.alive = lambda *_: False
    for _ in range(3):
        sweep(it.ports)
        for name in list(it.runs.started):
            take_turn(it.ports, *name, given=it.runs.bodies[name])
        it.clock.now += timedelta(hours=1)
    assert it.aws.landed == landed
    assert "BodyRefused" in it.counted


def test_an_approver_with_the_table_offers_himself_an_easier_plan(stand: Make) -> None:
    """The API shows what is stored; the turn does not believe it."""
    it, case_id = asked(stand)
    plan = offer(it, case_id)
    easy = replace(plan, terms=replace(plan.terms, people=1))
    write_body(it, replace(it.case(case_id), offers=(easy,)))
    assert submit(it, "alice", case_id, plan_hash=easy.plan_hash) == Recorded()
    refuses(it, case_id)


def test_a_body_that_is_rubbish_stops_the_turn_and_nothing_else(stand: Make) -> None:
    it, case_id = asked(stand)
    write(it, case_id, BODY, lambda item: item.update(body="{"))
    refuses(it, case_id)
    write(it, case_id, BODY, lambda item: item.pop("attempt"))
    refuses(it, case_id)


# Sent through Slack


def submit(it: Stand, by: str, case_id: str, **more: Any) -> Answer:
    """A dialog with whatever in it, signed by Slack all the same."""
    values = {"cluster_id": CLUSTER, "reason": "not needed", **more.pop("values", {})}
    words = {"remedy": "retire", "plan_hash": "", "team": "T1", **more}
    team = words.pop("team")
    plan_hash = words.pop("plan_hash") or offer(it, case_id).plan_hash
    clicked = Interaction(
        "submission",
        by,
        team,
        action="decide",
        case_id=case_id,
        plan_hash=plan_hash,
        values=values,
        **words,
    )
    return record_click(it.ports, clicked)


def approvals(it: Stand, case_id: str) -> list[str]:
    return [c.by for c in it.case(case_id).clicks if c.act is Act.APPROVE]


def test_sent_twice_it_counts_once(stand: Make) -> None:
    it, case_id = asked(stand)
    assert submit(it, "alice", case_id) == Recorded()
    for _ in range(3):
        assert private(submit(it, "alice", case_id)) == "You approved this already. It counts once."
    assert approvals(it, case_id) == ["alice"]
    nothing_began(it, case_id)


def test_an_old_dialog_sent_again_after_the_case_asked_afresh(stand: Make) -> None:
    it, case_id = asked(stand)
    old = offer(it, case_id).plan_hash
    it.approve("alice", "retire", case_id)
    it.aws.model.world = replace(it.aws.model.world, keys=(key(9),))
    it.turn(case_id)
    assert it.case(case_id).reset_at_click > 0
    for name in ("alice", "bob"):
        assert isinstance(submit(it, name, case_id, plan_hash=old), PlanChanged)
    nothing_began(it, case_id)


CROSSED = [
    ("the hash of retire as park, which needs one person", "park", Remedy.RETIRE),
    ("the hash of park as retire", "retire", Remedy.PARK),
    ("a way that does not exist", "erase", Remedy.RETIRE),
    ("no way at all", "", Remedy.RETIRE),
    ("another spelling", "Retire", Remedy.RETIRE),
]


@pytest.mark.parametrize(("why", "remedy", "hashed"), CROSSED, ids=[c[0] for c in CROSSED])
def test_way_and_plan_that_do_not_belong_together(
    stand: Make, why: str, remedy: str, hashed: Remedy
) -> None:
    it, case_id = asked(stand, key(1))
    said = submit(
        it, "alice", case_id, remedy=remedy, plan_hash=offer(it, case_id, hashed).plan_hash
    )
    assert isinstance(said, PlanChanged) or private(said), why
    assert approvals(it, case_id) == []


def test_the_plan_of_another_case(stand: Make) -> None:
    it, case_id = asked(stand, key(1))
    said = submit(it, "alice", case_id, plan_hash="a" * 64)
    assert isinstance(said, PlanChanged)
    assert private(submit(it, "alice", "case-unknown", plan_hash="a" * 64))
    assert approvals(it, case_id) == []


def test_a_target_that_is_not_offered(stand: Make) -> None:
    it, case_id = asked(stand, key(1))
    said = submit(it, "alice", case_id, values={"target": "cluster-aaaaaaaaaaa"})
    assert isinstance(said, FieldError)
    assert said.block_id == "target"
    assert approvals(it, case_id) == []


def test_an_override_that_nobody_asked_for_is_not_taken(stand: Make) -> None:
    it, case_id = asked(stand, key(1))
    assert submit(it, "alice", case_id, values={"override": "in_use"}) == Recorded()
    (click,) = (c for c in it.case(case_id).clicks if c.act is Act.APPROVE)
    assert not click.override


@pytest.mark.parametrize("words", ["", "yes", "true", "in-use", "IN_USE", "not in_use"])
def test_an_override_that_is_needed_must_be_ticked_as_it_is(stand: Make, words: str) -> None:
    from chalicelib.domain.state.snapshot import LastUse  # noqa: PLC0415

    it = stand(world(key(1, last_use=LastUse(None))))
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    assert offer(it, opened.case_id).terms.override
    said = submit(it, "alice", opened.case_id, values={"override": words})
    assert isinstance(said, FieldError)
    assert said.block_id == "override"
    assert approvals(it, opened.case_id) == []


STRANGERS = [
    ("another company", Person("mallory", "T9", is_approver=True), "T9", Refusal.EXTERNAL),
    ("another company that says it is ours", Person("mallory", "T9", is_approver=True), "T1", Refusal.EXTERNAL),
    ("one of ours through another workspace", Person("mallory", "T1", is_approver=True), "T9", Refusal.EXTERNAL),
    ("a guest", Person("mallory", "T1", is_guest=True, is_approver=True), "T1", Refusal.GUEST),
    ("a bot", Person("mallory", "T1", is_bot=True, is_approver=True), "T1", Refusal.BOT),
    ("somebody who left", Person("mallory", "T1", is_gone=True, is_approver=True), "T1", Refusal.GONE),
    ("no approver", Person("mallory", "T1", is_approver=False), "T1", Refusal.NOT_AN_APPROVER),
    ("nobody knows", Person("mallory", "T1", is_approver=None), "T1", Refusal.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("who", "person", "team", "refusal"), STRANGERS, ids=[s[0] for s in STRANGERS])  # fmt: skip
def test_a_dialog_without_the_click_before_it(
    stand: Make, who: str, person: Person, team: str, refusal: Refusal
) -> None:
    it, case_id = asked(stand)
    it.slack.people["mallory"] = person
    assert refusal_of(submit(it, "mallory", case_id, team=team)) is refusal, who
    keep = submit(it, "mallory", case_id, team=team, remedy="keep", values={"for": "30d"})
    assert refusal_of(keep) is refusal
    assert it.case(case_id).clicks == ()


def test_an_approver_who_is_put_off_the_list_before_it_begins(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    it.slack.people["bob"] = Person("bob", "T1", name="bob", is_approver=False)
    nothing_began(it, case_id)


# Who made the failed call


def test_a_second_account_of_one_e_mail_does_not_count(stand: Make) -> None:
    it, case_id = asked(stand)
    it.slack.people["alice2"] = Person(
        "alice2", "T1", name="alice2", email="alice+2@example.com", is_approver=True
    )
    assert submit(it, "alice", case_id) == Recorded()
    assert private(submit(it, "alice2", case_id)) == (
        "Your other account has approved this. One e-mail address counts once."
    )
    nothing_began(it, case_id)


def test_a_second_account_does_not_count_while_slack_can_not_say_whose_the_first_is(
    stand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as when it limits how often it is asked, which many clicks bring about."""
    it, case_id = asked(stand)
    it.slack.people["alice2"] = Person(
        "alice2", "T1", name="alice2", email="alice+2@example.com", is_approver=True
    )
    assert submit(it, "alice", case_id) == Recorded()
    fetch = it.slack.fetch
    hidden = {"alice"}
    monkeypatch.setattr(it.slack, "fetch", lambda ids: fetch([i for i in ids if i not in hidden]))
    for somebody in ("alice2", "bob"):
        assert "Slack can’t say now" in private(submit(it, somebody, case_id))
    nothing_began(it, case_id)
    hidden.clear()
    assert submit(it, "bob", case_id) == Recorded()


def test_keys_that_cant_be_checked_need_their_box(stand: Make) -> None:
    """Slack asks for the box; a forged dialog without it is refused."""
    there = Cluster(
        "cluster-7e6d5c4b3a2", ClusterState.ACTIVE, hsms("us-east-1a", "us-east-1b"), "lineage-a"
    )
    off = world(key(1), key(2, KeyState.DISABLED))
    it = stand(replace(off, siblings=(there,)))
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    plan = offer(it, opened.case_id, Remedy.REPOINT)
    sent = {"remedy": "repoint", "plan_hash": plan.plan_hash}
    assert submit(it, "alice", opened.case_id, **sent) == FieldError(
        "unproven",
        "Tick this box to say that you know which keys can’t be checked.",
    )
    ticked = submit(it, "alice", opened.case_id, **sent, values={"unproven": "unproven"})
    assert ticked == Recorded()


AS_ALICE = f"arn:aws:sts::{HUB}:assumed-role/developer/alice@example.com"
SPELLINGS = [
    AS_ALICE,
    AS_ALICE.upper().replace("ARN:AWS:STS", "arn:aws:sts").replace("ASSUMED-ROLE", "assumed-role"),
    f"arn:aws:sts::{HUB}:assumed-role/developer/alice",
    f"arn:aws:sts::{HUB}:assumed-role/developer/Alice@elsewhere.example",
    f"arn:aws:iam::{HUB}:user/alice",
]


@pytest.mark.parametrize("arn", SPELLINGS)
def test_a_session_in_alices_name_bars_alice_and_makes_nobody_known(stand: Make, arn: str) -> None:
    """A caller may choose the name of a session: it takes a right away, it never gives one."""
    it, case_id = asked(stand, arn=arn, quorum_irreversible=1)
    assert refusal_of(submit(it, "alice", case_id)) is Refusal.REQUESTER
    assert offer(it, case_id).terms.people == 2, "the caller is nobody known"
    assert submit(it, "bob", case_id) == Recorded()
    nothing_began(it, case_id)


def test_a_second_attempt_in_bobs_name_bars_bob_and_his_approval(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    arn = AS_ALICE.replace("alice", "bob")
    open_case(it.ports, it.failed("event-2", arn=arn))
    nothing_began(it, case_id)


def test_everything_in_order_still_works(stand: Make) -> None:
    """The attacks above fail for their own reasons."""
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED


# The inbox itself


BROKEN_INBOXES: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("no number for a version", lambda item: item.update(version="7")),
    ("a version that no number can be added to", lambda item: item.update(version=10**37)),
    ("a generation below none", lambda item: item.update(generation=-1)),
    ("no list of clicks", lambda item: item.update(clicks="x")),
    ("no list at all", lambda item: item.pop("clicks")),
    ("no first trigger", lambda item: item.pop("first")),
]


@pytest.mark.parametrize(("what", "change"), BROKEN_INBOXES, ids=[b[0] for b in BROKEN_INBOXES])
def test_an_inbox_that_nobody_can_write_to_is_refused_and_waited_for(
    stand: Make, what: str, change: Callable[[dict[str, Any]], None]
) -> None:
    it, case_id = asked(stand)
    true = copy.deepcopy(it.stored._table.items[f"CASE#{case_id}", INBOX])
    write(it, case_id, INBOX, change)
    given = it.runs.bodies[case_id, 0]
    turn = take_turn(it.ports, case_id, 0, given=given)
    assert (turn.finished, turn.body) == (False, given), what
    assert "BodyRefused" in it.counted
    it.stored._table.put_item(Item=true)
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED


def test_an_inbox_that_is_gone_is_waited_for(stand: Make) -> None:
    it, case_id = asked(stand)
    true = it.stored._table.items.pop((f"CASE#{case_id}", INBOX))
    given = it.runs.bodies[case_id, 0]
    assert not take_turn(it.ports, case_id, 0, given=given).finished
    assert "BodyRefused" in it.counted
    it.stored._table.put_item(Item=true)
    it.turn(case_id)
    assert not it.stored.stored(case_id).inbox.refused


def test_a_mark_that_is_no_time_does_not_matter(stand: Make) -> None:
    it, case_id = asked(stand)
    write_body(it, replace(it.case(case_id), round=7))
    write(it, case_id, INBOX, lambda item: item.update(refused="x"))
    assert not it.turn(case_id).finished
    assert "BodyRefused" in it.counted


def test_a_run_of_a_generation_that_is_put_back_ends_without_a_mark(stand: Make) -> None:
    """Nobody remembers the one far ahead; the true one goes on, and no message says "on hold"."""
    it, case_id = asked(stand)
    true = copy.deepcopy(it.stored._table.items[f"CASE#{case_id}", INBOX])
    write(it, case_id, INBOX, lambda item: item.update(generation=1_000))
    assert not take_turn(it.ports, case_id, 1_000, given="").finished
    assert "BodyRefused" in it.counted
    it.counted.clear()
    it.stored._table.put_item(Item=true)
    assert take_turn(it.ports, case_id, 1_000, given="").finished
    assert "BodyRefused" not in it.counted
    assert not it.stored.stored(case_id).inbox.refused


def test_a_refused_run_remembers_what_the_run_before_it_did(stand: Make) -> None:
    """However many runs were started meanwhile, the newest knows what to believe."""
    it, case_id = asked(stand)
    body = it.stored._table.items[f"CASE#{case_id}", BODY]
    true = copy.deepcopy(body)
    write_body(it, replace(it.case(case_id), round=7))
    for generation in range(1, 40):
        write(it, case_id, INBOX, methodcaller("update", generation=generation))
        it.runs.start(case_id, generation)
        it.turn(case_id)
    it.stored._table.put_item(Item=true)
    it.counted.clear()
    it.turn(case_id)
    assert "BodyRefused" not in it.counted


def test_the_sweep_finds_a_run_that_was_never_started_after_generations_were_put_back(
    stand: Make,
) -> None:
    it, case_id = asked(stand)
    for generation in range(1, 5):
        it.runs.start(case_id, generation)
        it.runs.bodies[case_id, generation] = it.runs.bodies[case_id, 0]
    it.runs.alive = lambda *_: False
    assert sweep(it.ports).restarted == 1
    assert it.runs.started[-1] == (case_id, 5)
    it.turn(case_id)
    assert "BodyRefused" not in it.counted


def test_a_case_on_hold_is_not_started_again_for_a_click_that_nobody_may_hear(stand: Make) -> None:
    it, case_id = asked(stand)
    submit(it, "alice", case_id)
    write_body(it, replace(it.case(case_id), turns=7))
    it.turn(case_id)
    it.clock.now += timedelta(hours=2)
    assert sweep(it.ports).restarted == 0


def test_a_body_that_says_it_is_another_case_starts_no_run_for_that_one(stand: Make) -> None:
    it, case_id = asked(stand)
    write_body(it, it.case(case_id))
    body = codec.text_of(it.stored._table.items[f"CASE#{case_id}", BODY]["body"])
    write(it, case_id, BODY, lambda item: item.update(body=body.replace(case_id, "case-other")))
    it.runs.alive = lambda *_: False
    sweep(it.ports)
    assert {name for name, _ in it.runs.started} == {case_id}


# What is about no case alone


SPOILT: list[tuple[str, dict[str, Any]]] = [
    ("a pointer without a case", {"pk": "OPEN", "sk": f"{HUB}#us-east-1#cluster-7e6d5c4b3a2"}),
    ("a pointer to nowhere", {"pk": "OPEN", "sk": "x", "case_id": "case-x"}),
    ("a time that is none", {"pk": "SWEEP", "sk": f"{HUB}#us-east-1", "until": "x"}),
    ("a time without a zone", {"pk": "SWEEP", "sk": f"{HUB}#us-east-1", "until": "2026-03-01T00:00"}),
    ("no time", {"pk": "SWEEP", "sk": f"{HUB}#us-east-1"}),
    ("a round that is none", {"pk": "SWEEP", "sk": "ROUND", "round": "{"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "item"), SPOILT, ids=[s[0] for s in SPOILT])
def test_one_spoilt_item_keeps_the_sweep_from_no_other_case(
    stand: Make, what: str, item: dict[str, Any]
) -> None:
    it, case_id = asked(stand)
    it.stored._table.put_item(Item=item)
    it.runs.alive = lambda *_: False
    assert sweep(it.ports).restarted == 1, what
    assert it.runs.started[-1] == (case_id, 1)


def test_a_spoilt_line_of_the_log_is_missed_and_holds_up_nothing(stand: Make) -> None:
    it, case_id = asked(stand)
    write(it, case_id, "LOG#000001", lambda item: item.update(entry="{"))
    assert it.stored.entries(case_id)[0].number == 2
    write(it, case_id, "LOG#000002", lambda item: item.pop("entry"))
    submit(it, "alice", case_id)
    submit(it, "bob", case_id)
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED
