"""The situation: all that a decision is made from, as one value. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.polling import SETTLING
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.snapshot import KeyStore, Snapshot

GO_ON = frozenset({Act.APPROVE, Act.CANCEL, Act.UNDO, Act.REFRESH})
MOST_IDLE = timedelta(days=7)
NOT_LOOKED = "AWS has not been read yet"


@dataclass(frozen=True)
class Situation:
    """A case in the world as it is looked at now, the people who clicked, the rules and the time."""

    case: Case
    snapshot: Snapshot
    people: Mapping[str, Person]
    policy: Policy
    now: datetime

    def with_case(self, case: Case) -> Situation:
        return replace(self, case=case)

    def on(self, plan: Plan) -> PlanContext:
        """The same, about this plan."""
        return PlanContext(self.case, self.snapshot, self.people, self.policy, self.now, plan)


def last_seen(
    case: Case, *, policy: Policy, now: datetime, people: Mapping[str, Person] | None = None
) -> Situation:
    """A case on the last look that a turn took: what a message or a click is judged by.

    Before the first look nothing is known, which is not the same as nothing being there.
    """
    unknown = Snapshot(now, case.account, case.region, case.cluster_id, None, unread=(NOT_LOOKED,))
    return Situation(case, case.snapshot or unknown, people or {}, policy, now)


@dataclass(frozen=True)
class PlanContext(Situation):
    """What a remedy looks at when it says its next step: a situation, and the plan it is about."""

    plan: Plan

    @property
    def idle(self) -> timedelta:
        """How long ago the plan's last call was made, or somebody last said yes to it."""
        calls = (c.at for c in self.case.calls if c.plan_hash == self.plan.plan_hash)
        yes = (click.at for click in self.case.approved)
        return self.now - max((*calls, *yes), default=self.now)

    @property
    def is_stale(self) -> bool:
        """It stood still for longer than it ever waits, and a week more: people look at the world afresh."""
        return self.idle > self.plan.longest_wait + MOST_IDLE

    @property
    def store(self) -> KeyStore | None:
        return self.snapshot.key_store(self.plan.key_store_id)

    def call_at(self, operation: Operation, target: str) -> datetime | None:
        call = self.case.call(operation, target)
        return call.at if call else None

    def mine(self, operation: Operation, target: str) -> CallRecord | None:
        """The call on this target, if it was made for this very plan: an earlier one's is history."""
        call = self.case.call(operation, target)
        return call if call and call.plan_hash == self.plan.plan_hash else None

    def did(self, operation: Operation, target: str) -> bool:
        """This plan called, and AWS said yes."""
        call = self.mine(operation, target)
        return call is not None and call.status is CallStatus.DONE

    def tried(self, operation: Operation, target: str) -> bool:
        """This plan may have changed this: AWS said yes, or the answer was never seen."""
        call = self.mine(operation, target)
        return call is not None and call.status is not CallStatus.REFUSED

    def just_did(self, operation: Operation, target: str) -> bool:
        """AWS accepted this (or may have) so recently that what it shows may still be old."""
        call = self.case.call(operation, target)
        return (
            call is not None
            and call.status is not CallStatus.REFUSED
            and self.now - call.at < SETTLING
        )

    def did_for_good(self, operation: Operation, target: str) -> bool:
        """This plan did it so long ago that a look without it shows what others did since."""
        return self.did(operation, target) and not self.just_did(operation, target)

    def failed_since_asked(self, operation: Operation, target: str) -> bool:
        """Called after people last said yes, and in vain: only a person can help. For FAILED stores."""
        asked = max((c.at for c in self.case.clicks if c.act in GO_ON), default=None)
        call = self.case.call(operation, target)
        return (
            call is not None
            and call.status is CallStatus.DONE
            and (asked is None or call.at >= asked)
        )
