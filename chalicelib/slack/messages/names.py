"""What people call things: accounts, approvers without a mention, the owner by tag. Values only, found by naming.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.slack_message import Moment
from chalicelib.slack.messages.text import GROUP, PERSON, clean, escape, ident, listing

MOST_APPROVERS = 10
APPROVERS, NOBODY = "approvers", "nobody"


@dataclass(frozen=True)
class Names:
    """`accounts` by id; `people` are plain names by the id of a user or group; `owners` are Slack ids.

    `home` is the address of the workspace, which all links begin with.
    """

    accounts: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    owner_tag: str = ""
    home: str = ""

    def account(self, account: str) -> str:
        """“payments-prod (111122223333)”, or the id."""
        name = self.accounts.get(account)
        return f"{clean(name)} ({ident(account)})" if name else ident(account)

    def short(self, account: str) -> str:
        """“payments-prod”, or “account 111122223333”."""
        name = self.accounts.get(account)
        return clean(name) if name else f"account {ident(account)}"

    def there(self, case: Case) -> str:
        """“payments-prod, us-east-1”, after “in”."""
        return f"{self.short(case.account)}, {ident(case.region)}"

    def plainly(self, ids: Sequence[str]) -> str:
        """Users and groups by name, so that nobody is notified; as mrkdwn, whatever they are called."""
        shown = [self._plain(one) for one in ids[:MOST_APPROVERS]]
        if len(ids) > len(shown):
            shown.append(f"{len(ids) - len(shown)} more")
        return listing(shown, nothing="nobody")

    def _plain(self, one: str) -> str:
        name = self.people.get(one)
        return escape(f"@{clean(name)}" if name else clean(one))

    def link(self, channel: str, ts: str) -> str:
        """The address of a message; "" if there is none, or the workspace is not known."""
        if not self.home or not channel or not ts:
            return ""
        return f"{self.home}archives/{ident(channel)}/p{ts.replace('.', '')}"


NO_NAMES = Names()


def mention(one: str) -> str:
    """A mention of a user or group, for mrkdwn; "" for what is neither."""
    if GROUP.fullmatch(one):
        return f"<!subteam^{one}>"
    return f"<@{one}>" if PERSON.fullmatch(one) else ""


def mentions(ids: Iterable[str]) -> tuple[str, ...]:
    """Each once."""
    return tuple(found for one in dict.fromkeys(ids) if (found := mention(one)))


def called(setting: Sequence[str], approvers: Sequence[str]) -> tuple[str, ...]:
    """The ids that the setting MENTION means."""
    found: list[str] = []
    for word in setting:
        if word == APPROVERS:
            found += approvers
        elif word != NOBODY:
            found.append(word)
    return tuple(dict.fromkeys(found))


def whom(
    case: Case,
    moment: Moment,
    *,
    setting: Sequence[str],
    approvers: Sequence[str],
    owners: Sequence[str],
) -> tuple[str, ...]:
    """Whom this moment concerns, in order, each once; a keep that lapsed only who looks after it."""
    if moment is Moment.KEEP_LAPSED:
        keeper = [click.owner or click.by for click in case.clicks if click.keep_until][-1:]
        return tuple(keeper)
    return tuple(
        dict.fromkeys((*called(setting, approvers), *owners, *filter(None, [case.requester_id])))
    )
