"""Two linters over every policy of the project; what they find is explained here, or a test fails.

parliament judges statements (actions, resources, conditions, dangerous combinations) by its own copy
of the Service Authorization Reference, without a network. It knows no trust policies: cfn-lint
checks those, with a list of actions that is renewed each week (test_policies.py, test_templates.py).
"""

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.iam.network import DEPENDENT
from sandbox.aws.iam.template import rendered

PROJECT = Path(__file__).parents[2]
HUB = "111122223333"
CONTENTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "AWS::IAM::Role": lambda role: {p["PolicyName"]: p["PolicyDocument"] for p in role["Policies"]},
    "AWS::Organizations::Policy": lambda policy: {policy["Name"]: policy["Content"]},
    "AWS::KMS::Key": lambda key: {"seal-key": key["KeyPolicy"]},
}
TEMPLATES = {
    "resources.yaml": {"Stage": "dev", "CaseDefinition": "{}"},
    "account.yaml": {
        "Stage": "dev",
        "HubAccountId": HUB,
        "RequireTag": "yes",
        "OperatorArn": f"arn:aws:iam::{HUB}:role/operators",
    },
    "guardrails.yaml": {"TargetIds": "r-1", "ReserveDeleteCluster": "yes"},
}
KEY_CONDITION = (
    "KMS has it for every operation on a key; the reference lists it at CreateKey alone "
    "(KMS developer guide, condition keys)"
)
SEALS = "KMS keys are named by id; the condition on the alias leaves the seal key alone"
ASSUMES = "acting in other accounts is what it is for; which roles is in the statement"
ONE_KIND = (
    "the reference lists optional kinds of resource; runs of this machine are the one that is used"
)
ITS_OWN_KEY = "a key policy speaks of its own key: root’s statement lets IAM decide, as KMS advises"
HEARS = (
    "api_handler",
    "on_delete_blocked",
    "on_key_store_refused",
    "on_cluster_lost",
    "on_key_used",
    "on_probe",
    "sweep",
)
LOOKS = ("turn", "sweep", "digest", "on_key_store_refused", "on_cluster_lost", "on_key_used")
EXPLAINED = {
    **{(function, "RESOURCE_EFFECTIVELY_STAR", "SealInbox"): SEALS for function in HEARS},
    **{
        (function, "UNKNOWN_CONDITION_FOR_ACTION", "kms:ResourceAliases"): KEY_CONDITION
        for function in HEARS
    },
    ("turn", "RESOURCE_EFFECTIVELY_STAR", "CheckInboxSeals"): SEALS,
    ("turn", "RESOURCE_EFFECTIVELY_STAR", "SealBodies"): SEALS,
    ("turn", "RESOURCE_MISMATCH", "states:DescribeExecution"): ONE_KIND,
    ("turn", "UNKNOWN_CONDITION_FOR_ACTION", "kms:ResourceAliases"): KEY_CONDITION,
    **{(function, "CREDENTIALS_EXPOSURE", "sts:assumerole"): ASSUMES for function in LOOKS},
    ("sweep", "RESOURCE_MISMATCH", "states:DescribeExecution"): ONE_KIND,
    ("run-cases", "PERMISSIONS_MANAGEMENT_ACTIONS", "logs:putresourcepolicy"): (
        "Step Functions asks for it, to let the log service write (its guide, logging)"
    ),
    ("read", "UNKNOWN_ACTION", "kms:GetKeyLastUsage"): (
        "newer than parliament's list; botocore and cfn-lint know it"
    ),
    ("execute", "UNKNOWN_CONDITION_FOR_ACTION", "kms:KeyOrigin"): KEY_CONDITION,
    ("restore", "UNKNOWN_CONDITION_FOR_ACTION", "kms:KeyOrigin"): KEY_CONDITION,
    ("unlatch-guardrail", "UNKNOWN_CONDITION_FOR_ACTION", "kms:KeyOrigin"): KEY_CONDITION,
    ("seal-key", "PERMISSIONS_MANAGEMENT_ACTIONS", "kms:putkeypolicy"): ITS_OWN_KEY,
    ("seal-key", "RESOURCE_STAR", "kms:CancelKeyDeletion"): ITS_OWN_KEY,
}
"""Policy, finding, and a word of it → why it is right as it is."""


def documents() -> dict[str, Any]:
    """Every policy that says what may be done, by a name of its own."""
    found = {
        file.stem: json.loads(file.read_text())
        for file in sorted((PROJECT / ".chalice/policies").iterdir())
    }
    for template, parameters in TEMPLATES.items():
        for resource in rendered(PROJECT / "infra" / template, parameters, account=HUB).values():
            contents = CONTENTS.get(resource["Type"])
            found |= contents(resource["Properties"]) if contents else {}
    return found


@pytest.fixture(scope="module")
def parliament() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its own files open
        import parliament  # noqa: PLC0415  # its import warns

        return parliament


def findings(parliament: Any, name: str, document: Any) -> Iterator[tuple[str, str]]:
    """(finding, its text with the statement's Sid) of one document."""
    text = json.dumps(document, indent=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        policy = parliament.analyze_policy_string(text, name, include_community_auditors=True)
    for found in policy.findings:
        lines = text.splitlines()[found.location.get("line", 0) - 1 :]
        sid = next((line for line in lines if '"Sid"' in line), "")
        yield found.issue, f"{found.detail} {found.location} {sid}"


def explanation(name: str, issue: str, said: str) -> tuple[str, str, str] | None:
    return next(
        (key for key in EXPLAINED if key[:2] == (name, issue) and key[2] in said),
        None,
    )


def test_parliament_finds_nothing_unexplained(parliament: Any) -> None:
    unexplained, used = [], set()
    for name, document in documents().items():
        for issue, said in findings(parliament, name, document):
            key = explanation(name, issue, said)
            used.add(key)
            if key is None:
                unexplained.append(f"{name}: {issue} {said}")
    assert unexplained == []
    assert set(EXPLAINED) - used == set(), "explanations that nothing needs any more"


def test_all_policies_are_linted() -> None:
    assert len(documents()) == 11 + 6 + 2, sorted(documents())


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": "kms:EraseKey", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "sqs:SendMessage", "Resource": "*"}, "RESOURCE_STAR"),
        ({"Action": "sqs:SendMessage", "Resource": "arn:aws:s3:::bucket"}, "RESOURCE_MISMATCH"),
    ],
)
def test_it_would_find_what_is_wrong(
    parliament: Any, statement: dict[str, Any], issue: str
) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    assert issue in {found for found, _ in findings(parliament, "planted", document)}


@pytest.mark.parametrize("operation", DEPENDENT)
def test_the_sandbox_asks_for_what_the_reference_says_cloudhsm_does(
    parliament: Any, operation: Any
) -> None:
    reference = next(s for s in parliament.iam_definition if s["prefix"] == "cloudhsm")
    action = next(p for p in reference["privileges"] if p["privilege"] == operation)
    needed = {a for kind in action["resource_types"] for a in kind["dependent_actions"]}
    assert set(DEPENDENT[operation]) == needed
