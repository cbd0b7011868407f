"""Each refusal says what did not happen and who can help, and pings nobody who is not meant."""

from dataclasses import replace

import pytest

from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.clicks import NotPossible, Obstacle
from chalicelib.domain.state.plan import Remedy
from chalicelib.flows import signed
from chalicelib.slack import refusals
from tests.domain.worlds import POLICY, Play, world
from tests.slack.reading import problems


@pytest.mark.parametrize("refusal", list(Refusal))
@pytest.mark.parametrize("approvers", [(), ("S0KEYS",), ("S0KEYS", "alice"), ("alice", "bob")])
def test_refusals_are_whole_sentences(refusal: Refusal, approvers: tuple[str, ...]) -> None:
    said = refusals.sentence(refusal, policy=replace(POLICY, approvers=approvers))
    assert "{" not in said
    assert said.endswith(".")
    assert said[0].isupper() or said.startswith("<")
    assert problems(refusals.private(said)) == []


def test_groups_and_people_are_mentioned() -> None:
    policy = replace(POLICY, approvers=("S0KEYS",))
    said = refusals.sentence(Refusal.NOT_AN_APPROVER, policy=policy)
    assert "you are not in <!subteam^S0KEYS>" in said
    policy = replace(POLICY, approvers=("alice", "bob"))
    said = refusals.sentence(Refusal.NOT_AN_APPROVER, policy=policy)
    assert "you are not one of <@alice> and <@bob>" in said


@pytest.mark.parametrize(
    ("action", "verb"),
    [
        ("undo", "undo"),
        ("cancel", "cancel"),
        ("reject", "close"),
        ("refresh", "do"),
        ("", "approve"),
    ],
)
def test_a_refusal_names_what_was_pressed(action: str, verb: str) -> None:
    said = refusals.sentence(Refusal.NOT_AN_APPROVER, policy=POLICY, action=action)
    assert said.startswith(f"You can’t {verb} this: ")


def test_private_answers_keep_mentions_and_nothing_else() -> None:
    message = refusals.private("<@bob> decided this. <!channel> <https://evil.example|look>")
    assert message.text.startswith("<@bob> decided this. &lt;!channel&gt;")
    assert message.blocks[0]["text"]["text"] == message.text


@pytest.mark.any_words
@pytest.mark.parametrize("words", ["", "   ", "x" * 9_000, "<" * 3_000])
def test_private_answers_always_fit(words: str) -> None:
    assert problems(refusals.private(words)) == []


@pytest.mark.parametrize("obstacle", list(Obstacle))
@pytest.mark.parametrize("by", ["", "bob"])
@pytest.mark.parametrize("remedy", [None, Remedy.PARK])
def test_each_obstacle_is_worded(obstacle: Obstacle, by: str, remedy: Remedy | None) -> None:
    case = Play(world()).case
    said = refusals.why_not(NotPossible(obstacle, by, remedy), case)
    assert "{" not in said
    assert said.endswith(".")
    assert problems(refusals.private(said)) == []
    plain = signed.why_not(NotPossible(obstacle, by, remedy), case)
    assert plain.endswith(".")
    assert not any(mark in plain for mark in ("{", "<", "click", "Press")), "a shell has no buttons"


def test_who_was_first_is_mentioned_in_slack_and_named_in_a_shell() -> None:
    first = NotPossible(Obstacle.ASKED_ALREADY, "bob")
    case = Play(world()).case
    assert refusals.why_not(first, case).startswith("<@bob> asked for this already.")
    assert signed.why_not(first, case).startswith("bob asked for this already.")
