"""Slack: does the token work, is the channel safe, can enough people approve? Posts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.slack.client import SlackClient
from chalicelib.slack.people import GROUP, SlackPeople
from chalicelib.slack.replies import SlackError
from chalicelib.slack.requests import UnsignedError, signature, verify
from chalicelib.slack.secrets import Secret, value_of, what_is_wrong
from ops.checks.finding import Finding, PrerequisiteError
from ops.command_context import PROJECT
from ops.hub import Hub

WHO = "approvers"
OVERRIDE_PEOPLE = 3
"""Retiring keys that are in use takes a third person (approval.terms)."""
WHY_NOT = {
    Refusal.BOT: "is an app",
    Refusal.GONE: "is gone from the workspace",
    Refusal.EXTERNAL: "belongs to another workspace than slack_team_ids says",
    Refusal.GUEST: "is a guest",
    Refusal.UNKNOWN: "could not be looked up",
}
MANIFEST = PROJECT / "infra" / "slack-manifest.yaml"
REINSTALL = "Reinstall the app from infra/slack-manifest.yaml, and store the token that Slack shows"
Slack = Callable[..., Mapping[str, Any]]


def secrets(hub: Hub) -> Iterator[Finding]:
    """Their values, as the functions would take them; no word of them is shown."""
    for short, secret_id, kind in (
        ("slack-signing-secret", hub.settings.signing_secret_id, Secret.SIGNING),
        ("slack-bot-token", hub.settings.bot_token_secret_id, Secret.TOKEN),
    ):
        stored = _stored(hub, secret_id)
        if stored is None:
            continue
        wrong = what_is_wrong(stored, kind)
        if not wrong and kind is Secret.SIGNING and not _verifies(value_of(stored, kind), hub):
            wrong = "does not verify what it signed"
        do = f"aws secretsmanager put-secret-value --region {hub.region} --secret-id {secret_id} --secret-string …"
        says = f"the value {wrong}" if wrong else f"can be a {kind.value}"
        yield Finding(short, not wrong, says, do if wrong else "")


def _stored(hub: Hub, secret_id: str) -> str | None:
    """None if nothing is stored, which another check says."""
    try:
        reply = hub.client("secretsmanager").get_secret_value(SecretId=secret_id)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return None
    return str(reply.get("SecretString") or "")


def _verifies(secret: str, hub: Hub) -> bool:
    """A probe signed as Slack signs, and judged as the functions judge."""
    body, now = b"payload=probe", hub.clock()
    stamp = str(int(now.timestamp()))
    headers = {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature(secret, stamp, body),
    }
    try:
        verify(body, headers, secret=secret, now=now)
    except UnsignedError:
        return False
    return True


def client_of(hub: Hub) -> SlackClient:
    """Calls Slack as the bot. The token is read with the operator’s own rights."""

    def token(_fresh: bool) -> str:
        stored = _stored(hub, hub.settings.bot_token_secret_id)
        if stored is None:
            raise PrerequisiteError("there is no token to ask with")
        return value_of(stored, Secret.TOKEN)

    settings = hub.settings
    return SlackClient(token, settings.slack_api_url, team_id=settings.slack_workspace)


def slack_of(hub: Hub) -> Slack:
    return client_of(hub).call


def token(hub: Hub) -> Iterator[Finding]:
    client = client_of(hub)
    try:
        reply = client.call("auth.test")
    except SlackError as failed:
        yield Finding("slack token", False, f"Slack says {failed.code}", REINSTALL)
        return
    yield Finding("slack token", True, f"works as {reply.get('user')} in {reply.get('team')}")
    yield _scopes(client.scopes)
    if reply.get("is_enterprise_install") and not hub.settings.slack_workspace:
        says = "the app is installed for a whole organisation, and no workspace is named"
        do = "Add the workspace of the approvers’ group (T…) to slack_team_ids"
        yield Finding("slack workspace", False, says, do)


def _scopes(granted: frozenset[str]) -> Finding:
    """Against the manifest: what lacks breaks something, what is more is a risk for nothing."""
    asked = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
    lacking, needless = sorted(set(asked) - granted), sorted(granted - set(asked))
    if lacking:
        says = f"the token lacks {', '.join(lacking)}"
        return Finding("slack scopes", False, says, REINSTALL)
    more = f"; more than needed: {', '.join(needless)}" if needless else ""
    return Finding("slack scopes", True, f"as in the manifest{more}")


def channel(hub: Hub) -> Iterator[Finding]:
    yield from channel_is_fit(hub, hub.settings.slack_channel, "slack channel")


def channel_is_fit(hub: Hub, wanted: str, what: str) -> Iterator[Finding]:
    try:
        found = slack_of(hub)("conversations.info", channel=wanted)["channel"]
    except SlackError as failed:
        do = "Set slack_channel to the channel’s id (C…), and invite the app there"
        yield Finding(what, False, f"{wanted or 'not set'}: {failed.code}", do)
        return
    wrong = [
        (found.get("is_archived"), "it is archived", "Unarchive it, or set another slack_channel"),
        (
            found.get("is_ext_shared") or found.get("is_pending_ext_shared"),
            "it is shared with another company, which would read every case",
            "Use a channel of your own workspace alone",
        ),
        (found.get("is_member") is False, "the app is not in it", "/invite @Unlatch there"),
    ]
    name = found.get("name", wanted)
    bad = [(says, do) for applies, says, do in wrong if applies]
    for says, do in bad:
        yield Finding(what, False, f"#{name}: {says}", do)
    if not bad:
        yield Finding(what, True, f"#{name}, not shared with outsiders")


def shown(hub: Hub) -> Iterator[Finding]:
    """Open cases that Slack refused to show, each with its word."""
    refused: dict[str, list[str]] = {}
    for pointer in hub.cases.pointers():
        word = hub.cases.load(pointer.case_id).message.refused
        if word:
            refused.setdefault(word, []).append(pointer.case_id)
    do = "Unarchive the channel or invite the app; or set another slack_channel, and deploy"
    for word, cases in refused.items():
        named = ", ".join(cases[:5]) + (", …" if len(cases) > 5 else "")
        says = f"Slack says {word}, so open cases are not shown, {len(cases)} in all: {named}"
        yield Finding("slack messages", False, says, do)
    if not refused:
        yield Finding("slack messages", True, "Slack refuses to show no open case")


def approvers(hub: Hub) -> Iterator[Finding]:
    """Each of them by the bot’s own judge; then whether enough are left."""
    settings = hub.settings
    if not settings.approvers:
        do = "Set approvers to Slack user ids or user group ids, and deploy"
        yield Finding(WHO, False, "the list is empty, so nobody can approve", do)
        return
    yield from enough_can_approve(hub, settings.policy(), WHO)


def enough_can_approve(hub: Hub, policy: Policy, what: str) -> Iterator[Finding]:
    slack = slack_of(hub)
    users, troubles = _listed(slack, policy.approvers)
    yield from troubles
    able = 0
    for user, person, why in _judged(hub, slack, users, policy):
        if why is None:
            able += 1
            continue
        says = f"{_named(user, person)} {WHY_NOT.get(why, 'may not approve')}"
        yield Finding(what, False, says, "Take them off approvers, or fix it in Slack")
    yield from _quorum(policy, able, "quorum" if what == WHO else what)


def able_to_approve(hub: Hub) -> list[tuple[str, Person]]:
    """Those of the list whom the bot would let approve, each with a name."""
    slack = slack_of(hub)
    users, _ = _listed(slack, hub.settings.approvers)
    return [
        (_named(user, person), person)
        for user, person, why in _judged(hub, slack, users, hub.settings.policy())
        if why is None and person is not None
    ]


def _judged(
    hub: Hub, slack: Slack, users: list[str], policy: Policy
) -> Iterator[tuple[str, Person | None, Refusal | None]]:
    people = SlackPeople(slack, policy.approvers).fetch(users)
    now = hub.clock()
    nobody = last_seen(Case("", "", "", "", now), policy=policy, now=now)
    for user in users:
        person = people.get(user)
        yield user, person, approval.refusal(person, Act.APPROVE, nobody)


def _listed(slack: Slack, named: tuple[str, ...]) -> tuple[list[str], list[Finding]]:
    """All user ids, those of groups included."""
    users = dict.fromkeys(name for name in named if not GROUP.fullmatch(name))
    troubles = []
    for group in (name for name in named if GROUP.fullmatch(name)):
        try:
            users |= dict.fromkeys(slack("usergroups.users.list", usergroup=group)["users"])
        except SlackError as failed:
            do = "Is the group’s id right, and not disabled? The app needs usergroups:read"
            troubles.append(Finding(WHO, False, f"group {group}: Slack says {failed.code}", do))
    return list(users), troubles


def _quorum(settings: Policy, fit: int, what: str) -> Iterator[Finding]:
    by_tag = [count for _, count in settings.quorum_by_tag]
    most = max(settings.quorum_irreversible, settings.quorum_reversible, *by_tag)
    if fit < most:
        says = f"{fit} can approve, and the settings ask for {most}"
        yield Finding(what, False, says, "Add approvers, or lower the quorum settings")
        return
    says = f"{fit} can approve, {most} needed"
    if fit == most:
        says += "; a requester among them can’t approve, and nobody is to spare"
    if fit < max(OVERRIDE_PEOPLE, settings.quorum_irreversible + 1):
        says += "; too few to retire keys that are in use"
    yield Finding(what, True, says)


def _named(user: str, person: Person | None) -> str:
    return f"{user} ({person.name})" if person and person.name and person.name != user else user
