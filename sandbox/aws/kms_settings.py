"""What can be set of a KMS key beside its state: policy, tags, description, rotation.

Rules: these operations' pages of the KMS API reference. Makes no new key material when it rotates.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.kms.models import Key

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.kms_keys import facts_of, key_of_call
from sandbox.aws.kms_new_key import MOST_TAGS, check_policy, check_tags
from sandbox.aws.kms_stores import Handler
from sandbox.aws.paging import page
from sandbox.aws.regions import Region, Regions

POLICY = "default"  # the only name that a key policy may have
USUAL_PERIOD = 365  # days
ON_DEMAND_ROTATIONS = 25  # that a key can have in its life


class Settings:
    """The operations on a key's settings. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "GetKeyPolicy": self.get_policy,
            "PutKeyPolicy": self.put_policy,
            "ListKeyPolicies": self.list_policies,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListResourceTags": self.list_tags,
            "UpdateKeyDescription": self.describe,
            "EnableKeyRotation": self.enable_rotation,
            "DisableKeyRotation": self.disable_rotation,
            "GetKeyRotationStatus": self.rotation_status,
            "RotateKeyOnDemand": self.rotate,
            "ListKeyRotations": self.list_rotations,
        }

    def get_policy(self, visit: RequestContext) -> dict[str, Any]:
        _, key = key_of_call(self._regions, visit)
        _check_name(visit)
        return {"Policy": key.policy, "PolicyName": POLICY}

    def put_policy(self, visit: RequestContext) -> dict[str, Any]:
        _, key = key_of_call(self._regions, visit)
        _check_name(visit)
        check_policy(visit.params["Policy"])
        key.policy = visit.params["Policy"]
        return {}

    def list_policies(self, visit: RequestContext) -> dict[str, Any]:
        key_of_call(self._regions, visit)
        return {"PolicyNames": [POLICY], "Truncated": False}

    def tag(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        given = {tag["TagKey"]: tag["TagValue"] for tag in visit.params["Tags"]}
        check_tags({*_tags(region, key), *given})
        backend_of(region).tag_resource(key.id, given)
        return {}

    def untag(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        backend_of(region).untag_resource(key.id, visit.params["TagKeys"])
        return {}

    def list_tags(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        tags = _tags(region, key)
        chosen, more = page(visit.params, tags, default=MOST_TAGS, most=MOST_TAGS)
        return {"Tags": [{"TagKey": name, "TagValue": tags[name]} for name in chosen], **more}

    def describe(self, visit: RequestContext) -> dict[str, Any]:
        _, key = key_of_call(self._regions, visit)
        key.description = visit.params["Description"]
        return {}

    def enable_rotation(self, visit: RequestContext) -> dict[str, Any]:
        region, key = self._rotating(visit)
        facts = facts_of(region, key)
        facts.rotation_days = visit.params.get("RotationPeriodInDays", USUAL_PERIOD)
        facts.rotates_from, key.key_rotation_status = visit.now, True
        return {}

    def disable_rotation(self, visit: RequestContext) -> dict[str, Any]:
        _, key = self._rotating(visit)
        key.key_rotation_status = False
        return {}

    def rotation_status(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        _check_rotates(key)
        if not key.key_rotation_status or key.id in region.doomed:
            return {"KeyId": key.arn, "KeyRotationEnabled": False}
        facts = facts_of(region, key)
        period = timedelta(days=facts.rotation_days)
        since = facts.rotates_from or facts.created
        return {
            "KeyId": key.arn,
            "KeyRotationEnabled": True,
            "RotationPeriodInDays": facts.rotation_days,
            "NextRotationDate": since + ((visit.now - since) // period + 1) * period,
        }

    def rotate(self, visit: RequestContext) -> dict[str, Any]:
        _, key = self._rotating(visit)
        if len(key.rotations) >= ON_DEMAND_ROTATIONS:
            raise AwsError("LimitExceededException", f"{key.arn} was rotated too often.")
        done = {"KeyId": key.arn, "RotationDate": visit.now, "RotationType": "ON_DEMAND"}
        key.rotations.append(done)
        return {"KeyId": key.arn}

    def list_rotations(self, visit: RequestContext) -> dict[str, Any]:
        _, key = key_of_call(self._regions, visit)
        _check_rotates(key)
        rotations = {f"{number:04}": done for number, done in enumerate(key.rotations)}
        chosen, more = page(visit.params, rotations, default=100, most=1000)
        return {"Rotations": [rotations[name] for name in chosen], **more}

    def _rotating(self, visit: RequestContext) -> tuple[Region, Key]:
        region, key = key_of_call(self._regions, visit)
        _check_rotates(key)
        if key.key_state == "Disabled":
            raise AwsError("DisabledException", f"{key.arn} is disabled.")
        return region, key


def _check_name(visit: RequestContext) -> None:
    if visit.params.get("PolicyName", POLICY) != POLICY:
        raise AwsError("NotFoundException", "No such policy exists")


def _check_rotates(key: Key) -> None:
    """Symmetric encryption keys of KMS's own stores alone are rotated."""
    if key.key_spec != "SYMMETRIC_DEFAULT" or key.origin != "AWS_KMS":
        text = f"{key.arn}: KMS does not rotate a key of spec {key.key_spec}, origin {key.origin}."
        raise AwsError("UnsupportedOperationException", text)


def _tags(region: Region, key: Key) -> dict[str, str]:
    tags: dict[str, str] = backend_of(region).tagger.get_tag_dict_for_resource(key.id)
    return tags
