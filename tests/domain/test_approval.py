"""Who may decide, how many a plan needs, and which approvals count: tables, a row a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.approval import CROWD, Refusal
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.caller import Caller, caller_of
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import NO_OTHERS, KeyState, OtherUse, Snapshot, StoreState
from tests.domain.scenes import offer
from tests.domain.worlds import (
    ACCOUNT,
    CI,
    HOURS,
    NOW,
    PEOPLE,
    POLICY,
    TEAM,
    busy,
    case,
    cluster,
    key,
    person,
    sibling,
    situation,
    sso,
    store,
    used,
    world,
    yes,
)

NOBODY = replace(POLICY, approvers=())
REFUSALS: list[tuple[str, Person | None, Policy, Refusal | None]] = [
    ("an approver", person("alice"), POLICY, None),
    ("nobody is on the list", person("alice"), NOBODY, Refusal.NO_APPROVERS),
    ("Slack knows nothing of the person", None, POLICY, Refusal.UNKNOWN),
    ("Slack can't say who approves", person("a", is_approver=None), POLICY, Refusal.UNKNOWN),
    ("not on the list", person("carol", is_approver=False), POLICY, Refusal.NOT_AN_APPROVER),
    ("a bot", person("app", is_bot=True), POLICY, Refusal.BOT),
    ("a deactivated account", person("bob", is_gone=True), POLICY, Refusal.GONE),
    ("a guest", person("gus", is_guest=True), POLICY, Refusal.GUEST),
    ("a stranger of a shared channel", person("m", is_stranger=True), POLICY, Refusal.EXTERNAL),
    ("another workspace", person("m", team_id="T0OTHER"), POLICY, Refusal.EXTERNAL),
    ("no workspace is configured", person("a"), replace(POLICY, team_ids=()), Refusal.EXTERNAL),
    ("a stranger is told that first", person("m", is_stranger=True, is_guest=True, is_approver=False), POLICY, Refusal.EXTERNAL),
]  # fmt: skip


@pytest.mark.parametrize(("why", "who", "policy", "expected"), REFUSALS, ids=[r[0] for r in REFUSALS])  # fmt: skip
def test_who_may_decide(
    why: str, who: Person | None, policy: Policy, expected: Refusal | None
) -> None:
    for act in (Act.APPROVE, Act.KEEP, Act.LOOK, Act.CANCEL):
        assert approval.refusal(who, act, situation(policy=policy)) is expected, why


ORG = replace(POLICY, team_ids=("E0ORG",))
BOTH = replace(POLICY, team_ids=(TEAM, "E0ORG"))
PLACES: list[tuple[str, Person, Policy, str, bool]] = [
    ("their own workspace", person("a"), POLICY, TEAM, True),
    ("Slack does not say from where", person("a"), POLICY, "", True),
    ("a workspace that is not theirs", person("a"), POLICY, "T0OTHER", False),
    ("any workspace of our organisation", person("a", org_id="E0ORG"), ORG, "T0ONE", True),
    ("the organisation itself", person("a", team_id="E0ORG"), ORG, "E0ORG", True),
    ("another organisation", person("a", org_id="E0OTHER"), ORG, TEAM, False),
    ("no organisation", person("a"), ORG, TEAM, False),
    ("our workspace, acting from another of theirs",
     person("a", team_id="T0ONE", org_id="E0ORG", teams=("T0ONE", TEAM)), POLICY, "T0ONE", True),
    ("a workspace of ours that is not theirs", person("a", team_id="T0ONE"), BOTH, TEAM, False),
    ("a workspace of theirs that is not ours",
     person("a", team_id="T0ONE", org_id="E0OTHER", teams=("T0ONE", "T0TWO")), POLICY, "T0TWO", False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "who", "policy", "place", "may"), PLACES, ids=[p[0] for p in PLACES])  # fmt: skip
def test_where_somebody_belongs(
    why: str, who: Person, policy: Policy, place: str, may: bool
) -> None:
    judged = approval.refusal(who, Act.APPROVE, situation(policy=policy), seen_in=place)
    assert judged is (None if may else Refusal.EXTERNAL), why


BY_SESSION = caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/alice", kind="AssumedRole")
BY_ROLE = caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/x1", kind="AssumedRole")
BY_USER = caller_of(arn=f"arn:aws:iam::{ACCOUNT}:user/team/Alice", kind="IAMUser")
TABLE = replace(POLICY, people=((BY_ROLE.arn, "alice"),))
REQUESTERS: list[tuple[str, Caller, Policy, bool]] = [
    ("a pipeline is nobody", CI, POLICY, False),
    ("by the e-mail of Identity Center", sso("alice"), POLICY, True),
    ("somebody else's e-mail", sso("bob"), POLICY, False),
    ("by the session name, which anybody may choose", BY_SESSION, POLICY, True),
    ("by the name of an IAM user", BY_USER, POLICY, True),
    ("by the table", BY_ROLE, TABLE, True),
    ("not in the table", BY_ROLE, POLICY, False),
    ("by the source identity", replace(CI, source_identity="alice@example.com"), POLICY, True),
    ("by a source identity with a plus", replace(CI, source_identity="Alice+ci@Example.com"), POLICY, True),
    ("somebody else's source identity", replace(CI, source_identity="bob@example.com"), POLICY, False),
    ("by the issuer of a federated user", replace(CI, issuer_arn=f"arn:aws:iam::{ACCOUNT}:user/alice"), POLICY, True),
    ("by the issuer, by the table", replace(CI, issuer_arn=BY_ROLE.arn), TABLE, True),
    ("by who signed in at an identity provider", replace(CI, web_identity=("alice@example.com",)), POLICY, True),
    ("by a plus in the session name", replace(BY_ROLE, session_name="alice+x"), POLICY, True),
]  # fmt: skip


@pytest.mark.parametrize(("why", "caller", "policy", "same"), REQUESTERS, ids=[r[0] for r in REQUESTERS])  # fmt: skip
def test_the_requester_may_not_approve(
    why: str, caller: Caller, policy: Policy, same: bool
) -> None:
    alice, blocked = person("alice"), case(by=caller)
    expected = Refusal.REQUESTER if same else None
    for act in (Act.APPROVE, Act.KEEP, Act.LOOK):
        assert approval.refusal(alice, act, situation(case=blocked, policy=policy)) is expected, why
    for act in (Act.REJECT, Act.CANCEL, Act.UNDO, Act.REFRESH, Act.WITHDRAW):
        assert approval.refusal(alice, act, situation(case=blocked, policy=policy)) is None, why


def test_a_plus_in_the_persons_own_e_mail_hides_nobody() -> None:
    other = person("alice2", email="alice+2@example.com")
    refused = approval.refusal(other, Act.APPROVE, situation(case=case(by=sso("alice"))))
    assert refused is Refusal.REQUESTER


def test_once_callers_find_no_place_nobody_can_approve() -> None:
    crowd = Caller("", "further callers", CROWD)
    crowded = case(by=crowd)
    assert approval.refusal(person("a"), Act.APPROVE, situation(case=crowded)) is Refusal.CROWDED
    assert approval.refusal(person("a"), Act.CANCEL, situation(case=crowded)) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a@x.example", "A+b@X.example", True),
        ("a@x.example", "a@y.example", False),
        ("a@x.example", "b@x.example", False),
        ("", "", False),
        ("a@x.example", "", False),
    ],
)
def test_one_e_mail_is_one_person(one: str, other: str, same: bool) -> None:
    alice, alice2 = person("alice", email=one), person("alice2", email=other)
    assert approval.same_person(alice, alice2) is same
    assert not approval.same_person(alice, None)
    plan = offer(Remedy.RETIRE, world())
    clicks = (yes("alice", plan), yes("alice2", plan))
    people = {"alice": alice, "alice2": alice2}
    counted = approval.live(plan, clicks, situation(people=people))
    assert len(counted) == (1 if same else 2)


@pytest.mark.parametrize("refused", [True, False])
def test_a_definite_no_of_slack_counts_and_silence_does_not(refused: bool) -> None:
    plan = offer(Remedy.RETIRE, world())
    alice = (
        Person("alice", is_refused=True) if refused else replace(person("alice"), is_approver=None)
    )
    people = {"alice": alice}
    counted = approval.live(plan, (yes("alice", plan),), situation(people=people))
    assert len(counted) == (0 if refused else 1)


@pytest.mark.parametrize("blank", ["\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u200b", " . "])
def test_what_nobody_can_see_is_no_reason(blank: str) -> None:
    assert not approval.is_reason(blank)
    assert approval.is_reason(f"{blank}ok")


def test_a_case_never_asks_for_fewer_people_than_before() -> None:
    policy = replace(POLICY, quorum_by_tag=(("env=prod", 3),))
    tagged = world(cluster=cluster("1a", "1b", tags=(("env", "prod"),)))
    before = case(quorums=approval.quorums(situation(tagged, policy=policy)))
    for now in (policy, replace(POLICY, quorum_irreversible=1)):
        for remedy in (Remedy.RETIRE, Remedy.REPOINT, Remedy.PARK):
            told = approval.terms(remedy, situation(case=before, policy=now))
            assert (told.people, told.reasons) == (
                3,
                ("because this case asked for 3 people before",),
            )
    assert approval.terms(Remedy.KEEP, situation(case=before)).people == 1
    more = replace(POLICY, quorum_irreversible=5)
    assert approval.terms(Remedy.RETIRE, situation(case=before, policy=more)).people == 5


def test_a_person_without_an_email_is_matched_by_name_only() -> None:
    nameless = person("", email="")
    assert not approval.is_caller(nameless, CI, POLICY)
    assert not approval.is_caller(nameless, Caller("", "", ""), POLICY)


IN_USE = key("a", last_use=used(3 * HOURS))
NO_RECORD = key("a", last_use=used(None, tracked=None))
SHORT_RECORD = key("a", last_use=used(None, tracked=timedelta(days=10)))
LONG_RECORD = key("a", last_use=used(None, tracked=timedelta(days=40)))
PROD = replace(POLICY, quorum_by_tag=(("env=prod", 4), ("env=test", 1)))
ONE = replace(POLICY, quorum_irreversible=1)
TAGGED = cluster("1a", "1b", tags=(("env", "prod"),))
TESTING = cluster("1a", "1b", tags=(("env", "test"),))
QUORUMS: list[tuple[str, Remedy, Snapshot, Policy, Caller, int, bool]] = [
    ("final: two", Remedy.RETIRE, world(key()), POLICY, CI, 2, False),
    ("final: two, also when small", Remedy.RETIRE, world(), POLICY, CI, 2, False),
    ("reversible: one", Remedy.PARK, world(key()), POLICY, CI, 1, False),
    ("keep: one", Remedy.KEEP, world(IN_USE, cluster=TAGGED), PROD, CI, 1, False),
    ("one is enough if a known person tried", Remedy.RETIRE, world(), ONE, sso("dave"), 1, False),
    ("at least two if nobody known tried", Remedy.RETIRE, world(), ONE, CI, 2, False),
    ("a session name maps nobody", Remedy.RETIRE, world(), ONE, BY_SESSION, 2, False),
    ("the table does", Remedy.RETIRE, world(), replace(ONE, people=((BY_ROLE.arn, "x"),)), BY_ROLE, 1, False),
    ("never less than one", Remedy.PARK, world(), replace(POLICY, quorum_reversible=0), CI, 1, False),
    ("a tag raises", Remedy.RETIRE, world(cluster=TAGGED), PROD, CI, 4, False),
    ("a tag raises park too", Remedy.PARK, world(cluster=TAGGED), PROD, CI, 4, False),
    ("a tag never lowers", Remedy.RETIRE, world(cluster=TESTING), PROD, CI, 2, False),
    ("a used key: override, one more", Remedy.RETIRE, world(IN_USE), POLICY, CI, 3, True),
    ("a used key and a tag: one more", Remedy.RETIRE, world(IN_USE, cluster=TAGGED), PROD, CI, 5, True),
    ("override: at least three", Remedy.RETIRE, world(IN_USE), ONE, sso("dave"), 3, True),
    ("no record counts as use", Remedy.RETIRE, world(NO_RECORD), POLICY, CI, 3, True),
    ("a short record counts as use", Remedy.RETIRE, world(SHORT_RECORD), POLICY, CI, 3, True),
    ("a long record is none", Remedy.RETIRE, world(LONG_RECORD), POLICY, CI, 2, False),
    ("a key that waits for deletion is not used", Remedy.RETIRE, world(key("a", KeyState.PENDING_DELETION, last_use=used(HOURS))), POLICY, CI, 2, False),
    ("park of used keys: two", Remedy.PARK, world(IN_USE), POLICY, CI, 2, False),
    ("repoint of used keys: no override", Remedy.REPOINT, world(IN_USE, siblings=(sibling(),)), POLICY, CI, 2, False),
    ("no session count: override", Remedy.PARK, world(other_use=OtherUse()), POLICY, CI, 2, True),
    ("no session count: override, retire", Remedy.RETIRE, world(other_use=OtherUse()), POLICY, CI, 3, True),
    ("foreign interfaces: override", Remedy.RETIRE, world(other_use=replace(NO_OTHERS, interfaces=("eni-1",))), POLICY, CI, 3, True),
    ("unread interfaces: override", Remedy.RETIRE, world(other_use=replace(NO_OTHERS, interfaces=None)), POLICY, CI, 3, True),
    ("sessions while connected say nothing", Remedy.RETIRE, world(other_use=busy(9)), POLICY, CI, 2, False),
    ("sessions while disconnected", Remedy.RETIRE, world(held=store(StoreState.DISCONNECTED), other_use=busy(9)), POLICY, CI, 3, True),
    ("sessions without a store", Remedy.PARK, world(free=True, other_use=busy(9)), POLICY, CI, 2, True),
    ("no HSM, no other use", Remedy.RETIRE, world(zones=(), other_use=OtherUse()), POLICY, CI, 2, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "remedy", "snapshot", "policy", "by", "people", "override"),
    QUORUMS,
    ids=[row[0] for row in QUORUMS],
)
def test_how_many_a_plan_needs(  # noqa: PLR0917  # the columns of the table
    why: str,
    remedy: Remedy,
    snapshot: Snapshot,
    policy: Policy,
    by: Caller,
    people: int,
    override: bool,
) -> None:
    terms = approval.terms(remedy, situation(snapshot, case=case(by=by), policy=policy))
    assert (terms.people, terms.override) == (people, override), why
    raised = people > (policy.quorum_irreversible if remedy is not Remedy.PARK else 1)
    assert not raised or terms.reasons, "a higher number is explained"


def test_a_case_without_a_known_attempt_counts_as_nobodys() -> None:
    terms = approval.terms(Remedy.RETIRE, situation(case=case(attempts=()), policy=ONE))
    assert terms.people == 2


def plan_for(snapshot: Snapshot, remedy: Remedy = Remedy.RETIRE) -> Plan:
    offers = all_plans(situation(snapshot))
    return next(plan for plan in offers if plan.remedy is remedy)


PLAN, RISKY = plan_for(world(key())), plan_for(world(IN_USE))
ALICE, BOB = yes("alice", PLAN), yes("bob", PLAN)
TAKEN_BACK = Click(Act.WITHDRAW, "alice", NOW + HOURS)
LIVE: list[tuple[str, Plan, tuple[Click, ...], int]] = [
    ("two people", PLAN, (ALICE, BOB), 2),
    ("nobody", PLAN, (), 0),
    ("one person twice counts once", PLAN, (ALICE, replace(ALICE, at=NOW + HOURS)), 1),
    ("another plan", PLAN, (ALICE, replace(BOB, plan_hash="0" * 64)), 1),
    ("no reason", PLAN, (replace(ALICE, reason=" "), BOB), 1),
    ("a reason that nobody sees", PLAN, (replace(ALICE, reason="\u200b\u2060."), BOB), 1),
    ("a reason in another script", PLAN, (replace(ALICE, reason="\u4e0d\u8981"), BOB), 2),
    ("a reason given later", PLAN, (replace(ALICE, reason=""), ALICE), 1),
    ("taken back", PLAN, (ALICE, BOB, TAKEN_BACK), 1),
    ("taken back and given again", PLAN, (ALICE, TAKEN_BACK, ALICE), 1),
    ("somebody who never approved takes nothing back", PLAN, (BOB, TAKEN_BACK), 1),
    ("without the override", RISKY, (replace(yes("alice", RISKY), override=False),), 0),
    ("the override given later", RISKY, (replace(yes("alice", RISKY), override=False), yes("alice", RISKY)), 1),
    ("expired when read", PLAN, (replace(ALICE, at=NOW - 24 * HOURS), BOB), 1),
    ("given again in time", PLAN, (replace(ALICE, at=NOW - 24 * HOURS), ALICE), 1),
    ("just in time", PLAN, (replace(ALICE, at=NOW - 23 * HOURS),), 1),
    ("somebody who may not any more", PLAN, (yes("mallory", PLAN),), 0),
    ("somebody of whom Slack says nothing now", PLAN, (yes("zoe", PLAN),), 1),
    ("only a look", PLAN, (replace(ALICE, act=Act.LOOK),), 0),
]  # fmt: skip


@pytest.mark.parametrize(("why", "plan", "clicks", "count"), LIVE, ids=[row[0] for row in LIVE])
def test_which_approvals_count(why: str, plan: Plan, clicks: tuple[Click, ...], count: int) -> None:
    people = {**PEOPLE, "mallory": person("mallory", is_approver=False)}
    live = approval.live(plan, clicks, situation(people=people))
    assert len(live) == count, why
    assert len({click.by for click in live}) == count


def test_a_begun_plan_neither_expires_nor_is_taken_back() -> None:
    old = replace(ALICE, at=NOW - 40 * 24 * HOURS)
    call = CallRecord(Operation.DISCONNECT_KEY_STORE, "cks-1", NOW, CallStatus.DONE, PLAN.plan_hash)
    begun, waiting = case(plan=PLAN, calls=(call,)), case(plan=PLAN)
    both = (old, TAKEN_BACK)
    assert approval.live(PLAN, both, situation(case=begun), begun=True) == (old,)
    assert approval.live(PLAN, (old,), situation(case=waiting), begun=True) == (old,)
    assert approval.live(PLAN, both, situation(case=waiting), begun=True) == ()


def test_a_stricter_policy_voids_what_it_did_not_see() -> None:
    strict = replace(POLICY, approvers=())
    live = approval.live(PLAN, (ALICE,), situation(policy=strict))
    assert live == ()


@pytest.mark.parametrize("text", ["", "  ", "-", "\u3164", "\u115f\uffa0 ."])
def test_what_nobody_can_read_is_no_reason(text: str) -> None:
    assert not approval.is_reason(text)
    assert approval.is_reason(f"{text} ok")


def test_clicks_fold_into_the_yeses_that_stand() -> None:
    again = replace(ALICE, at=NOW + HOURS, reason="again")
    other = replace(yes("bob", PLAN), plan_hash="another")
    back = replace(TAKEN_BACK, by="bob")
    clicks = (ALICE, yes("bob", PLAN), other, again, back)
    assert approval.folded(clicks, PLAN.plan_hash) == (again,)
    assert approval.folded((*clicks, yes("bob", PLAN)), PLAN.plan_hash) == (again, yes("bob", PLAN))
    assert approval.folded(clicks, "another") == ()
    nothing = replace(ALICE, reason=" ")
    it = case(plan=PLAN, clicks=(nothing, yes("bob", PLAN)))
    assert approval.approved(PLAN, it) == (yes("bob", PLAN),)
    begun = case(plan=PLAN, calls=(CallRecord(Operation.DISCONNECT_KEY_STORE, "x", NOW, CallStatus.DONE, PLAN.plan_hash),))  # fmt: skip
    assert approval.standing(PLAN, (ALICE, TAKEN_BACK), begun) == (ALICE,)
    assert approval.standing(PLAN, (ALICE, TAKEN_BACK), it) == ()


LEADING = (Remedy.KEEP, Remedy.PARK, Remedy.RETIRE)


def test_the_leading_offer_is_the_one_nearest_to_its_number() -> None:
    offers = all_plans(situation(world(IN_USE)))
    keep, park, retire = (next(p for p in offers if p.remedy is r) for r in LEADING)
    assert (park.terms.people, retire.terms.people) == (2, 3)

    def led(*clicks: Click) -> object:
        it = case(offers=offers, clicks=clicks)
        found = approval.leading_offer(situation(case=it))
        return found and (found[0].remedy, [click.by for click in found[1]])

    assert led() is None
    assert led(yes("alice", keep)) is None
    assert led(yes("alice", retire)) == (Remedy.RETIRE, ["alice"])
    both = (yes("alice", retire), yes("bob", park))
    assert led(*both) == (Remedy.PARK, ["bob"])
    assert led(*both, yes("bob", retire), yes("carol", retire))[0] is Remedy.RETIRE  # type: ignore[index]
    old = replace(yes("alice", retire), at=NOW - 24 * HOURS)
    assert led(old) is None
