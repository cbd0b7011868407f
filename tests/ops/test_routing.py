"""`routes.yaml`: read, checked, written for the functions, and what it changes for open cases."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import config
from chalicelib.config import BadSettingsError
from chalicelib.domain.rules.routes import Route
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.slack_message import SlackMessage
from ops.checks import chat
from ops.checks import routes as check
from ops.console import Console
from ops.deployment import routing
from ops.errors import OperatorError
from tests.domain.worlds import Play, cluster, world
from tests.test_config import NEEDED

EXAMPLE = Path(__file__).parents[2] / "infra/example.routes.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "chalicelib").mkdir()
    return tmp_path


def test_the_example_becomes_what_the_functions_read(project: Path) -> None:
    (project / routing.FILE).write_text(EXAMPLE.read_text())
    routes = routing.prepared(project)
    assert [route.name for route in routes] == ["payments-prod", "sandboxes"]
    assert config.routes(project / routing.COPY) == routes


def test_without_a_file_there_are_no_routes(project: Path) -> None:
    (project / routing.COPY).write_text("{}")
    assert routing.prepared(project) == ()
    assert not (project / routing.COPY).exists()
    assert config.routes(project / routing.COPY) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("routes: [", "no YAML"),
        ("routes: 3", "must hold"),
        ("routes: [{name: a, accounts: ['12']}]", "a: accounts: 12 is not right: 12 digits"),
        ("routes: [{name: a, channel: '#keys'}]", "a: channel: #keys is not right"),
        ("routes: [{name: a, regions: [mars]}]", "a: regions: mars is not right"),
        ("routes: [{name: a, approvers: [alice]}]", "a: approvers: alice is not right"),
        ("routes: [{name: a, mention: [everybody]}]", "a: mention: everybody is not right"),
    ],
)
def test_a_file_that_can_not_be_meant_stops_the_deployment(
    project: Path, text: str, why: str
) -> None:
    (project / routing.COPY).write_text("as before")
    (project / routing.FILE).write_text(text)
    with pytest.raises(OperatorError, match=why):
        routing.prepared(project)
    assert (project / routing.COPY).read_text() == "as before"


def test_a_copy_that_can_not_be_read_stops_the_functions(project: Path) -> None:
    (project / routing.COPY).write_text("{")
    with pytest.raises(BadSettingsError, match="can’t start"):
        config.routes(project / routing.COPY)


def hub(*cases: Case) -> Any:
    known = {case.case_id: case for case in cases}
    pointers = [SimpleNamespace(case_id=case_id) for case_id in known]
    return SimpleNamespace(cases=SimpleNamespace(pointers=lambda: pointers, load=known.__getitem__))


def test_what_changes_for_open_cases_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    play = Play(world(cluster=cluster("1a", "1b", tags=(("env", "prod"),))))
    play.sure_turn()
    settings = config.read({**NEEDED, "SLACK_CHANNEL": "C1"})
    it = replace(play.case, message=SlackMessage("C1", "1.0"))
    prod = Route("prod", tags=(("env", "prod"),), channel="C2")
    [said] = routing.effects(hub(it), (prod,), settings)
    assert "moves from C1 to C2" in said
    assert "goes by prod, not the settings" in said
    assert not list(routing.effects(hub(replace(it, route_tags=())), (prod,), settings))
    yes = replace(it, approved=(SimpleNamespace(by="alice"),))  # type: ignore[arg-type]
    assert "it asks again" in next(routing.effects(hub(yes), (prod,), settings))
    screen = Console(sys.stdout, sys.stderr)
    routing.show([said], screen)
    routing.show([], screen)
    assert said in capsys.readouterr().out


def test_the_doctor_looks_at_each_route(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.read({**NEEDED, "APPROVERS": "U1"})
    asked: list[str] = []

    def ask(word: str) -> tuple[()]:
        asked.append(word)
        return ()

    monkeypatch.setattr(chat, "channel_is_fit", lambda _h, channel, _w: ask(channel))
    monkeypatch.setattr(chat, "enough_can_approve", lambda _h, policy, _w: ask(policy.route))
    found: Any = SimpleNamespace(settings=settings)
    monkeypatch.setattr(
        config,
        "routes",
        lambda: (Route("a", channel="C2"), Route("b", approvers=("U2",)), Route("c")),
    )
    assert [f.name for f in check.all_of_them(found)] == ["route c"]
    assert asked == ["C2", "b"]
    monkeypatch.setattr(config, "routes", tuple)
    assert next(check.all_of_them(found)).ok

    def broken() -> None:
        raise BadSettingsError("routes.json is torn")

    monkeypatch.setattr(config, "routes", broken)
    assert next(check.all_of_them(found)).ok is False
