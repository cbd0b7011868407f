"""What the sandbox and Unlatch take for true of AWS although no document says so. Checks nothing.

The table in docs/aws-reality.md is written from here. An id never changes its meaning: what finds out
about AWS in a live account names it, and so does the sandbox that is made to differ from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum

from chalicelib.config import Settings

SETTINGS = frozenset(item.name.upper() for item in fields(Settings))


class Probe(StrEnum):
    """What finds out whether AWS is as assumed."""

    LIVE = "unlatch doctor --live"
    REHEARSAL = "unlatch rehearse"
    KEY_STORE = "unlatch rehearse --key-store"
    COPY = "unlatch rehearse --key-store --copy"
    RECORDS = "unlatch reality CASE.jsonl"

    def tries(self, one: Assumption) -> bool:
        """A rehearsal with a copy is one on a key store first."""
        return self in one.probes or (self is Probe.COPY and Probe.KEY_STORE in one.probes)


@dataclass(frozen=True)
class Assumption:
    """`relied_on_in`: the code or setting that depends on it. `otherwise`: what then happens.

    `probes` find out: by trying, or by reading what AWS or the bot recorded of real work.
    """

    id: str
    claim: str
    relied_on_in: str
    otherwise: str
    probes: tuple[Probe, ...]

    @property
    def settings(self) -> tuple[str, ...]:
        """Those to look at if AWS differs."""
        return tuple(
            word for word in re.findall(r"`([^`]+)`", self.relied_on_in) if word in SETTINGS
        )

    @property
    def found_out_by(self) -> str:
        return ", ".join(f"`{probe}`" for probe in self.probes)


ASSUMPTIONS = (
    Assumption(
        "A-STORE-BLOCKS",
        "An attached key store makes DeleteCluster fail, with `CloudHsmClusterInUseException`",
        "`ERROR_CODES`; scenarios with `blocked_by: key_store`",
        "The other code opens the case. If AWS deletes the cluster although a store is attached, there is no failure and no case.",
        probes=(Probe.KEY_STORE, Probe.RECORDS),
    ),
    Assumption(
        "A-FAILED-DELETE-RECORD",
        "CloudTrail keeps `requestParameters.clusterId` of a failed DeleteCluster, and the error code with or without `Exception`",
        "`chalicelib/aws/cloudtrail.py`",
        "The event is refused and logged with the reason.",
        probes=(Probe.LIVE, Probe.REHEARSAL, Probe.KEY_STORE),
    ),
    Assumption(
        "A-CODE-IN-FULL",
        "CloudTrail writes CloudHSM's error codes in full, as `CloudHsmInvalidRequestException`",
        "`ERROR_CODES`, which is also the rules' pattern",
        "Events with a shorter code reach no rule: list that code too. The hourly sweep finds them until then.",
        probes=(Probe.LIVE, Probe.REHEARSAL, Probe.KEY_STORE),
    ),
    Assumption(
        "A-EVENT-IN-15-MINUTES",
        "An event comes through CloudTrail and EventBridge within 15 minutes of the call",
        "the hourly sweep: `chalicelib/flows/sweep.py`",
        "Nothing is lost: the sweep finds what EventBridge did not bring.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-ORDER-OF-CHECKS",
        "KMS's check before the HSMs' in DeleteCluster; keys before state in DeleteCustomKeyStore",
        "sandbox only: `sandbox/aws/cloudhsm.py`, `sandbox/aws/kms_stores.py`",
        "Unlatch reads the state first and never depends on which error wins.",
        probes=(Probe.KEY_STORE,),
    ),
    Assumption(
        "A-DURATIONS",
        "Disconnecting takes 4 minutes, connecting 10, an HSM's deletion 6, its creation 10, a cluster's deletion 3",
        "`chalicelib/domain/simulation.py`, scenarios' `durations`",
        "Only forecasts are off. Waits end by what is seen, not by time.",
        probes=(Probe.REHEARSAL, Probe.KEY_STORE),
    ),
    Assumption(
        "A-KMS-SESSIONS-END",
        "KMS's own connections end with the disconnect",
        "the quiet time after a disconnect: `QUIET_MINUTES`",
        "If they last longer, Unlatch counts for one more quiet time, then asks instead of deleting HSMs.",
        probes=(Probe.KEY_STORE,),
    ),
    Assumption(
        "A-SESSION-DIMENSIONS",
        "`AWS/CloudHSM` HsmSessionCount carries the dimensions ClusterId, HsmId and Region",
        "`chalicelib/aws/other_use.py`",
        "No data, which counts as use: approvers have to tick the box.",
        probes=(Probe.LIVE, Probe.REHEARSAL),
    ),
    Assumption(
        "A-LEFT-INTERFACES",
        "An interface of CloudHSM that is no HSM's any more is requester-managed, and its description begins with “CloudHsm ENI”",
        "`chalicelib/aws/other_use.py`",
        "It counts as use by others: approvers have to tick the box.",
        probes=(Probe.LIVE, Probe.REHEARSAL),
    ),
    Assumption(
        "A-OTHER-PASSWORD",
        "A store that is pointed to a cluster with another password of kmsuser than KMS knows fails with INVALID_CREDENTIALS, and at the fifth time in a row with USER_LOCKED_OUT",
        "sandbox only: `sandbox/aws/kms_stores.py`; AWS documents that KMS sets a new password at each connect, and the errors",
        "A repoint and its undo need no crypto officer.",
        probes=(Probe.RECORDS,),
    ),
    Assumption(
        "A-KMS-INTERFACES",
        "KMS has its interface in each zone of the cluster's HSMs from the connect until the disconnect is over; its requester is `amazon-kms`, that of CloudHSM `amazon-cloudhsm`",
        "sandbox only: `sandbox/aws/ec2.py`",
        "The requesters' names are never read.",
        probes=(Probe.LIVE, Probe.KEY_STORE),
    ),
    Assumption(
        "A-MODIFY-KEEPS-MATERIAL",
        "KMS can't delete key material while a cluster is MODIFY_IN_PROGRESS or ROLLBACK_IN_PROGRESS",
        "sandbox only: `sandbox/aws/kms_keys.py`",
        "Less material is left behind than the sandbox shows.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-RESTORE-AT-ONCE",
        "RestoreBackup makes a backup READY at once",
        "sandbox only: `sandbox/aws/cloudhsm_backups.py`",
        "A rescue waits.",
        probes=(Probe.KEY_STORE, Probe.RECORDS),
    ),
    Assumption(
        "A-COPY-ACTIVE",
        "A cluster made from a backup is UNINITIALIZED, takes one HSM, and is ACTIVE once that is",
        "sandbox only: `sandbox/aws/cloudhsm_clusters.py`; AWS documents that it is not to be initialized or activated",
        "A rescue waits for other states, or adds its HSMs later.",
        probes=(Probe.COPY, Probe.RECORDS),
    ),
    Assumption(
        "A-COPY-MODE",
        "CreateCluster from a backup takes the backup's mode if none is given, and refuses another",
        "sandbox only: `sandbox/aws/cloudhsm_clusters.py`; AWS documents that a backup restores into its own mode alone",
        "Nothing changes: a rescue always names the backup’s mode.",
        probes=(Probe.COPY,),
    ),
    Assumption(
        "A-MODIFY-DURATION",
        "Creating a cluster takes 5 minutes",
        "scenarios' `durations`: `sandbox/aws/regions.py`",
        "Only stories are off.",
        probes=(Probe.REHEARSAL,),
    ),
    Assumption(
        "A-DELETED-CLUSTER",
        "A deleted cluster vanishes from DescribeClusters, or shows as DELETED",
        "`chalicelib/aws/inventory.py`",
        "Both are read as gone, after two looks a minute apart.",
        probes=(Probe.REHEARSAL,),
    ),
    Assumption(
        "A-SETTLED-IN-2-MINUTES",
        "What AWS shows within 2 minutes of a call may be old",
        "`chalicelib/domain/rules/polling.py`",
        "A slower AWS may look like somebody's act: Unlatch asks again.",
        probes=(Probe.REHEARSAL,),
    ),
    Assumption(
        "A-LAST-USAGE-RATE",
        "GetKeyLastUsage may be asked as often as ListGrants",
        "`QUOTA_SHARE`, of what `chalicelib/aws/rate_limit.py` knows",
        "Throttled, and tried again later.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-TRACKING-AGE",
        "Keys created before tracking began and never used since are “unknown” only until the tracking is older than `RECENT_USE_DAYS`",
        "`chalicelib/domain/state/snapshot.py`",
        "Unknown counts as in use, never as unused.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-BACKUPS-OUTLIVE",
        "Backups outlive DeleteCluster under their retention",
        "the kept backup: `chalicelib/aws/actions.py`",
        "The one marked NeverExpires is what is relied on.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-SSO-SESSION",
        "A person who came in by IAM Identity Center has the role `AWSReservedSSO_…` and the e-mail as session name",
        "`chalicelib/domain/state/caller.py`",
        "The person is not recognised as the requester by e-mail. Set `PEOPLE`.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-SLACK-BLOCKS",
        "Slack takes its newer blocks (table, plan, task card) in every workspace",
        "`chalicelib/slack/messages`",
        "Slack refuses them, and Unlatch sends plainer ones.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-INVALID-REQUEST",
        "CloudHSM says `CloudHsmInvalidRequestException` of values that its model forbids",
        "sandbox only: `sandbox/aws/validation.py`",
        "Another code for calls that Unlatch never makes.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-REFUSED-STORE-RECORD",
        "CloudTrail keeps `requestParameters.customKeyStoreId` of a refused DeleteCustomKeyStore or ConnectCustomKeyStore, `clusterId` of a refused CreateCustomKeyStore, and KMS's error code in full",
        "`chalicelib/aws/store_calls.py`",
        "The event is refused and logged with the reason. The sweep reads the same records, so only what is down is found.",
        probes=(Probe.KEY_STORE,),
    ),
    Assumption(
        "A-LOSS-RECORD",
        "CloudTrail has `requestParameters.clusterId` of a DeleteHsm or DeleteCluster that succeeded, and the subnets of the deleted cluster among `responseElements`",
        "`chalicelib/aws/store_calls.py`",
        "The sweep finds the loss within the hour, without who it was. Approvers choose the subnets of the new cluster.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-FAILING-USE-RECORD",
        "A use that fails because the key store is down has KMSInvalidStateException and `additionalEventData.customKeyStoreId`",
        "`chalicelib/aws/store_calls.py`",
        "A store that is FAILED or without HSMs is found by the sweep. One that is only off opens no case.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-SILENT-FAILURE",
        "AWS sends no event when the connection of a key store fails later",
        "`chalicelib/flows/missed.py`",
        "Nothing is lost: the sweep finds it within the hour.",
        probes=(Probe.LIVE,),
    ),
    Assumption(
        "A-HSM-SERVES-AGAIN",
        "A store that shows as CONNECTED serves its keys again once its cluster has an active HSM, without being connected afresh",
        "`chalicelib/domain/remedies/rescue.py`",
        "The first key fails its check, and the store is disconnected and connected, which the approval covers.",
        probes=(Probe.RECORDS,),
    ),
    Assumption(
        "A-TAG-IN-5-MINUTES",
        "DescribeClusters shows a new cluster with its tags within 5 minutes of CreateCluster",
        "`chalicelib/domain/remedies/rescue.py`",
        "If the answer was lost as well, a second cluster is made, which costs nothing without HSMs.",
        probes=(Probe.REHEARSAL,),
    ),
    Assumption(
        "A-FREE-ADDRESSES",
        "KMS takes one address in each subnet of a cluster at a connect, and gives it back at the disconnect; an HSM takes one",
        "`chalicelib/domain/remedies/rescue_subnets.py`; AWS documents that a connection needs one, “two are preferable”",
        "AWS refuses the HSM or the connection, and the rescue stops with its words or asks again.",
        probes=(Probe.LIVE, Probe.KEY_STORE),
    ),
    Assumption(
        "A-BAD-SUBNET",
        "CloudHSM refuses a subnet that is gone, full or in a zone that it does not serve with `CloudHsmInvalidRequestException`",
        "sandbox only: `sandbox/aws/cloudhsm.py`, `sandbox/aws/cloudhsm_clusters.py`",
        "Another code is taken as final at once, and not tried eight times.",
        probes=(Probe.REHEARSAL,),
    ),
)


BY_ID = {one.id: one for one in ASSUMPTIONS}


def table() -> str:
    """As Markdown, for people."""
    rows = (
        f"| {one.id} | {one.claim} | {one.relied_on_in} | {one.otherwise} | {one.found_out_by} |"
        for one in ASSUMPTIONS
    )
    head = (
        "| id | assumption | what depends on it | if it is wrong | found out by |",
        "|---|---|---|---|---|",
    )
    return "\n".join((*head, *rows))
