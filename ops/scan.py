"""`unlatch scan`: all clusters and key stores that you can read, with what stands idle, broken or empty, and what it costs. Reads only; opens no case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import click

from chalicelib.aws.fleet import Fleet
from chalicelib.aws.rate_limit import Paces
from chalicelib.config import READER_ROLE, Settings
from chalicelib.domain.fleet import Concern, Remark, Survey, judge, last_use, monthly_cost
from chalicelib.domain.state.snapshot import Cluster
from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, Console, count, moment
from ops.errors import OperatorError
from ops.exits import Exit
from ops.expected import EXPECTED, trouble_of
from ops.hub import Hub, connect
from ops.target_access import accounts
from ops.verb import Options, Verb, account_id, flag, option, place

AT_A_TIME = 40
SENTENCES = {
    Concern.BROKEN_STORE: (
        "the key store has FAILED ({detail}), and {keys} can’t be used",
        "unlatch diagnose {cluster}; “How to fix a custom key store” in the KMS guide",
    ),
    Concern.CLUSTER_LOST: (
        "the key store’s cluster is gone, and {keys} can’t be used without it",
        "Restore it from its backup before AWS deletes that (seven days)",
    ),
    Concern.KEYS_GOING: (
        "{keys} waiting for deletion, the first until {at}",
        "If one is needed: aws kms cancel-key-deletion",
    ),
    Concern.STORE_OFF: (
        "the key store is not connected, and {keys} can’t be used",
        "If they are needed: aws kms connect-custom-key-store",
    ),
    Concern.IDLE: (
        "nobody uses it: the last use of a key was {at}, and no other program is connected",
        "/unlatch {cluster} in Slack offers the ways out",
    ),
    Concern.HOLDS_NOTHING: (
        "{hsms}, and neither a key store nor another program uses them",
        "Keep its backup, delete the HSMs, then the cluster",
    ),
    Concern.RETIRED: (
        "its HSM type {detail} can’t be created any more: what it loses it does not get back",
        "Make a new cluster from its backup (hsm2m.medium), and repoint",
    ),
    Concern.UNKNOWN_USE: (
        "nobody can tell whether it is used",
        "unlatch diagnose {cluster} says what is unknown",
    ),
    Concern.UNREAD: (
        "{detail}",
        "Deploy infra/account.yaml there with your role as OperatorArn, or use other credentials",
    ),
}
"""What each concern is, and what can be done."""


@dataclass(frozen=True)
class Seen:
    """One place with what is to be said of it."""

    survey: Survey
    remarks: tuple[Remark, ...]


def run(options: Options, context: CommandContext) -> int:
    return scan(connect(options, context.clock), options, context)


def scan(hub: Hub, options: Options, context: CommandContext) -> int:
    settings, note = _settings(hub)
    if note and not options.own:
        context.screen.line(note, colour=YELLOW)
    places = _places(options, hub, settings)
    seen = sorted(
        _surveyed(hub, places, settings, context.screen, idle_days=options.idle_days),
        key=lambda one: (one.survey.account, one.survey.region),
    )
    _show(seen, settings, context.screen)
    context.screen.answer(_plain(seen, settings))
    return Exit.FOUND if any(one.remarks for one in seen) else Exit.DONE


def _settings(hub: Hub) -> tuple[Settings, str]:
    """Those of the deployed stage; if there is none, the defaults, which know no other account."""
    try:
        return hub.settings, ""
    except OperatorError:
        note = f"Stage {hub.stage} is not deployed here, so no other account or Region is known."
        return hub.by_name.settings, note


def _places(options: Options, hub: Hub, settings: Settings) -> list[tuple[str, str]]:
    """What the stage serves; with --own, the account of your credentials alone."""
    served = () if options.own else settings.accounts
    accounts_ = dict.fromkeys(options.account or (hub.account, *served))
    everywhere = hub.session.get_available_regions("cloudhsmv2", partition_name=hub.partition)
    asked = everywhere if options.all_regions else options.regions
    regions = dict.fromkeys(asked or (hub.region, *settings.regions))
    return [(account, region) for account in accounts_ for region in regions]


def _surveyed(
    hub: Hub,
    places: list[tuple[str, str]],
    settings: Settings,
    screen: Console,
    *,
    idle_days: int,
) -> Iterator[Seen]:
    """Many places at a time; trouble with one leaves the others."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        asking = [pool.submit(_survey, hub, *place, settings) for place in places]
        for number, done in enumerate(as_completed(asking), start=1):
            screen.passing(f"{number} of {count(len(places), 'place')} read")
            survey = done.result()
            yield Seen(survey, judge(survey, idle_days=idle_days))


def _survey(hub: Hub, account: str, region: str, settings: Settings) -> Survey:
    reach = accounts(hub, assume=account != hub.account)
    try:
        fleet = Fleet(reach, READER_ROLE, Paces(settings.quota_share))
        return fleet.survey(account, region, now=hub.clock())
    except EXPECTED as error:
        return Survey(account, region, hub.clock(), unread=(trouble_of(error).reason,))


