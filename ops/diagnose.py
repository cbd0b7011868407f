"""`unlatch diagnose CLUSTER`: what holds a cluster and the ways out, as in Slack. Reads only; opens no case."""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.rate_limit import Paces
from chalicelib.config import READER_ROLE, Settings
from chalicelib.domain.diagnosis import Cause, cause_of, ways_out
from chalicelib.domain.forecast import forecast
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import Case
from chalicelib.ids import CLUSTER_ID
from ops.command_context import CommandContext
from ops.diagnosis import Diagnosis, as_json, show
from ops.errors import OperatorError
from ops.exits import Exit
from ops.hub import Hub, connect
from ops.target_access import accounts
from ops.verb import Options, Verb, account_id, argument, flag, option, place


class NothingKnown:
    """Remembers no keys: a diagnosis writes nowhere, so it asks about each key again."""

    def load(self, account: str, region: str) -> set[bytes]:  # noqa: ARG002  # a port
        return set()

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        """Nothing."""


def run(options: Options, context: CommandContext) -> int:
    if not CLUSTER_ID.fullmatch(options.cluster):
        raise OperatorError(
            f"{options.cluster} is not a cluster id.",
            "They look like cluster-2a3b4c5d6e7, with letters and the digits from 2 to 7",
            code=Exit.USAGE,
        )
    hub = connect(options, context.clock, otherwise=options.where)
    settings, note = _settings(hub)
    context.screen.passing("reading clusters, key stores and keys")
    diagnosis = diagnosis_of(hub, options, settings)
    show(diagnosis, context.screen, note)
    context.screen.answer(as_json(diagnosis))
    return Exit.FOUND if diagnosis.cause in (Cause.NO_CLUSTER, Cause.INCOMPLETE) else Exit.DONE


def diagnosis_of(hub: Hub, options: Options, settings: Settings) -> Diagnosis:
    """One look at the cluster, and what follows from it."""
    now = hub.clock()
    account, region = options.account or hub.account, options.where or hub.region
    case = Case("unlatch-diagnose", account, region, options.cluster, now)
    inventory = AwsInventory(
        accounts(hub, assume=options.assume),
        READER_ROLE,
        NothingKnown(),
        Paces(settings.quota_share),
        settings.quiet_minutes,
        settings.recent_use_days,
        settings.health_sessions,
    )
    snapshot = inventory.snapshot(case, now=now)
    policy = settings.policy()
    situation = Situation(replace(case, snapshot=snapshot), snapshot, {}, policy, now)
    ways = ways_out(situation)
    timelines = {
        way.remedy: forecast(way.plan, situation)
        for way in ways
        if way.plan and way.is_open and way.plan.calls
    }
    return Diagnosis(snapshot, cause_of(snapshot), ways, timelines, policy)


def _settings(hub: Hub) -> tuple[Settings, str]:
    """The rules of the deployed stage; if there is none or it can’t be read, the defaults."""
    try:
        return hub.settings, ""
    except OperatorError:
        return hub.by_name.settings, f"Stage {hub.stage} is not deployed here: default rules."
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        return hub.by_name.settings, "The deployed rules can’t be read: default rules."


VERB = Verb(
    "diagnose",
    run,
    about=f"{__doc__} The rules are those of the deployed stage, or else the defaults.",
    params=[
        argument("cluster"),
        option(
            "--account", type=account_id, help="The cluster’s account [that of your credentials]."
        ),
        option("--region", "where", metavar="REGION", help="The cluster’s Region [the hub’s]."),
        flag("--assume", "Read as Unlatch’s reader role."),
        *place(region="--hub-region"),
    ],
)
