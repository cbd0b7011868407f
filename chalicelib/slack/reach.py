"""Home tabs, the digest and what `/unlatch` answers. Slack's failures are noted, never raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.home import Home
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.scan import Changes, Finding, Scan
from chalicelib.domain.state.case import Case
from chalicelib.slack import home as home_tab
from chalicelib.slack.error_words import is_view_refused
from chalicelib.slack.gateway import SlackGateway
from chalicelib.slack.history import history
from chalicelib.slack.messages import digest, fleet
from chalicelib.slack.messages.names import Names, called, mentions
from chalicelib.slack.messages.text import count, ident, listing, marked
from chalicelib.slack.naming import Naming
from chalicelib.slack.replies import SlackError
from chalicelib.slack.sending import send

EVENT = "unlatch_digest"
DAY = timedelta(days=1)
MOST_LINES = 40
USAGE = (
    ("/unlatch status", "open and kept cases, and what waits for you"),
    ("/unlatch scan", "idle clusters and broken key stores; changes nothing"),
    ("/unlatch cluster-2a3b4c5d6e7", "start a case for this cluster"),
    (
        "/unlatch cluster-2a3b4c5d6e7 111122223333/eu-west-1",
        "the same in another account or Region",
    ),
    ("/unlatch help", "this"),
)


@dataclass(frozen=True)
class Reach:
    """`call` makes a Web API request and raises SlackError; `last_scan` is what was kept of the last one."""

    call: Callable[..., Mapping[str, Any]]
    channel: str
    policy: Policy
    naming: Naming
    log: Callable[..., None]
    last_scan: Callable[[], Scan | None]

    @classmethod
    def of(cls, gateway: SlackGateway, last_scan: Callable[[], Scan | None]) -> Reach:
        """With what shows cases."""
        assert gateway.naming is not None, "only tests do without"
        spoken = (gateway.call, gateway.channel, gateway.policy, gateway.naming, gateway.log)
        return cls(*spoken, last_scan)

    @property
    def names(self) -> Names:
        return self.naming.names(None, self.policy.approvers)

    def publish(self, user_id: str, home: Home, now: datetime) -> bool:
        """Whether this person's Home tab shows it now, shorter if Slack does not take all of it."""
        view = home_tab.view(home, policy=self.policy, names=self.names, now=now)
        why = ""
        for form in (view, home_tab.shorter(view)):
            try:
                self.call("views.publish", user_id=user_id, view=form)
            except SlackError as failed:
                why = failed.code
                if not is_view_refused(why):
                    break
            else:
                return True
        self.log("Home tab not shown", user=user_id, why=why)
        return False

    def tell(
        self, scan: Scan, before: Scan | None, changed: Changes, cases: Sequence[Case]
    ) -> bool:
        """Posts the digest, unless an earlier try of this hour did before it died."""
        mark = digest.mark(scan.at)
        open_on = {case.place: case for case in cases}

        def link(finding: Finding) -> str:
            case = open_on.get((finding.account, finding.region, finding.cluster_id))
            return names.link(case.message.channel, case.message.ts) if case else ""

        names = self.names
        message = digest.message(scan, before, changed, names=names, link=link)
        about = {"event_type": EVENT, "event_payload": {"mark": mark}}
        try:
            if not self._is_there(mark, scan.at):
                send(self.call, "chat.postMessage", message, channel=self.channel, metadata=about)
        except SlackError as failed:
            self.log("digest not posted", why=failed.code)
            return False
        return True

    def _is_there(self, mark: str, now: datetime) -> bool:
        said = history(self.call, self.channel, now - DAY, event=EVENT)
        return any(about.get("mark") == mark for _, about in said)

    def help(self) -> str:
        lines = "\n".join(f"`{words}`  {about}" for words, about in USAGE)
        who = listing(mentions(called(("approvers",), self.policy.approvers)), nothing="Nobody")
        return (
            "*Unlatch frees AWS CloudHSM clusters and KMS key stores that hold each other.* It changes "
            f"nothing until enough people have approved.\n{lines}\n{who} can approve. Whoever starts a "
            "case can’t approve it. To stop all changes at once, an operator runs `unlatch freeze`.\n"
            "Only you see this. Your cases are in Unlatch’s Home tab."
        )

    def scan(self) -> str:
        return fleet.told(self.last_scan(), self.names)

    def status(self, home: Home) -> str:
        names = self.names
        lines = [self._line(case, names, "*Waits for you*") for case in home.waiting]
        lines += [self._line(case, names) for case in (*home.open, *home.kept)]
        left = len(lines) - MOST_LINES + home.more
        more = [f"and {count(left, 'more case')}."] if left > 0 else []
        frozen = [f":warning: All changes are frozen: {marked(home.frozen)}"] if home.frozen else []
        return "\n".join([*frozen, *lines[:MOST_LINES], *more]) or "No case is open."

    def _line(self, case: Case, names: Names, mine: str = "") -> str:
        address = names.link(case.message.channel, case.message.ts)
        cluster = ident(case.cluster_id)
        name = f"<{address}|{cluster}>" if address else f"`{cluster}`"
        words = (f"• {name} ({names.there(case)})", mine, marked(home_tab.how_it_stands(case)))
        return " · ".join(filter(None, words))