def _show(seen: list[Seen], settings: Settings, screen: Console) -> None:
    rows = [row for one in seen for row in _rows(one.survey, settings)]
    if rows:
        head = (
            "account",
            "Region",
            "cluster",
            "state",
            "HSMs",
            "stores",
            "keys",
            "last use",
            "$/month",
        )
        screen.table(head, rows)
    screen.line(_sum(seen, settings))
    for one in seen:
        for remark in one.remarks:
            says, do = _words(remark)
            where = f"{one.survey.account} {one.survey.region}"
            what = remark.key_store_id or remark.cluster_id
            colour = (
                RED if remark.concern in (Concern.BROKEN_STORE, Concern.CLUSTER_LOST) else YELLOW
            )
            screen.line(f"{where}  {what}  {says}".replace("    ", "  "), colour=colour)
            screen.line(f"  → {do}")
    if not any(one.remarks for one in seen):
        screen.line("Nothing stands idle, broken or empty.", colour=GREEN)


def _rows(survey: Survey, settings: Settings) -> Iterator[tuple[str, ...]]:
    for cluster in survey.clusters:
        held = survey.on(cluster)
        used = last_use(held)
        yield (
            survey.account,
            survey.region,
            cluster.cluster_id,
            cluster.state,
            str(len(cluster.live_hsms)),
            ", ".join(one.store.name or one.store.key_store_id for one in held) or "-",
            str(sum(len(one.keys) for one in held)),
            f"{used:%Y-%m-%d}" if used else "-",
            f"{_monthly(survey, cluster, settings):,.0f}",
        )


def _words(remark: Remark) -> tuple[str, str]:
    """What it is, and what can be done."""
    at = moment(remark.at) if remark.at else "never, as far as KMS knows"
    says, do = SENTENCES[remark.concern]
    values = {
        "keys": count(remark.number, "key"),
        "hsms": count(remark.number, "HSM"),
        "at": at,
        "detail": remark.detail,
        "cluster": remark.cluster_id,
    }
    return says.format(**values), do.format(**values)


def _sum(seen: list[Seen], settings: Settings) -> str:
    clusters = count(sum(len(one.survey.clusters) for one in seen), "cluster")
    unread = sum(bool(one.survey.unread) for one in seen)
    but = f" {unread} of them could not be read whole." if unread else ""
    places, dollars = count(len(seen), "place"), _dollars(seen, settings)
    return f"{clusters} in {places}, ${dollars:,.0f} a month.{but}"


def _dollars(seen: Iterable[Seen], settings: Settings) -> float:
    return sum(_monthly(one.survey, c, settings) for one in seen for c in one.survey.clusters)


def _monthly(survey: Survey, cluster: Cluster, settings: Settings) -> float:
    price = settings.policy().hour_price(survey.region, cluster.hsm_type)
    return monthly_cost(cluster, hour_price=price)


def _plain(seen: list[Seen], settings: Settings) -> dict[str, Any]:
    return {
        "places": [
            {
                "account": one.survey.account,
                "region": one.survey.region,
                "read_at": one.survey.at,
                "clusters": [_cluster(one.survey, c, settings) for c in one.survey.clusters],
                "remarks": [_remark(remark) for remark in one.remarks],
            }
            for one in seen
        ],
        "dollars_a_month": round(_dollars(seen, settings), 2),
    }


def _cluster(survey: Survey, cluster: Any, settings: Settings) -> dict[str, Any]:
    held = survey.on(cluster)
    return {
        "cluster_id": cluster.cluster_id,
        "state": cluster.state,
        "hsm_type": cluster.hsm_type,
        "hsms": len(cluster.live_hsms),
        "key_stores": [
            {"id": h.store.key_store_id, "state": h.store.state, "keys": len(h.keys)} for h in held
        ],
        "last_use": last_use(held),
        "dollars_a_month": round(_monthly(survey, cluster, settings), 2),
    }


def _remark(remark: Remark) -> dict[str, Any]:
    says, do = _words(remark)
    return {
        "concern": remark.concern,
        "cluster_id": remark.cluster_id,
        "key_store_id": remark.key_store_id,
        "says": says,
        "do": do,
    }


VERB = Verb(
    "scan",
    run,
    about=f"{__doc__} Of the accounts and Regions that the stage serves; without a stage, of your own.",
    params=[
        flag("--own", "Only the account of your credentials."),
        option(
            "--account",
            type=account_id,
            multiple=True,
            metavar="ACCOUNT",
            help="Only this one; can be repeated.",
        ),
        option(
            "--in", "regions", multiple=True, metavar="REGION", help="Only there; can be repeated."
        ),
        flag("--all-regions", "Every Region that has CloudHSM."),
        option(
            "--idle-days",
            type=click.IntRange(min=0),
            default=30,
            show_default=True,
            help="Idle is what nobody used for so long.",
        ),
        *place(),
    ],
)
