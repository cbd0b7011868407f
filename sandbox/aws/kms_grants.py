"""Grants on KMS keys. They live in moto's keys, and allow nothing here: the guard knows policies alone.

Rules: CreateGrant, RetireGrant and RevokeGrant of the KMS API reference.
"""

from __future__ import annotations

from typing import Any

from moto.kms.models import Grant, Key

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.kms_keys import key_of_call, state_of
from sandbox.aws.kms_stores import Handler
from sandbox.aws.paging import page
from sandbox.aws.regions import Region, Regions

ABOUT = ("GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name")


class Grants:
    """The operations on grants. Call them with the regions' lock held."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self.handlers: dict[str, Handler] = {
            "CreateGrant": self.create,
            "ListGrants": self.list_grants,
            "ListRetirableGrants": self.list_retirable,
            "RevokeGrant": self.revoke,
            "RetireGrant": self.retire,
        }

    def create(self, visit: RequestContext) -> dict[str, Any]:
        """A second request of the same name and content gets the grant that there is."""
        region, key = key_of_call(self._regions, visit)
        if state_of(region, key) == "Disabled":
            raise AwsError("DisabledException", f"{key.arn} is disabled.")
        params = visit.params
        if "GranteePrincipal" not in params:
            raise AwsError("ValidationException", "The sandbox needs a GranteePrincipal.")
        wanted: dict[str, Any] = {name: params.get(name) for name in ABOUT}
        grant = next((g for g in key.grants.values() if _same(g, wanted)), None)
        visit.changed = grant is None
        check_dry_run(visit)
        grant = grant or key.add_grant(
            wanted["Name"],
            wanted["GranteePrincipal"],
            wanted["Operations"],
            constraints=wanted["Constraints"],
            retiring_principal=wanted["RetiringPrincipal"],
        )
        return {"GrantId": grant.id, "GrantToken": grant.token}

    def list_grants(self, visit: RequestContext) -> dict[str, Any]:
        region, key = key_of_call(self._regions, visit)
        wanted = visit.params.get("GrantId")
        if wanted is not None and wanted not in key.grants:
            raise AwsError("InvalidGrantIdException", f"There is no grant {wanted}.")
        grants = {wanted: key.grants[wanted]} if wanted is not None else dict(key.grants)
        grantee = visit.params.get("GranteePrincipal")
        if grantee is not None:
            grants = {n: grant for n, grant in grants.items() if grant.grantee_principal == grantee}
        return _page(visit, region, {n: (key, grant) for n, grant in grants.items()})

    def list_retirable(self, visit: RequestContext) -> dict[str, Any]:
        region = self._regions.at(visit.account, visit.region)
        principal = visit.params.get("RetiringPrincipal")
        found = {
            grant.id: (key, grant)
            for key in backend_of(region).keys.values()
            for grant in key.grants.values()
            if principal is not None and grant.retiring_principal == principal
        }
        return _page(visit, region, found)

    def revoke(self, visit: RequestContext) -> dict[str, Any]:
        _, key = key_of_call(self._regions, visit)
        _remove(visit, key, visit.params["GrantId"])
        return {}

    def retire(self, visit: RequestContext) -> dict[str, Any]:
        """By its token, or by key and id."""
        params = visit.params
        if "GrantToken" in params:
            backend = backend_of(self._regions.at(visit.account, visit.region))
            for key in backend.keys.values():
                for grant in list(key.grants.values()):
                    if grant.token == params["GrantToken"]:
                        _remove(visit, key, grant.id)
                        return {}
            raise AwsError("InvalidGrantTokenException", "There is no grant with this token.")
        if not {"KeyId", "GrantId"} <= set(params):
            raise AwsError("ValidationException", "Give a GrantToken, or KeyId and GrantId.")
        return self.revoke(visit)


def check_dry_run(visit: RequestContext) -> None:
    """Stop here if the caller only asks whether the request would succeed."""
    if visit.params.get("DryRun"):
        raise AwsError("DryRunOperationException", "The request would have succeeded.")


def _same(grant: Grant, wanted: dict[str, Any]) -> bool:
    has = grant.to_json()
    return wanted["Name"] is not None and all(has[name] == wanted[name] for name in ABOUT)


def _remove(visit: RequestContext, key: Key, grant_id: str) -> None:
    if grant_id not in key.grants:
        raise AwsError("NotFoundException", f"Grant ID {grant_id} not found")
    check_dry_run(visit)
    del key.grants[grant_id]


def _page(
    visit: RequestContext, region: Region, found: dict[str, tuple[Key, Grant]]
) -> dict[str, Any]:
    chosen, more = page(visit.params, found, default=50, most=100)
    return {"Grants": [_described(region, *found[grant_id]) for grant_id in chosen], **more}


def _described(region: Region, key: Key, grant: Grant) -> dict[str, Any]:
    issuer = f"arn:aws:iam::{region.account}:root"
    about = {**grant.to_json(), "KeyId": key.arn, "IssuingAccount": issuer}
    return {name: value for name, value in about.items() if value is not None}
