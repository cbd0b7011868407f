"""The Home tab of one person: what waits for them, open and kept cases, and the last scan. Makes no request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.fleet import Concern
from chalicelib.domain.home import Home
from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.rules.approval import Refusal, approved
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.scan import BAD, Finding, Scan
from chalicelib.domain.state.case import Case, Phase
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack.messages import facts, fleet
from chalicelib.slack.messages.blocks import divider, header, marked_note, note, section
from chalicelib.slack.messages.names import Names, mention
from chalicelib.slack.messages.render import render
from chalicelib.slack.messages.text import (
    DAY,
    Block,
    clean,
    count,
    ident,
    listing,
    marked,
    money,
    people,
    token,
    upper_first,
)

MOST_A_GROUP = 10
MOST_BLOCKS, FEWER_BLOCKS = 100, 25
Links = Mapping[tuple[str, str, str], str]
"""The messages of open and kept cases, by account, Region and cluster; "" for one that has none yet."""
UNREAD = "Unlatch can’t read its cases now. Please open this tab again in a minute."
CLOSED_TO = {
    Refusal.EXTERNAL: "No case is shown here: your account belongs to another company.",
    Refusal.GUEST: "No case is shown here to guest accounts.",
    Refusal.BOT: "No case is shown here to apps and bots.",
    Refusal.GONE: "No case is shown here: this account is deactivated.",
    Refusal.REFUSED: "No case is shown here, as Slack refuses to tell Unlatch who you are. Whoever runs "
    "Unlatch can find out why with `unlatch doctor`.",
    Refusal.UNKNOWN: "No case is shown here, as Slack could not say who you are. Please open this tab again "
    "in a minute.",
    Refusal.NO_APPROVERS: "Nobody can approve: the list of approvers is empty. Whoever runs "
    "Unlatch can set APPROVERS.",
}


def view(home: Home, *, policy: Policy, names: Names, now: datetime) -> Block:
    """What views.publish takes."""
    if home.closed or home.is_unread:
        words = CLOSED_TO[home.closed] if home.closed else UNREAD
        return {"type": "home", "blocks": [section(words)]}
    blocks = [*_frozen(home), *_waiting(home, policy, names, now)]
    if home.open:
        title = "Open, nothing for you to do" if home.waiting else "Open"
        blocks += [divider(), header(f"{title}: {len(home.open)}")]
        blocks += _group(home.open, policy, names, now, asked_by=home.asked_by)
    if home.kept:
        blocks += [divider(), header(f"Kept: {len(home.kept)}")]
        blocks += _kept(home.kept, policy, names)
    if home.more:
        blocks.append(note(f"{count(home.more, 'more case')}: /unlatch status"))
    links = {
        case.place: names.link(case.message.channel, case.message.ts)
        for case in (*home.waiting, *home.open, *home.kept)
    }
    blocks += [divider(), header("Fleet"), *_fleet(home.scan, names, links)]
    read = f"Read {token(now)}, again every hour and after each click · `/unlatch help`"
    return {"type": "home", "blocks": [*blocks[: MOST_BLOCKS - 1], marked_note(read)]}


def shorter(view: Block) -> Block:
    """Its first blocks, what waits for the reader among them, without buttons."""
    *first, read = view["blocks"]
    kept = [{name: one for name, one in b.items() if name != "accessory"} for b in first]
    return {**view, "blocks": [*kept[:FEWER_BLOCKS], note("and more: /unlatch status"), read]}


def _frozen(home: Home) -> list[Block]:
    if not home.frozen:
        return []
    return [
        section(f":warning: *All changes are frozen:* {marked(clean(home.frozen, 300))}"),
        divider(),
    ]


def _waiting(home: Home, policy: Policy, names: Names, now: datetime) -> list[Block]:
    if home.waiting:
        title = header(f"Waits for you: {len(home.waiting)}")
        return [title, *_group(home.waiting, policy, names, now)]
    where = f" <#{home.channel}>" if home.channel.isalnum() else " its channel"
    words = (
        "No case is open. When AWS refuses to delete a cluster or a key store, or a key store goes "
        f"down, Unlatch writes to{where}, and the case shows here."
    )
    any_case = home.open or home.kept
    return [header("Nothing waits for you"), *([] if any_case else [section(words)])]


def _group(
    cases: Sequence[Case],
    policy: Policy,
    names: Names,
    now: datetime,
    *,
    asked_by: Iterable[str] = (),
) -> list[Block]:
    blocks: list[Block] = []
    for case in cases[:MOST_A_GROUP]:
        shown = render(case, policy=policy, now=now, version=case.version, names=names)
        title = _title(shown.blocks[0]["text"]["text"], case)
        words = [_linked(title, case, names)]
        if case.case_id in asked_by:
            words.append("You made that call, so others decide.")
        else:
            words.append(marked(how_it_stands(case)))
        blocks += [section("\n".join(filter(None, words))), _place(case, names)]
    return [*blocks, *_rest(len(cases))]


def _title(heading: str, case: Case) -> str:
    """The heading of its message, without the symbol, and with the cluster’s name."""
    words = heading.split(": ", 1)[1] if heading.startswith(":") else heading
    return words if facts.cluster(case) in words else f"{facts.cluster(case)}: {words}"


def how_it_stands(case: Case) -> str:
    """What it waits for, or until when; "" if it is only under way."""
    if case.keep:
        return f"Kept until {token(case.keep.until, DAY)}"
    if case.is_down and case.phase is Phase.WAITING:
        return _down(case)
    if begun := _approved(case):
        return begun
    if returning_keys(case) and not case.ending:
        unused = "" if case.key_uses else "Nobody has tried to use them. "
        return f"{unused}Any approver can cancel until then."
    if case.waiting_for:
        return f"Waits: {case.waiting_for}"
    if case.expires_at:
        return f"Closes {token(case.expires_at)} if nobody decides"
    return ""


def _down(case: Case) -> str:
    """“Since 2 Mar, 03:41 UTC · the rescue needs 1 person”."""
    begin, plan = facts.failing_since(case), case.offer(Remedy.RESCUE)
    words = [f"since {token(begin)}"] if begin else ["the keys fail"]
    words += [f"the rescue needs {people(plan.terms.people)}"] if plan else []
    return upper_first(" · ".join(words))


def _approved(case: Case) -> str:
    """“1 of 2 approved, by @bob · closes 3 Mar, 09:31 UTC”: of the plan with the most approvals."""
    if case.phase is not Phase.WAITING:
        return ""
    offers = [(plan, approved(plan, case)) for plan in case.offers]
    plan, clicks = max(offers, key=lambda offer: len(offer[1]), default=(None, ()))
    if plan is None or not clicks:
        return ""
    by = listing(mention(click.by) for click in clicks)
    closes = f" · closes {token(case.expires_at)}" if case.expires_at else ""
    return f"{len(clicks)} of {plan.terms.people} approved, by {by}{closes}"


def _linked(title: str, case: Case, names: Names) -> str:
    address = names.link(case.message.channel, case.message.ts)
    words = marked(title)
    return f"*<{address}|{words}>*" if address else f"*{words}*"


def _place(case: Case, names: Names) -> Block:
    words = [names.account(case.account), ident(case.region)]
    if store := facts.store_name(case):
        words.append(f"key store {store}")
    return note(" · ".join(words))


def _kept(cases: Sequence[Case], policy: Policy, names: Names) -> list[Block]:
    blocks: list[Block] = []
    for case in cases[:MOST_A_GROUP]:
        keep = case.keep
        until = f"kept until {token(keep.until, DAY)}" if keep else "kept"
        address = names.link(case.message.channel, case.message.ts)
        cluster = facts.cluster(case)
        title = f"<{address}|{cluster}>" if address else cluster
        by = (
            f"By {mention(keep.by)}, {mention(keep.owner or keep.by)} looks after it · "
            if keep
            else ""
        )
        words = f"*{title}: {until}*\n{by}{money(facts.daily(case, policy))} a day"
        blocks += [section(words), _place(case, names)]
    return [*blocks, *_rest(len(cases))]


def _rest(number: int) -> list[Block]:
    more = number - MOST_A_GROUP
    return [note(f"{more} more: /unlatch status")] if more > 0 else []


def _fleet(scan: Scan | None, names: Names, links: Links) -> list[Block]:
    if scan is None:
        return [section("No scan has been made yet. Unlatch makes one each week.")]
    lines = [f"Scanned {token(scan.at)}: {fleet.totals(scan)}", *_sums(scan)]
    worth = [finding for finding in scan.findings if finding.is_worth_a_case]
    broken = scan.of(*BAD)
    blocks = [section("\n".join(lines))]
    for finding in [*broken, *worth][:MOST_A_GROUP]:
        blocks += _finding(finding, scan, names, links)
    return [*blocks, *_left(len(broken) + len(worth))]


def _sums(scan: Scan) -> list[str]:
    idle, broken = scan.of(Concern.IDLE, Concern.HOLDS_NOTHING), scan.of(*BAD)
    retired, unread = scan.of(Concern.RETIRED), scan.of(Concern.UNREAD)
    money_ = money(sum(finding.dollars for finding in idle))
    rows = (
        (len(broken), f"*{len(broken)} broken:* keys fail"),
        (
            len(idle),
            f"*{len(idle)} idle:* no key used for long, no other program on the HSMs, about {money_} a month",
        ),
        (len(retired), f"*{len(retired)}* with HSMs of a retired type"),
        (len(unread), f"*{count(len(unread), 'place')}* could not be read"),
    )
    found = [f"• {words}" for number, words in rows if number]
    return found or ["None is idle, none is broken."]


def _finding(finding: Finding, scan: Scan, names: Names, links: Links) -> list[Block]:
    """With its case, if it has one; an idle one without has a button that opens one."""
    name, address = fleet.name_of(finding), links.get(finding.place)
    title = f"<{address}|{name}>" if address else name
    words = f"*{title}* {marked(fleet.about(finding, scan.at))}\n{fleet.cost(finding)}"
    is_free = finding.is_worth_a_case and finding.place not in links
    return [
        section(words, fleet.open_button(finding) if is_free else None),
        note(f"{names.account(finding.account)} · {ident(finding.region)}"),
    ]


def _left(number: int) -> list[Block]:
    more = number - MOST_A_GROUP
    return [note(f"{more} more: /unlatch scan")] if more > 0 else []
