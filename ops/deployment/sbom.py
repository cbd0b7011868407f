"""The bill of materials of a package: CycloneDX 1.6, from what pip reported. Reads no clock, so it is the same each time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import __version__

SPACE = uuid.UUID("6f5d9a0e-3c62-5d2b-9a4e-7c1b8e2f4d10")


def sbom(installed: Sequence[Mapping[str, Any]], *, digest: str) -> dict[str, Any]:
    """`installed` are the entries of pip’s report; `digest` is the package’s SHA-256 in hex."""
    components = sorted(map(_component, installed), key=lambda c: str(c["bom-ref"]))
    own = f"pkg:pypi/unlatch@{__version__}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(SPACE, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "unlatch",
                "version": __version__,
                "purl": own,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [c["bom-ref"] for c in components]}],
    }


def _component(entry: Mapping[str, Any]) -> dict[str, Any]:
    about = entry["metadata"]
    name, version = about["name"], about["version"]
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    hashes = entry.get("download_info", {}).get("archive_info", {}).get("hashes", {})
    if "sha256" in hashes:
        found["hashes"] = [{"alg": "SHA-256", "content": hashes["sha256"]}]
    licence = about.get("license_expression") or about.get("license")
    if licence and "\n" not in licence:
        found["licenses"] = [{"license": {"name": licence}}]
    return found
