"""The DeleteCluster that a rehearsal begins with. AWS has to refuse it: an HSM is still in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.errors import OperatorError
from ops.probing import seen
from ops.probing.there import There


@dataclass(frozen=True)
class Refusal:
    code: str
    request_id: str
    text: str


def refusal_of(error: ClientError) -> Refusal:
    """What AWS said, with the id by which CloudTrail knows the call."""
    told: Mapping[str, Any] = error.response
    request_id = str(told.get("ResponseMetadata", {}).get("RequestId", ""))
    return Refusal(code_of(error), request_id, str(told.get("Error", {}).get("Message", "")))


def refused_delete(there: There, cluster_id: str) -> Refusal:
    """Looks once more that HSMs are there: only they make AWS refuse for certain. Raises OperatorError if it did not."""
    one = seen.cluster(there.client, cluster_id)
    if not any(h.get("State") == "ACTIVE" for h in (one or {}).get("Hsms", ())):
        raise OperatorError(f"{cluster_id} has no active HSM any more; nothing was called.")
    try:
        there.client("cloudhsmv2").delete_cluster(ClusterId=cluster_id)
    except ClientError as error:
        code = code_of(error)
        if not code.startswith("CloudHsm") or code == "CloudHsmAccessDeniedException":
            raise
        return refusal_of(error)
    raise OperatorError(
        f"AWS accepted DeleteCluster of {cluster_id}, although it has HSMs.",
        "That is another AWS than its documents say. CONTRIBUTING.md says how to tell us",
    )
