"""Changes what is deployed, as a later deployment of the same code does: other settings, other routes."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from moto.awslambda_simple.models import lambda_simple_backends

from sandbox.deployment import ROUTES, as_text, routes_text


def redeploy(
    functions: Any,
    *,
    account: str,
    settings: Mapping[str, object],
    routes: Sequence[Mapping[str, Any]] | None,
) -> None:
    """`functions` is a client of Lambda's. Settings that are not named stay; so do the routes if None.

    What runs at the moment goes on with the old ones, and the next invocation has the new ones.
    """
    changed = {name.upper(): as_text(value) for name, value in settings.items()}
    for listed in functions.list_functions()["Functions"]:
        name = listed["FunctionName"]
        variables = {**listed.get("Environment", {}).get("Variables", {}), **changed}
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        if routes is not None:
            backend = lambda_simple_backends[account][functions.meta.region_name]
            code = _with_routes(backend.get_function(name).code_bytes, routes)
            functions.update_function_code(FunctionName=name, ZipFile=code)


def _with_routes(package: bytes, routes: Sequence[Mapping[str, Any]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w") as new:
        for item in old.infolist():
            if item.filename != ROUTES:
                new.writestr(item, old.read(item))
        if routes:
            new.writestr(ROUTES, routes_text(routes))
    return made.getvalue()
