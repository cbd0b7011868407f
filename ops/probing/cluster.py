"""The rehearsal on a cluster of its own: makes it, has its deletion refused, and lets the bot do its whole job.

Never activates the cluster, and makes one HSM: AWS refuses a second one before activation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.domain.state.case import Case, Outcome
from ops.command_context import CommandContext
from ops.errors import OperatorError
from ops.probing import following, seen
from ops.probing.following import Watch, add_duration
from ops.probing.refusal import refused_delete
from ops.probing.report import Findings, span
from ops.probing.there import CLUSTER_MOST, HSM_MOST, TAG, There, remove, tags
from ops.probing.waiting import Waited, wait_for

TYPE, MODE = "hsm2m.medium", "FIPS"
NO_SUBNET = "subnet-00000000000000000"
SETTLED, TAGGED = timedelta(minutes=2), timedelta(minutes=5)
STUCK = timedelta(minutes=60)
"""Longer than any deletion of a cluster: what still shows as going then will not go."""
Item = Mapping[str, Any]


@dataclass
class Rehearsal:
    there: There
    context: CommandContext
    found: Findings
    name: str
    most: timedelta
    watch: Watch = field(default_factory=Watch)
    cluster_id: str = ""
    is_shown: bool = False
    not_restored: tuple[str, ...] = ()
    until: datetime | None = None
    """When the HSM has to go, whatever has come of it."""

    @property
    def unseen(self) -> str:
        """The cluster, while AWS does not show it yet."""
        return "" if self.is_shown else self.cluster_id

    def play(self, subnets: Sequence[str]) -> None:
        """From the cluster to its end. Whatever it raises, the caller cleans up."""
        self._ask_for_no_subnet()
        self._make(subnets)
        self._look_at_hsm()
        refusal = refused_delete(self.there, self.cluster_id)
        self.context.say(f"AWS refused DeleteCluster: {refusal.code}: {refusal.text}")
        here: Any = {"cluster_id": self.cluster_id, "refusal": refusal}
        case = following.case_of(self.there, self.context, self.found, most=self._left, **here)
        self.context.screen.line(
            f"{case.case_id} is in Slack. Have it retired there: press Retire, as many people as it asks for."
        )
        following.judge_record(self.there, self.context, self.found, **here)
        self._follow(case)

    def conclude(self) -> None:
        """What the whole course tells, however far it went."""
        watch, found = self.watch, self.found
        for hsm in watch.hsms:
            add_duration(found, following.REMOVE_HSM, watch.took(hsm, "DELETE_IN_PROGRESS", "gone"))
        deleting = watch.took(self.cluster_id, "DELETE_IN_PROGRESS", "gone")
        add_duration(found, following.DELETE, deleting)
        following.judge_durations(found)
        if (self.cluster_id, "gone") in watch.first:
            found.held("A-DELETED-CLUSTER", "it is not described any more, or shows as DELETED")

    def _ask_for_no_subnet(self) -> None:
        """A cluster in a subnet that can't exist; made in spite of it, it goes again."""
        hsms, name = self.there.client("cloudhsmv2"), "A-BAD-SUBNET"
        asked: Any = {"HsmType": TYPE, "Mode": MODE, "TagList": tags(self.name)}
        try:
            made = hsms.create_cluster(SubnetIds=[NO_SUBNET], **asked)["Cluster"]["ClusterId"]
        except ClientError as error:
            code = code_of(error)
            if code in DENIED:
                raise
            says = f"to a subnet that does not exist AWS answers {code}"
            self.found.judge(name, holds=code == "CloudHsmInvalidRequestException", says=says)
        else:
            self.found.differs(name, "AWS makes a cluster in a subnet that does not exist")
            remove(self.there, self.context, made)

    def _make(self, subnets: Sequence[str]) -> None:
        hsms, began = self.there.client("cloudhsmv2"), self.context.clock()
        made = hsms.create_cluster(
            HsmType=TYPE, SubnetIds=list(subnets), Mode=MODE, TagList=tags(self.name)
        )
        self.cluster_id = made["Cluster"]["ClusterId"]
        self.context.say(f"{self.cluster_id} is being made")
        shown = self._until("to be shown", lambda one: one is not None, most=CLUSTER_MOST)
        self.is_shown = True
        self.found.judge(
            "A-SETTLED-IN-2-MINUTES",
            holds=shown.took <= SETTLED,
            says=f"a new cluster was described {span(shown.took)} after the call",
        )
        tagged = self._until("to show its tags", _is_tagged, most=CLUSTER_MOST)
        took = shown.took + tagged.took
        says = f"a new cluster showed its tags {span(took)} after the call"
        self.found.judge("A-TAG-IN-5-MINUTES", holds=took <= TAGGED, says=says)
        self._until("to be made", _is_made, most=CLUSTER_MOST)
        add_duration(self.found, following.MAKE, self.context.clock() - began)
        began = self.context.clock()
        zone = self._zone(subnets[0])
        hsms.create_hsm(ClusterId=self.cluster_id, AvailabilityZone=zone)
        self.until = began + self.most
        self.context.say(f"One HSM is being made in {zone}. From now on it costs money")
        self._until("to have its HSM", _has_hsm, most=HSM_MOST)
        add_duration(self.found, following.MAKE_HSM, self.context.clock() - began)

    def _zone(self, subnet: str) -> str:
        shown = self.there.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
        return str(shown[0]["AvailabilityZone"])

    def _until(self, words: str, holds: Any, *, most: timedelta) -> Waited[bool]:
        def look() -> bool | None:
            one = seen.cluster(self.there.client, self.cluster_id)
            return True if holds(one) else None

        waited = wait_for(self.context, f"{self.cluster_id} {words}", look, most=most)
        if not waited.seen:
            raise OperatorError(f"{self.cluster_id} takes more than {span(most)} {words}.")
        return waited

    def _look_at_hsm(self) -> None:
        one = seen.cluster(self.there.client, self.cluster_id) or {}
        seen.judge_own_interfaces(
            self.found, one.get("Hsms", ()), seen.interfaces(self.there.client, one)
        )
        seen.judge_dimensions(self.found, self.there.client)

    def _follow(self, case: Case) -> None:
        ended = following.follow(
            self.there.hub,
            self.context,
            case.case_id,
            until=lambda now: now.is_closed,
            look=self._look,
            most=self._left,
        )
        if self._is_stuck(self.context.clock()):
            took = span(STUCK)
            says = f"after {took} it still shows as DELETE_IN_PROGRESS"
            self.found.differs("A-DELETED-CLUSTER", says)
        elif ended is None:
            raise OperatorError(
                f"Nobody finished the case within {span(self.most)} of the HSM’s life."
            )
        elif ended.outcome is not Outcome.RETIRED:
            raise OperatorError(f"The case ended otherwise. {following.words_of(ended)}")

    @property
    def _left(self) -> timedelta:
        assert self.until is not None, "the HSM is there"
        return max(self.until - self.context.clock(), timedelta(0))

    def _look(self, now: datetime) -> bool:
        one = seen.cluster(self.there.client, self.cluster_id)
        self.watch.note_cluster(self.cluster_id, one, now)
        return self._is_stuck(now)

    def _is_stuck(self, now: datetime) -> bool:
        began = self.watch.first.get((self.cluster_id, "DELETE_IN_PROGRESS"))
        is_gone = (self.cluster_id, "gone") in self.watch.first
        return began is not None and not is_gone and now - began >= STUCK


def _is_tagged(one: Item | None) -> bool:
    return TAG in {tag["Key"] for tag in (one or {}).get("TagList", ())}


def _is_made(one: Item | None) -> bool:
    return one is not None and one["State"] == "UNINITIALIZED"


def _has_hsm(one: Item | None) -> bool:
    return any(h.get("State") == "ACTIVE" for h in (one or {}).get("Hsms", ()))
